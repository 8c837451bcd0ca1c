/*
 * interrupt: does a signal that reached a caller end it?
 *
 * FUSE_INTERRUPT comes for any signal, Ctrl-Z and a runtime's own among them, and a program that handles one
 * does not expect EINTR from rename(2).  Only a signal that is pending, not blocked, and fatal (SIGKILL,
 * into which the kernel turns every fatal signal; SIGINT, SIGTERM, SIGHUP, SIGQUIT where they are
 * neither ignored nor handled) means that nobody waits for the answer.
 */
#ifndef FERRYFS_FS_HOST_FATAL_SIGNAL_H
#define FERRYFS_FS_HOST_FATAL_SIGNAL_H

#include <stdbool.h>
#include <sys/types.h>

/* In a helper (fs/host/caller_helper.h), or a test.  proc: "/proc", or a folder of the same shape; pid: a thread's
 * id, as fuse_req_ctx has it.  A caller that can't be seen is taken for alive. */
bool interrupt_fatal(const char *proc, pid_t pid);
/* The same of the text of /proc/PID/status. */
bool interrupt_fatal_status(const char *text);

#endif
