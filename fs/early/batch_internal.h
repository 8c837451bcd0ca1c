/*
 * batch_inside: the fields of batches, for batch*.c.  The table of states is at the top of batch.c.
 */
#ifndef FERRYFS_FS_EARLY_BATCH_INTERNAL_H
#define FERRYFS_FS_EARLY_BATCH_INTERNAL_H

#include <pthread.h>

#include "fs/early/batch.h"
#include "fs/early/walk.h"

enum { BATCH_SLOTS = 64 };

struct batch {
	struct batches *batches;
	struct caller caller; /* constant, as is pidfd */
	int pidfd;
	uint64_t began_ms; /* CLOCK_MONOTONIC_COARSE; constant */
	struct process_watch watch;
	/* protected by batches.lock */
	struct batch *next; /* in its slot */
	unsigned refs;
	uint64_t seen_ms; /* the process was alive at that time */
	bool settling;
	bool refused; /* a call of the process failed, or reported a failure */
	bool asks; /* batch_asks was called */
	bool clear; /* caller.clear, as it was last read */
	bool stale, reading; /* stale: `clear` is to be read again; reading: that is under way */
	uint64_t looked_ms; /* the last look at `mounts` */
	int mounts; /* the process's mountinfo, open to be polled; -1: none; constant */
	struct resolve again; /* while `reading` */
	unsigned outstanding;
	uint64_t kept; /* promises that have ended, with success or failure */
	int error;
	bool lacking; /* `error`, or a later error, is not of a removal */
	struct batch_wait *waits, **waits_last;
	struct batch_wait last; /* the wait at the process's end */
	struct visits visits;
};

struct batches {
	struct resolver *resolver;
	struct batches_hooks hooks;
	pthread_mutex_t lock;
	pthread_cond_t drained;
	struct batch *slots[BATCH_SLOTS];
	unsigned count, outstanding;
	struct batch_wait *room, **room_last;
};

#endif
