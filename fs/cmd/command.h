/*
 * command: the subcommands of ferryfs.
 *
 * Each cmd_NAME(argc, argv) gets its own words (argv[0] is its name) and returns the program's exit status.
 */
#ifndef FERRYFS_FS_CMD_COMMAND_H
#define FERRYFS_FS_CMD_COMMAND_H

#include "fs/host/exit_status.h"

int cmd_mount(int argc, char **argv);
int cmd_umount(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_cp(int argc, char **argv);
int cmd_mv(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_recover(int argc, char **argv);
int cmd_bench(int argc, char **argv);

#endif
