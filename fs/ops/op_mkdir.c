/*
 * mkdir: writes the marker object "dir/".  The kernel has just looked the name up, so that S3 isn't asked
 * again whether it is free.
 *
 * For a recursive cp or mv the directory is a node alone at first (fs/early/early.h), but only while a later
 * call here is sure to wait and to tell: the end of the listing of the source directory, or the opening of
 * another entry.  That is so where every source of the command line lies in this hub (cp lists each directory
 * that it has made), or where the process has an entry of a listing of ours still ahead of it.  From a local
 * disk, another mount, or an unknown source, no such call comes: the marker is written first, as for any
 * other program.  Should the source turn out to be here and to have no marker, the new marker is removed
 * again.
 */
#include "fs/ops/ops.h"

#include <errno.h>
#include <time.h>

#include "fs/early/early.h"
#include "fs/dir/marker.h"
#include "fs/ops/name_op.h"
#include "fs/request/node_stat.h"

struct mkdir_op {
	struct name_op base;
	struct marker marker;
	struct attrs attrs; /* of the caller that makes it; empty where metadata keeps nothing */
	struct batch *batch; /* referenced; NULL: none */
	struct early_ask ask;
};

/* hub.lock held: the node of a directory that S3 acknowledged, with a ref. */
static int make_node(struct name_op *op, struct node **ret)
{
	const struct name_end *end = &op->ends[0];
	struct hub *hub = op->hub;
	struct node *node = name_end_child(op, end);
	int error = 0;

	if (node) {
		/* A listing saw the marker before this mkdir was answered. */
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
	dir_set_marker_plain(node);
	dir_born(hub, node);
	*ret = node;
	return 0;
}

static bool copies(const struct batch *batch)
{
	return batch && batch_caller(batch)->tool != CALLER_RM;
}

/* Will the process make another call here that can tell an error? */
static bool mkdir_more_to_come(const struct mkdir_op *op)
{
	if (!copies(op->batch))
		return false;
	return batch_coming(op->batch) || (batch_is_clear(op->batch) && op->base.hub->dev != 0 &&
						  batch_caller(op->batch)->sources == op->base.hub->dev);
}

/* Its source may be a directory of ours.  hub.lock held. */
static void mkdir_remember(struct mkdir_op *op, struct node *node)
{
	if (!copies(op->batch))
		return;
	dev_t sources = batch_caller(op->batch)->sources;

	if (sources == 0 || sources == op->base.hub->dev)
		early_marked(op->base.hub, op->batch, node);
}

static void mkdir_on_marker(struct marker *marker, int error, const struct s3_answer *answer)
{
	struct mkdir_op *op = marker->user;
	struct node *node = NULL;

	if (error < 0) {
		name_op_log(&op->base, &op->base.ends[0], error, answer, NULL);
	} else {
		hub_lock(op->base.hub);
		error = make_node(&op->base, &node);
		if (error == 0)
			mkdir_remember(op, node);
		if (error == 0 && op->attrs.has)
			node_set_attrs(node, &op->attrs); /* without memory: S3 is asked for them later */
		hub_unlock(op->base.hub);
	}
	if (error < 0)
		name_op_finish_last(&op->base, error);
	else
		name_op_finish_entry(&op->base, node);
}

/* Would the directory look the same without its metadata?  hub.lock held. */
static bool mkdir_is_plain(const struct mkdir_op *op)
{
	const struct view *view = node_view(op->base.ends[0].parent);
	const struct attrs *attrs = &op->attrs;

	return !attrs->has ||
	       (view && attrs->mode == view->dir_mode && attrs->uid == view->uid && attrs->gid == view->gid);
}

/* Makes only a node.  False: the marker has to be written now.  hub.lock held. */
static bool make_early(struct mkdir_op *op, struct node **ret)
{
	struct hub *hub = op->base.hub;
	struct node *node;

	/* If the directory has a mode or owner of its own, a marker has to keep it, now. */
	if (!mkdir_is_plain(op) || make_node(&op->base, &node) < 0)
		return false;
	node->local = true;
	dir_set_marker(node, false);
	if (!early_made(hub, op->batch, node)) {
		nodes_detach(hub->nodes, node);
		node_unref(hub->nodes, node);
		return false;
	}
	*ret = node;
	return true;
}

static void mkdir_ready(struct name_op *base)
{
	struct mkdir_op *op = (struct mkdir_op *)base;
	struct node *node;
	bool more = mkdir_more_to_come(op);

	hub_lock(base->hub);
	bool exists = name_end_child(base, &base->ends[0]) != NULL;
	bool early = !exists && more && make_early(op, &node);

	hub_unlock(base->hub);
	if (exists) {
		name_op_finish_last(base, -EEXIST);
		return;
	}
	if (early) {
		name_op_finish_entry(base, node);
		return;
	}
	op->marker.hub = base->hub;
	op->marker.worker = base->worker;
	op->marker.place = base->ends[0].place;
	op->marker.attrs = op->attrs.has ? &op->attrs : NULL;
	op->marker.on_done = mkdir_on_marker;
	op->marker.user = op;
	marker_write(&op->marker);
}

static void mkdir_release(struct name_op *base)
{
	batch_unref(((struct mkdir_op *)base)->batch);
}

static void mkdir_on_asked(struct early_ask *ask, struct batch *batch)
{
	struct mkdir_op *op = ask->user;

	op->batch = batch;
	name_op_go(&op->base, 0);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct mkdir_op *op = name_op_new(req, sizeof(*op), "mkdir", mkdir_ready);

	if (!op)
		return;
	op->base.as_dir = true;
	op->base.release = mkdir_release;
	hub_lock(op->base.hub);
	int error = name_op_end(&op->base, parent, name);
	const struct view *view = error == 0 ? node_view(op->base.ends[0].parent) : NULL;
	bool early = view && view->copy_ack == COPY_ACK_EARLY;

	if (view && view->attrs_meta) {
		node_made_by(op->base.ends[0].parent, fuse_req_ctx(req)->uid, fuse_req_ctx(req)->gid,
			S_IFDIR | mode, &op->attrs);
		clock_gettime(CLOCK_REALTIME, &op->attrs.mtime);
		op->attrs.has |= ATTRS_MTIME;
	}
	hub_unlock(op->base.hub);
	if (early)
		op->batch = early_batch(op->base.hub, req);
	if (!early || op->batch) {
		name_op_go(&op->base, error);
		return;
	}
	op->ask.hub = op->base.hub;
	op->ask.on_done = mkdir_on_asked;
	op->ask.user = op;
	early_ask(&op->ask, op->base.parked.thread, op->base.parked.uid);
}
