/*
 * caller_helper: the process that reads /proc/PID of a caller.
 *
 * A process can make its own files below /proc hang their reader in the kernel, past SIGKILL: it holds its
 * memory's lock (or an epoll's) while it waits for a page of a file system of its own that never comes, or its
 * program lies on a dead NFS.  So no thread of the daemon reads them.  This program, started once more with
 * CALLER_HELPER_WORD as its first word, does: it takes one question after another from a socket, descriptor
 * CALLER_HELPER_FD, and a helper that does not answer in time is given up (fs/host/caller_pool.h).
 *
 * A helper is exec'ed, so that nothing of the daemon's memory is in it, credentials least of all; it is given
 * no environment but the variables that a loader or a sanitizer reads, and no descriptor but its socket.  It ends when the
 * socket does, or with the thread that started it.
 *
 * One more question: a word in enum caller_question, and its reader in the table of caller_helper.c.  The asker gets the bytes that
 * the reader writes (struct resolve, fs/host/caller_resolver.h).
 */
#ifndef FERRYFS_FS_HOST_CALLER_HELPER_H
#define FERRYFS_FS_HOST_CALLER_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CALLER_HELPER_WORD "caller-helper"

enum { CALLER_HELPER_FD = 3, CALLER_ANSWER_MAX = 32 * 1024 };

enum caller_question {
	CALLER_WHO, /* struct caller, as caller_read fills it */
	CALLER_FATAL, /* bool: does a pending signal end this thread?  fs/host/fatal_signal.h */
	CALLER_CPU, /* int: the CPU on which this thread runs, or ran last */
	CALLER_FILES, /* struct caller_file ...: the files it has open for writing */
	CALLER_QUESTIONS
};

/* The messages on the socket: one each way, in this program's own layout. */
struct caller_asked {
	uint64_t number; /* of the question, from 1 */
	uint64_t device; /* of the mount that is called, for CALLER_WHO; 0: not known */
	uint32_t question;
	pid_t pid;
};

struct caller_told {
	uint64_t number; /* 0: the helper has started */
	int32_t error; /* -errno: there is no answer */
	uint32_t len; /* of the bytes that follow */
};

/* At the very beginning of main.  True: this process is a helper, has served, and ends with *ret_status.
 * False: go on; from then on this program can be started as its own helper.  (A program that never calls this
 * gets none: a unit test that exec'ed itself would begin again.) */
bool caller_helper_main(int argc, char **argv, int *ret_status);

/* Starts a helper that reads below proc.  *ret_fd: the daemon's end of its socket, non-blocking and closed on
 * exec.  -errno; -ENOTSUP where caller_helper_main was never called. */
int caller_helper_start(const char *proc, int *ret_fd, pid_t *ret_pid);

#endif
