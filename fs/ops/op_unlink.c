#include "fs/ops/ops.h"

#include <errno.h>

#include "fs/file/draft.h"
#include "fs/ops/remove_early.h"
#include "fs/ops/remove.h"

static void unlink_ready(struct name_op *base)
{
	struct remove_op *op = (struct remove_op *)base;
	int error = 0;

	hub_lock(base->hub);
	struct node *node = name_end_child(base, &base->ends[0]);

	/* The kernel looked the name up just before: if there is no node, the file went while this waited. */
	if (!node)
		error = -ENOENT;
	else if (node_is_dir(node))
		error = -EISDIR;
	else if (base->hold.claim.prior_error < 0)
		error = remove_errno(base->hold.claim.prior_error);
	else
		error = remove_op_plan(op, node);
	hub_unlock(base->hub);
	if (error < 0)
		name_op_finish(base, error);
	else
		remove_op_go(op);
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct batch *batch;

	if (remove_early(req, parent, name, false, &batch))
		return;
	struct remove_op *op = name_op_new(req, sizeof(*op), "unlink", unlink_ready);

	if (!op) {
		batch_unref(batch);
		return;
	}
	op->base.release = remove_op_release;
	op->later = batch && batch_inside(batch, parent);
	draft_save_copies(op->base.hub, parent, name);
	draft_keep_begin(op->base.hub, parent, name, &op->keep);
	hub_lock(op->base.hub);
	int error = name_op_end(&op->base, parent, name);

	hub_unlock(op->base.hub);
	remove_op_begin(op, batch, error);
}
