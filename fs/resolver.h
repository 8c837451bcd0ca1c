/*
 * resolver: a thread that finds out who calls, so that the thread that reads the FUSE device never waits for
 * /proc; and that is told when a process it watches has ended.
 *
 * A question is the asker's memory until on_done, which comes exactly once, on the resolver's thread with no
 * lock held. A pidfd is opened before /proc is read and seen alive afterwards, so that what was read is of
 * the very process it names.
 */
#ifndef FERRYFS_FS_RESOLVER_H
#define FERRYFS_FS_RESOLVER_H

#include "fs/caller.h"

enum { RESOLVER_QUEUE_MAX = 1024 };

struct resolve {
	/* given */
	pid_t pid;
	void (*on_done)(struct resolve *resolve);
	void *user;
	/* result */
	struct caller caller;
	int pidfd; /* of a plain cp, mv or rm that lives: the asker's to close; -1: of no other */
	/* private */
	struct resolve *next;
};

struct process_watch {
	int pidfd; /* lent until on_end */
	void (*on_end)(
		struct process_watch *watch); /* once, on the resolver's thread; never after resolver_free */
	void *user;
};

struct resolver;

/* proc: "/proc", or a folder of the same shape in a test; lent.  Starts the thread, so after any fork. */
int resolver_new(const char *proc, struct resolver **ret);
/* What is still asked is answered CALLER_OTHER; watches are forgotten.  Accepts NULL. */
void resolver_free(struct resolver *resolver);

/* -EAGAIN when too many are waiting: take the caller for an unknown one.  Any thread, also under hub.lock. */
int resolver_ask(struct resolver *resolver, struct resolve *resolve);
/* -errno of epoll. */
int resolver_watch(struct resolver *resolver, struct process_watch *watch);

/* Has the process of this pidfd ended? */
bool process_ended(int pidfd);

#endif
