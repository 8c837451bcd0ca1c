/*
 * claim: the order of operations on keys.
 *
 * Operations on one key (service, bucket, key; not a node, not a view) take effect in the order in which they
 * were asked for.  Whatever changes or copies an object first takes a claim on the keys it touches; a claim
 * is granted when no earlier claim that conflicts with it is left.  Two claims conflict when an item of one
 * and an item of the other name the same key, or one names a prefix the other's key (or prefix) lies under or
 * over, and at least one of the two is exclusive.
 *
 *   copy of S to D        S shared, D exclusive
 *   upload, create of D   D exclusive
 *   unlink of S           S exclusive
 *   rename of a file      both exclusive
 *   rename of a/ to b/    both prefixes exclusive
 *   rmdir, settle         the prefix exclusive
 *   an open that must see the pending content: the key shared
 *
 * All items of a claim are entered at one instant, and a claim waits only for earlier ones: no deadlock is
 * possible as long as the holder of a granted claim never waits for a later one.
 *
 * Truth across claims (law 2 over `cp -r a b && rm -r a`): a claim that ends with an error tells it to those
 * that wait for it at that moment through `prior_error`: the first error among the claims that it waited for.
 *
 * A claim that waits can't be withdrawn: an operation that no longer wants it releases it as soon as it is granted.
 *
 * One table a hub, with a lock of its own (a leaf: held inside the hub's lock or alone).  `granted` is called
 * without any lock of ours, from the thread that released the last obstacle, in claim_release (so that one
 * never under the hub's lock), or, when that is itself inside a `granted`, once the outer one is back: no
 * recursion however long the queue.
 */
#ifndef FERRYFS_FS_CORE_KEY_LOCK_H
#define FERRYFS_FS_CORE_KEY_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include "s3/str.h"

struct account;
struct claims;

enum { CLAIM_ITEMS_MAX = 2 };

struct claim_item {
	struct account *account; /* lent until release; compared by service */
	char *name; /* "bucket/key", owned by the claim */
	unsigned name_len;
	bool prefix; /* everything that begins so */
	bool exclusive;
	/* private */
	uint64_t hash;
	struct claim_item *next, *prev; /* of all keys, or of all prefixes */
	struct claim_item *chain_next, *chain_prev; /* keys: of one slot */
	struct claim *claim;
};

struct claim {
	struct claim_item items[CLAIM_ITEMS_MAX];
	unsigned count;
	void (*granted)(struct claim *claim); /* may release and free the claim; NULL: poll claim_granted */
	void *user;
	int prior_error; /* 0, or the first error of those it waited for; valid once granted */
	/* private */
	bool entered, is_granted;
	unsigned blockers;
	struct claim *ready_next;
	struct claim_wait *waits; /* who waits for this one */
};

int claims_new(struct claims **ret);
void claims_free(struct claims *claims); /* none may be left */

/* Zeroed claim, then each item; -ENOMEM, -E2BIG past CLAIM_ITEMS_MAX.  An empty key with `prefix` is the
 * whole bucket. claim_release also undoes these when the claim was never taken. */
int claim_add(struct claim *claim, struct account *account, struct str bucket, struct str key, bool prefix,
	bool exclusive);
/* Enters it.  1: granted at once, and `granted` is not called; 0: `granted` will be called; -ENOMEM: not
 * entered. */
int claim_take(struct claims *claims, struct claim *claim);
/* The operation is over with this error (0: done).  Frees the items; the claim may be used again. */
void claim_release(struct claims *claims, struct claim *claim, int error);
/* For claims without `granted`. */
bool claim_granted(struct claims *claims, struct claim *claim);
/* Is an exclusive claim not yet released on this key (or below, for a prefix), or on a prefix over it?  For
 * attributes shown meanwhile, never for decisions. */
bool claims_busy(
	struct claims *claims, struct account *account, struct str bucket, struct str key, bool prefix);
/* Claims entered and not released; waiting ones included. */
unsigned claims_count(struct claims *claims);

#endif
