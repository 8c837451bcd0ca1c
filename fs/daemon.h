/*
 * daemon: a process in the background whose start the terminal still hears of.
 *
 * daemon_fork makes the child; the parent waits at a pipe until the child says that it is ready or why it is
 * not, and then exits.  One thread, before any other is started.
 */
#ifndef FERRYFS_FS_DAEMON_H
#define FERRYFS_FS_DAEMON_H

#include <stdbool.h>

struct daemon {
	int fd; /* to the parent; -1: in the foreground, or told already */
};

/* 1: this is the parent, *ret_status its exit status, the sentence (if any) in why (ACCOUNT_WHY_MAX bytes);
 * 0: the child, in a session of its own; or -errno. */
int daemon_fork(struct daemon *daemon, int *ret_status, char *why);

/* Child: leaves the terminal (descriptors 0 to 2 become /dev/null, cwd is /, umask is 0) and lets the parent
 * exit with 0. */
void daemon_ready(struct daemon *daemon);
/* Child: the parent prints the sentence and exits with status.  False when no parent waits: print it
 * yourself. */
bool daemon_failed(struct daemon *daemon, int status, const char *sentence);

/* No core dumps and no ptrace by others (credentials are in memory), as many descriptors as allowed. */
void daemon_harden(bool dumpable);

#endif
