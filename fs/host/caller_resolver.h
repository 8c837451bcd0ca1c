/*
 * resolver: finds out about processes that call, so that no thread of the daemon ever waits for /proc; and
 * tells when a process it watches has ended.
 *
 * Questions go to helper processes (fs/host/caller_helper.h, fs/host/caller_pool.h).  The resolver's thread only passes
 * them on and takes answers, so it never waits for a stranger.  A question that got no answer within
 * RESOLVER_DEADLINE_MS, or cannot be put to a helper, is answered all the same: as one about a process of
 * which nothing is known.  Such a caller waits for S3, which is slower and never wrong.
 *
 * A question is the asker's memory until on_done, which comes exactly once, on the resolver's thread with no
 * lock held.  For CALLER_WHO a pidfd is opened before the helper reads /proc and seen alive afterwards, so
 * that the answer is about the very process it names.
 */
#ifndef FERRYFS_FS_HOST_CALLER_RESOLVER_H
#define FERRYFS_FS_HOST_CALLER_RESOLVER_H

#include "fs/host/caller.h"
#include "fs/host/caller_helper.h"

enum {
	RESOLVER_QUEUE_MAX = 1024,
	RESOLVER_DEADLINE_MS = 3000, /* a helper answers in 50 microseconds; a loaded machine is slower */
};

struct resolve {
	/* given */
	pid_t pid; /* of a process; for CALLER_FATAL and CALLER_CPU a thread's, as fuse_req_ctx has it */
	dev_t device; /* of the mount, for caller.clear; 0: not known */
	uid_t uid; /* of the process that asks the mount (fuse_req_ctx): helpers are shared out by it */
	enum caller_question question;
	void (*on_done)(struct resolve *resolve);
	void *user;
	/* result */
	struct caller caller; /* of CALLER_WHO; CALLER_OTHER when nothing is known */
	int pidfd; /* of a plain cp, mv or rm that lives: the asker's to close; -1: of no other */
	const void *
		bytes; /* until on_done returns: the bytes that the helper's reader wrote; NULL: nothing is known */
	size_t len;
	/* private */
	struct resolve *next;
	uint64_t until_ms;
};

struct process_watch {
	int pidfd; /* lent until on_end */
	void (*on_end)(
		struct process_watch *watch); /* once, on the resolver's thread; never after resolver_stop */
	void *user;
};

struct resolver;

/* proc: "/proc", or a folder of the same shape in a test; lent.  Starts the thread, so after any fork. */
int resolver_new(const char *proc, struct resolver **ret);
/* Open questions are answered as unknown, watches are forgotten, and the thread and its helpers have
 * ended when this returns, but for helpers that hang in the kernel.  Later questions are refused.  Not on the
 * resolver's own thread; again is harmless. */
void resolver_stop(struct resolver *resolver);
/* Stops it.  Accepts NULL. */
void resolver_free(struct resolver *resolver);

/* -EAGAIN when too many are waiting, -ECANCELED once it was stopped: take the caller for an unknown one; the
 * question stays the asker's.  Any thread, also under hub.lock. */
int resolver_ask(struct resolver *resolver, struct resolve *resolve);
/* -errno of epoll. */
int resolver_watch(struct resolver *resolver, struct process_watch *watch);

/* Has the process of this pidfd ended? */
bool process_ended(int pidfd);

#endif
