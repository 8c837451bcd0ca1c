/*
 * waiter: where a command's main thread waits: for its work's end, for room in a pipe, for Ctrl-C.
 *
 * SIGINT and SIGTERM are blocked and read from a descriptor, SIGPIPE is ignored: no handler interrupts
 * anything, and what a signal means is decided in one place: the first ends a command in order, the second at
 * once.  Life-cycle: waiter_init before any thread is
 * started (threads inherit the signal mask), waiter_release at the end.  Only waiter_wake may be called from
 * other threads.
 */
#ifndef FERRYFS_FS_CMD_MAIN_WAIT_H
#define FERRYFS_FS_CMD_MAIN_WAIT_H

#include <stdatomic.h>
#include "engine/object/copy.h"
#include "engine/object/twins.h"

struct waiter {
	int signal_fd;
	int event_fd;
	unsigned signals; /* how many came; main thread */
	const char *command; /* whose name goes before what is said about a signal; NULL: nothing is said */
};

/* The first signal was taken, and something on the wire is waited for; the second was, and it is not. */
void waiter_say_stopping(const struct waiter *waiter);
void waiter_say_cut(const struct waiter *waiter);

/* -errno. */
int waiter_init(struct waiter *waiter);
void waiter_release(struct waiter *waiter);

/* Any thread: ends a waiter_wait that is under way, or the next one. */
void waiter_wake(struct waiter *waiter);

/* Waits for waiter_wake, a signal or `ms` milliseconds (-1: no limit).  With fd >= 0 also until fd can be
 * written to.  Returns true when fd can be (or has failed: the write will tell). */
bool waiter_wait(struct waiter *waiter, int fd, int ms);

static inline bool waiter_interrupted(const struct waiter *waiter)
{
	return waiter->signals > 0;
}

/* As call_wait, but a signal cancels the call (then -ECANCELED, or 0 where it had just been done). ret_answer
 * may be NULL. */
int waiter_call(
	struct waiter *waiter, struct engine *engine, struct call *call, struct s3_answer *ret_answer);
/* The same for a copy; what is on the wire is waited for, until a second signal cuts it off (engine_cut: then
 * -ECANCELED, and copy->ambiguous says whether it may have been done). */
int waiter_copy(
	struct waiter *waiter, struct engine *engine, struct copy *copy, struct s3_answer *ret_answer);
/* Settles it; on_done and user are used by it.  UNKNOWN with -ECANCELED after a signal. */
enum twins_verdict waiter_twins(struct waiter *waiter, struct engine *engine, struct twins *twins);

#endif
