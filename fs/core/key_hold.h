/*
 * key_hold: an operation's claim (fs/core/key_lock.h) on the keys of names, wherever those names are.
 *
 * While a claim waits, a rename may move the names to other keys.  So once it is granted the operation locates its names
 * again, and if one of them has moved the claim is given back and taken anew, KEY_HOLD_RETAKES_MAX times at most.
 *
 * A struct key_hold is a member of the operation's own struct.
 */
#ifndef FERRYFS_FS_CORE_KEY_HOLD_H
#define FERRYFS_FS_CORE_KEY_HOLD_H

#include "fs/core/hub.h"

enum { KEY_HOLD_RETAKES_MAX = 16 };

struct key_hold;

struct key_hold_kind {
	/* Finds the places of the names as they are now, for `add`.  *ret_changed: one of them is elsewhere than at the
	 * last call.  -errno: the operation is to end.  hub.lock held. */
	int (*locate)(struct key_hold *hold, bool *ret_changed);
	/* claim_add for each of these places.  hub.lock held. */
	int (*add)(struct key_hold *hold, struct claim *claim);
	/* The keys are held, and the names are where the claim says (0); or -errno: of locate, of add, -ENOMEM, or -EBUSY
	 * for names that moved too often.  Called once after key_hold_take gave 0, no lock held, on the thread that
	 * released the last obstacle.  Either way the operation calls key_hold_release at its end. */
	void (*ready)(struct key_hold *hold, int error);
};

struct key_hold {
	const struct key_hold_kind *kind;
	struct hub *hub;
	/* Once the keys are held: prior_error and the items; else private, as is retakes. */
	struct claim claim;
	unsigned retakes;
};

/* Zeroed but for kind and hub.  1: the keys are held, and `ready` is not called; 0: `ready` will be called; -errno: nothing
 * is held.  hub.lock held. */
int key_hold_take(struct key_hold *hold);
/* The operation is over with this error, which claims that wait are told (0: done).  Also where nothing is held.  No lock
 * held.  Afterwards it may be taken again. */
void key_hold_release(struct key_hold *hold, int error);

#endif
