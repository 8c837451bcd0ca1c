/*
 * parked: a FUSE request that waits for its answer, and may be interrupted.
 *
 * The first member of an operation's struct.  Whoever wants to answer asks parked_take first, which says yes
 * exactly once; a caller that is being killed is answered EINTR meanwhile, and then the operation, when its
 * turn comes, finds that there is nothing to answer any more and only ends.  Other signals than fatal ones
 * change nothing.  Counted among hub.parked.
 */
#ifndef FERRYFS_FS_REQUEST_PARKED_H
#define FERRYFS_FS_REQUEST_PARKED_H

#include "fs/core/hub.h"
#include "fs/host/caller_resolver.h"

struct parked {
	struct hub *hub;
	fuse_req_t req; /* gone once it is answered */
	pid_t thread; /* who asks */
	uid_t uid; /* of that thread */
	void (*free)(struct parked *parked); /* nobody holds it any more; no lock held; frees the memory */
	/* What to do for a caller that is being killed, instead of answering EINTR; on a worker, more than
	 * once perhaps, and perhaps after the answer.  NULL, as parked_init leaves it: the answer.  Set on
	 * the reading thread. */
	void (*killed)(struct parked *parked);
	/* private */
	atomic_uint holds;
	atomic_bool answered, checking;
	bool fatal; /* while checking: a signal ends the caller */
	struct resolve resolve;
	struct task task;
	struct timer again;
};

/* On the reading thread; the caller has one hold. */
void parked_init(struct parked *parked, fuse_req_t req, void (*free)(struct parked *parked));
/* True once: the caller replies to parked->req, at once.  No lock held. */
bool parked_take(struct parked *parked);
/* Any thread; for looking only: it may change any moment from false to true. */
bool parked_answered(const struct parked *parked);
void parked_hold(struct parked *parked);
/* No lock held. */
void parked_drop(struct parked *parked);
/* What a program can make sense of: the network's own errors, and what was cancelled or came broken, are EIO.
 * 0 stays 0. */
int parked_errno(int error);
/* The answer is an error, after parked_errno, if it is still wanted, and the caller's hold is dropped. */
void parked_fail(struct parked *parked, int error);

#endif
