/*
 * mount_point: can this directory be mounted on?  Each way in which it can not has a sentence of its own for the
 * terminal.
 */
#ifndef FERRYFS_FS_CMD_MOUNT_POINT_H
#define FERRYFS_FS_CMD_MOUNT_POINT_H

#include "engine/account/account.h"

/* A directory that can be mounted on: *ret its canonical path, the caller's; a dead mount of one's own there
 * is for dead_mount_clear.  -errno with a sentence in why (ACCOUNT_WHY_MAX bytes). */
int mount_point_check(const char *directory, char **ret, char *why);

#endif
