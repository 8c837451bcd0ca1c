/*
 * caller_ask: who is this, asked off the thread that reads the FUSE device.
 */
#ifndef FERRYFS_FS_CALLER_ASK_H
#define FERRYFS_FS_CALLER_ASK_H

#include "engine/engine.h"
#include "fs/caller.h"

struct caller_ask {
	/* given; the struct is the caller's until on_done, which comes on the worker's thread, without a lock
	 */
	pid_t pid;
	void (*on_done)(struct caller_ask *ask, const struct caller *caller);
	void *user;
	/* private */
	struct task task;
};

/* Any thread. */
void caller_ask(struct worker *worker, struct caller_ask *ask);

#endif
