#include "engine/base/clock.h"
#include "fs/core/notify.h"
#include "fs/file/draft.h"
#include "fs/ops/remove.h"
#include "fs/ops/rename_internal.h"
#include "fs/ops/subtree.h"

#include <errno.h>

/* ---- the nodes ---- */

void rename_op_apply(struct rename_op *op)
{
	struct hub *hub = op->base.hub;
	struct node *node = op->node, *parent = rename_to(op)->parent;

	hub_lock(hub);
	/* The node at the new place now: the replaced one, or one that a listing made of our own copy. */
	struct node *there = name_end_child(&op->base, rename_to(op));

	if (there && there != node) {
		node_ref(there);
		if (there->draft)
			draft_disown(hub, there);
		nodes_detach(hub->nodes, there);
		dir_doubt(hub, there);
		node_unref(hub->nodes, there);
	}
	if (!node->gone) {
		dir_removed(node->parent, str_n(node->name, node->name_len));
		if (nodes_move(hub->nodes, node, parent, name_end_name(rename_to(op))) < 0) {
			/* No memory for the name: the next lookup finds it anew. */
			nodes_detach(hub->nodes, node);
			dir_doubt(hub, parent);
		} else {
			if (node_is_dir(node)) {
				hub->dirs.moves++;
				subtree_age(hub, node);
				node->attr.fetched_ms = clock_ms();
			}
			dir_child_added(hub, node);
		}
	}
	hub_unlock(hub);
}

void rename_op_lost(struct rename_op *op)
{
	struct hub *hub = op->base.hub;
	struct node *node = op->node;

	hub_lock(hub);
	if (!node->gone && !node->draft) {
		notify_entry(hub, node->parent->ino, str_n(node->name, node->name_len));
		nodes_detach(hub->nodes, node);
	}
	hub_unlock(hub);
	name_op_finish(&op->base, -ENOENT);
}

void rename_op_failed(struct rename_op *op, int error)
{
	struct hub *hub = op->base.hub;

	hub_lock(hub);
	/* A listing may have shown a copy that was taken back since. */
	struct node *there = name_end_child(&op->base, rename_to(op));

	subtree_age(hub, op->node);
	if (there)
		subtree_age(hub, there);
	dir_doubt(hub, rename_from(op)->parent);
	dir_doubt(hub, rename_to(op)->parent);
	hub_unlock(hub);
	name_op_finish(&op->base, error);
}

/* ---- the directory that is left ---- */

static void rename_on_kept(struct marker *marker, int error, const struct s3_answer *answer)
{
	struct rename_op *op = marker->user;

	if (error < 0)
		name_op_log(&op->base, rename_from(op), error, answer,
			"renamed; the directory it was in may be gone, as its marker could not be written");
	name_op_finish(&op->base, 0);
}

void rename_op_done(struct rename_op *op)
{
	if (op->plan == MARKER_AFTER) {
		op->marker.on_done = rename_on_kept;
		marker_ensure(&op->marker);
		return;
	}
	name_op_finish(&op->base, 0);
}

static void rename_on_marked(struct marker *marker, int error, const struct s3_answer *answer)
{
	struct rename_op *op = marker->user;

	if (error < 0) {
		name_op_log(&op->base, rename_from(op), error, answer,
			"not renamed: the marker of the directory it is the last of could not be written");
		name_op_finish(&op->base, remove_errno(error));
		return;
	}
	op->step(op);
}

void rename_op_mark(struct rename_op *op, void (*step)(struct rename_op *op))
{
	op->step = step;
	if (op->plan != MARKER_FIRST) {
		step(op);
		return;
	}
	op->marker.on_done = rename_on_marked;
	marker_write(&op->marker);
}
