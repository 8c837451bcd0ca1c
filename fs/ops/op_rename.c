#include "fs/core/place.h"
#include "fs/ops/ops.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>

#include "fs/file/draft.h"
#include "fs/early/early.h"
#include "fs/ops/remove.h"
#include "fs/ops/rename_internal.h"
#include "fs/ops/rename_retry.h"
#include "fs/request/reply.h"

static void rename_release(struct name_op *base)
{
	struct rename_op *op = (struct rename_op *)base;

	free(op->twins);
	free(op->guard);
	draft_keep_end(base->hub, &op->keep);
	hub_lock(base->hub);
	follow_clear(&op->follow, base->hub);
	node_unref(base->hub->nodes, op->node);
	node_unref(base->hub->nodes, op->target);
	hub_unlock(base->hub);
}

/* The job outlives the answer, since another thread may still cancel it. */
static void rename_free_op(struct parked *parked)
{
	struct rename_op *op = (struct rename_op *)parked;
	struct job *job = atomic_load(&op->job);

	if (job)
		job_unref(job);
	free(op);
}

/* hub.lock held. */
static int rename_plan(struct rename_op *op)
{
	struct node *parent = rename_from(op)->parent;

	if (parent == rename_to(op)->parent)
		return 0;
	op->plan = marker_plan(parent, op->node);
	if (op->plan == MARKER_NOT)
		return 0;
	op->marker.hub = op->base.hub;
	op->marker.worker = op->base.worker;
	op->marker.directory = parent;
	op->marker.user = op;
	return node_place(parent, &op->marker.place);
}

/* ---- the checks ---- */

/* The rules of POSIX for the two names.  hub.lock held; 1: both are the same, nothing is to be done. */
static int rename_check(struct rename_op *op)
{
	struct node *node = name_end_child(&op->base, rename_from(op));
	struct node *target = name_end_child(&op->base, rename_to(op));

	if (!node)
		return -ENOENT;
	if (node_is_dir(node) != op->base.as_dir)
		return -EBUSY; /* the node became the other kind while this waited */
	if (op->base.hold.claim.prior_error < 0)
		return remove_errno(op->base.hold.claim.prior_error);
	if (target == node)
		return 1;
	if (node_is_below(rename_to(op)->parent, node))
		return -EINVAL;
	if (target && op->noreplace)
		return -EEXIST;
	if (target && node_is_dir(target) && !node_is_dir(node))
		return -EISDIR;
	if (target && !node_is_dir(target) && node_is_dir(node))
		return -ENOTDIR;
	op->node = node_ref(node);
	op->target = target ? node_ref(target) : NULL;
	return rename_plan(op);
}

static void rename_ready(struct name_op *base)
{
	struct rename_op *op = (struct rename_op *)base;

	hub_lock(base->hub);
	int error = rename_check(op);

	hub_unlock(base->hub);
	if (error != 0)
		name_op_finish(base, error < 0 ? error : 0);
	else if (base->as_dir)
		rename_dir(op);
	else
		rename_file(op);
}

/* hub.lock held. */
static int rename_begin(
	struct rename_op *op, fuse_ino_t parent, const char *name, fuse_ino_t to_parent, const char *to_name)
{
	int error = name_op_end(&op->base, parent, name);

	if (error == 0)
		error = name_op_end(&op->base, to_parent, to_name);
	if (error < 0)
		return error;
	struct node *node = name_end_child(&op->base, rename_from(op));

	if (!node)
		return -ENOENT;
	op->base.as_dir = node_is_dir(node);
	if (op->base.as_dir)
		op->base.parked.killed = rename_dir_killed;
	const struct view *from = node_view(rename_from(op)->parent), *to = node_view(rename_to(op)->parent);

	error = rename_again_refusal(op, node);
	if (error < 0)
		return error;
	/* On EXDEV mv copies and removes by itself. */
	return from && to && account_same_service(from->account, to->account) ? 0 : -EXDEV;
}

/* A directory that a cp -r has just made may be a node alone: S3 has to have something to move. */
static void rename_decide_below(struct hub *hub, fuse_ino_t parent, const char *name)
{
	hub_lock(hub);
	const struct node *directory = nodes_find(hub->nodes, parent);
	struct node *node = directory ? nodes_child(hub->nodes, directory, str_of(name)) : NULL;
	bool dir = node && node->kind == NODE_DIR;

	if (dir)
		node_ref(node);
	hub_unlock(hub);
	if (!dir)
		return;
	early_decide_below(hub, node);
	hub_lock(hub);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to_parent, const char *to_name,
	unsigned int flags)
{
	if (flags & ~(unsigned)RENAME_NOREPLACE) {
		hub_reply_err(req, -EINVAL);
		return;
	}
	struct rename_op *op = name_op_new(req, sizeof(*op), "rename", rename_ready);

	if (!op)
		return;
	op->base.release = rename_release;
	op->noreplace = flags & RENAME_NOREPLACE;
	draft_save_copies(op->base.hub, parent, name);
	draft_save_copies(op->base.hub, to_parent, to_name);
	if (!op->noreplace)
		draft_keep_begin(op->base.hub, to_parent, to_name, &op->keep);
	rename_decide_below(op->base.hub, parent, name);
	op->base.parked.free = rename_free_op;
	hub_lock(op->base.hub);
	int error = rename_begin(op, parent, name, to_parent, to_name);

	hub_unlock(op->base.hub);
	name_op_go(&op->base, error);
}
