/*
 * parked: a FUSE request that waits for its answer, and may be interrupted.
 *
 * The first member of an operation's struct.  An operation calls parked_take before it answers; parked_take
 * returns true exactly once.  A caller that is being killed is answered EINTR meanwhile.  The operation then
 * gets false from parked_take: it answers nothing and only ends.  Signals that are not fatal change nothing.
 * Counted among hub.parked.
 */
#ifndef FERRYFS_FS_REQUEST_PARKED_H
#define FERRYFS_FS_REQUEST_PARKED_H

#include "fs/core/hub.h"
#include "fs/host/caller_resolver.h"

struct parked {
	struct hub *hub;
	fuse_req_t req; /* invalid once it is answered */
	pid_t thread; /* the calling thread */
	uid_t uid; /* of that thread */
	void (*free)(struct parked *parked); /* the last hold was dropped; no lock held; frees the memory */
	/* Called for a caller that is being killed, in place of the answer EINTR; on a worker, perhaps
	 * more than once, and perhaps after the answer.  NULL, as parked_init leaves it: answers EINTR.
	 * Set on the reading thread. */
	void (*killed)(struct parked *parked);
	/* private */
	atomic_uint holds;
	atomic_bool answered, checking;
	bool fatal; /* while `checking`: a signal ends the caller */
	struct resolve resolve;
	struct task task;
	struct timer again;
};

/* On the reading thread; the caller has one hold. */
void parked_init(struct parked *parked, fuse_req_t req, void (*free)(struct parked *parked));
/* True exactly once: the function's caller then replies to parked->req at once.  No lock held. */
bool parked_take(struct parked *parked);
/* Any thread.  A hint only: false may become true at any moment. */
bool parked_answered(const struct parked *parked);
void parked_hold(struct parked *parked);
/* No lock held. */
void parked_drop(struct parked *parked);
/* Answers with an error (hub_reply_err) if the request is not yet answered, and drops the caller's
 * hold. */
void parked_fail(struct parked *parked, int error);

#endif
