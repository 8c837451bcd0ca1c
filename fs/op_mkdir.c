/*
 * mkdir: writes the marker object "dir/".  The kernel has just looked the name up, so that S3 isn't asked again whether it
 * is free.
 */
#include "fs/ops.h"

#include <errno.h>
#include <time.h>

#include "fs/marker.h"
#include "fs/name_op.h"

struct mkdir_op {
	struct name_op base;
	struct marker marker;
};

/* hub.lock held: the node of a directory that S3 acknowledged, with a ref. */
static int make_node(struct name_op *op, struct node **ret)
{
	const struct name_end *end = &op->ends[0];
	struct hub *hub = op->hub;
	struct node *node = name_end_child(op, end);
	int error = 0;

	if (node) {
		/* A listing saw the marker before we did. */
		if (node->kind != NODE_DIR)
			return -EEXIST;
		node_ref(node);
	} else {
		error = nodes_add(hub->nodes, end->parent, name_end_name(end), NODE_DIR, &node);
	}
	if (error == 0)
		error = node_set_attr(node, 0, (int64_t)time(NULL), 0, STR_NONE, STR_NONE);
	if (error < 0) {
		if (node)
			node_unref(hub->nodes, node);
		dir_doubt(hub, end->parent);
		return error;
	}
	dir_child_added(hub, node);
	dir_set_marker(node, true);
	dir_born(hub, node);
	*ret = node;
	return 0;
}

static void on_marker(struct marker *marker, int error, const struct s3_answer *answer)
{
	struct mkdir_op *op = marker->user;
	struct node *node = NULL;

	if (error < 0) {
		name_op_log(&op->base, &op->base.ends[0], error, answer, NULL);
	} else {
		hub_lock(op->base.hub);
		error = make_node(&op->base, &node);
		hub_unlock(op->base.hub);
	}
	if (error < 0)
		name_op_finish(&op->base, error);
	else
		name_op_finish_entry(&op->base, node);
}

static void ready(struct name_op *base)
{
	struct mkdir_op *op = (struct mkdir_op *)base;

	hub_lock(base->hub);
	bool exists = name_end_child(base, &base->ends[0]) != NULL;

	hub_unlock(base->hub);
	if (exists) {
		name_op_finish(base, -EEXIST);
		return;
	}
	op->marker.hub = base->hub;
	op->marker.worker = base->worker;
	op->marker.place = base->ends[0].place;
	op->marker.on_done = on_marker;
	op->marker.user = op;
	marker_write(&op->marker);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct mkdir_op *op = name_op_new(req, sizeof(*op), "mkdir", ready);

	if (!op)
		return;
	op->base.as_dir = true;
	hub_lock(op->base.hub);
	int error = name_op_end(&op->base, parent, name);

	hub_unlock(op->base.hub);
	name_op_go(&op->base, error);
}
