/*
 * process_exit: how a process ended that is no child of ours.
 *
 * The kernel shows it to root, as field 52 of /proc/PID/stat, for as long as nobody has waited for the process,
 * and by ioctl of a pidfd from then on (PIDFD_GET_INFO, Linux 6.15).  Neither asks the process's memory, which
 * is gone.  Any thread.
 */
#ifndef FERRYFS_FS_HOST_PROCESS_EXIT_H
#define FERRYFS_FS_HOST_PROCESS_EXIT_H

#include <sys/types.h>

enum { PROCESS_EXIT_TEXT_MAX = 64 };

/* The process of this pidfd has ended.  Its status as of wait(2), or -ENODATA where it cannot be known. */
int process_exit_status(int pidfd, pid_t pid);
/* "exit status 0", "signal 9", "exit status unknown"; in text, of PROCESS_EXIT_TEXT_MAX bytes. */
const char *process_exit_text(int status, char *text);

#endif
