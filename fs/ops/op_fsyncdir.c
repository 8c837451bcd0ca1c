/* fsync of a directory: the operations pending below it are settled first, and the first of their errors is
 * told. */
#include "fs/core/place.h"
#include "fs/ops/ops.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/early/early.h"
#include "fs/request/parked.h"
#include "fs/request/reply.h"

struct settle {
	struct parked parked;
	struct claim claim;
};

static void settle_free(struct parked *parked)
{
	free(parked);
}

/* error: -errno or 0. */
static void fsyncdir_finish(struct settle *settle, int error)
{
	claim_release(settle->parked.hub->claims, &settle->claim, 0);
	if (parked_take(&settle->parked))
		hub_reply_err(settle->parked.req, error);
	parked_drop(&settle->parked);
}

static void fsyncdir_granted(struct claim *claim)
{
	struct settle *settle = claim->user;

	fsyncdir_finish(settle, claim->prior_error);
}

/* hub.lock held.  1: nothing is pending. */
static int claim_below(struct settle *settle, fuse_ino_t ino)
{
	const struct node *node = nodes_find(settle->parked.hub->nodes, ino);
	struct place place;

	/* Above the buckets nothing is ever pending. */
	if (!node || node->gone || node_place(node, &place) == -EPERM)
		return 1;
	int error = node_place(node, &place);

	if (error == 0)
		error = claim_add(
			&settle->claim, place.account, place_bucket(&place), place_key(&place), true, true);
	settle->claim.granted = fsyncdir_granted;
	settle->claim.user = settle;
	return error < 0 ? error : claim_take(settle->parked.hub->claims, &settle->claim);
}

/* Directories that a cp -r has just made and S3 does not know yet. */
static void fsyncdir_decide_below(struct hub *hub, fuse_ino_t ino)
{
	hub_lock(hub);
	struct node *node = nodes_find(hub->nodes, ino);

	if (node)
		node_ref(node);
	hub_unlock(hub);
	if (!node)
		return;
	early_decide_below(hub, node);
	hub_lock(hub);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct settle *settle = calloc(1, sizeof(*settle));

	if (!settle) {
		hub_reply_err(req, -ENOMEM);
		return;
	}
	parked_init(&settle->parked, req, settle_free);
	fsyncdir_decide_below(hub, ino);
	hub_lock(hub);
	int error = claim_below(settle, ino);

	hub_unlock(hub);
	if (error != 0)
		fsyncdir_finish(settle, error < 0 ? error : settle->claim.prior_error);
}
