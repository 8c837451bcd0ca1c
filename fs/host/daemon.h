/*
 * daemon: a process in the background; the terminal still hears of its start.
 *
 * daemon_fork makes the child; the parent waits at a pipe until the child says that it is ready or why it is
 * not, and then exits.  One thread, before any other is started.
 */
#ifndef FERRYFS_FS_HOST_DAEMON_H
#define FERRYFS_FS_HOST_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

struct daemon {
	int fd; /* to the process that waits; -1: none does, or it was told already */
	bool front; /* it stays in the foreground */
	pid_t other; /* of daemon_front: the child */
};

/* 1: this is the parent, *ret_status its exit status, the sentence (if any) in why (ACCOUNT_WHY_MAX bytes);
 * 0: the child; or -errno. */
int daemon_fork(struct daemon *daemon, int *ret_status, char *why);

/* The other way round, for a daemon in the foreground: this process becomes it (0), and the child (1) hears
 * of its start and goes on with the steps after that. */
int daemon_front(struct daemon *daemon, int *ret_status, char *why);

/* Daemon: cwd is /, and it leaves the terminal (descriptors 0 to 2 become /dev/null, a session of its own)
 * unless front; lets the
 * other one go on. */
void daemon_ready(struct daemon *daemon);
/* Daemon: the other one prints the sentence and exits with status.  False when nobody waits: print it
 * yourself. */
bool daemon_failed(struct daemon *daemon, int status, const char *sentence);

/* No core dumps and no ptrace by others (credentials are in memory), unless dumpable. */
void daemon_hide(bool dumpable);
/* At the beginning of a command that may become a daemon, before it opens anything: notes which descriptors
 * its caller gave it. */
void daemon_begin(void);
/* Closes those: a lock would stay held and a pipe open for as long as the daemon runs.  Not before the paths
 * among the options were opened: one may be /dev/fd/N. */
void daemon_drop_given(void);
/* Daemon, before it blocks signals and starts threads: it keeps nothing of the job that started it.
 *
 *   descriptors   those given are closed, but 0 to 2 (daemon_ready)
 *   signals       none ignored or blocked, but SIGPIPE and SIGXFSZ, which are ignored
 *   umask         077
 *   limits        on file size, time, memory and threads none, on descriptors 65,536 or more, where it may;
 *                 a daemon in the foreground keeps the hard ones: its supervisor has set them
 *   priority      a positive nice value and oom_score_adj become 0 where it may, not in the foreground
 *   memory        as daemon_hide; no core dumps
 */
void daemon_harden(const struct daemon *daemon, bool dumpable);

#endif
