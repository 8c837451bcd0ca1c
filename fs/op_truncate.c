/*
 * truncate and ftruncate.  Through an open file only the draft changes, to be stored at close; truncate(2) of
 * a name is answered when S3 has acknowledged the result.  Of an object only what is kept is fetched.
 */
#include "fs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/draft.h"
#include "fs/handle.h"
#include "fs/parked.h"

struct truncate_op {
	struct parked parked;
	struct handle *handle; /* referenced; its own, where none was given */
	bool own;
	uint64_t size;
	struct draft_wait wait;
	struct draft_flush flush;
};

static void go(struct truncate_op *op);

static void op_free(struct parked *parked)
{
	struct truncate_op *op = (struct truncate_op *)parked;
	struct hub *hub = parked->hub;
	struct node *node = op->handle->node;

	hub_lock(hub);
	node_ref(node);
	if (op->own)
		handle_close(hub, op->handle);
	else
		handle_unref(hub, op->handle);
	hub_unlock(hub);
	draft_settle(hub, node);
	hub_lock(hub);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
	free(op);
}

static void succeed(struct truncate_op *op)
{
	if (parked_take(&op->parked))
		hub_reply_attr(op->parked.hub, op->parked.req, op->handle->node);
	parked_drop(&op->parked);
}

static void on_flushed(struct draft_flush *flush, int error)
{
	struct truncate_op *op = flush->user;

	if (error < 0)
		parked_fail(&op->parked, error);
	else
		succeed(op);
}

/* The draft is as wanted. */
static void done(struct truncate_op *op)
{
	if (!op->own) {
		succeed(op);
		return;
	}
	op->flush.done = on_flushed;
	op->flush.user = op;
	draft_flush(op->parked.hub, op->handle->node, &op->flush);
}

static void woken(struct draft_wait *wait, enum draft_activity ended, int error)
{
	struct truncate_op *op = (struct truncate_op *)((char *)wait - offsetof(struct truncate_op, wait));

	if (ended == DRAFT_LOADING && error < 0)
		parked_fail(&op->parked, error);
	else
		go(op);
}

/* 1: nothing is left to be done; 0: it waits; hub.lock held. */
static int make_empty(struct truncate_op *op, int *ret_close)
{
	struct node *node = op->handle->node;

	if (node->draft && !draft_quiet(node->draft)) {
		draft_await(node->draft, &op->wait);
		return 0;
	}
	int error = draft_make_empty(op->parked.hub, node, ret_close);

	return error < 0 ? error : 1;
}

static void set_size(struct truncate_op *op, int fd)
{
	struct hub *hub = op->parked.hub;
	int error = ftruncate(fd, (off_t)op->size) < 0 ? -errno : 0;

	draft_edit_end(hub, op->handle->node,
		&(struct draft_change){.changed = error == 0, .cut = true, .size = op->size});
	if (error < 0)
		parked_fail(&op->parked, error);
	else
		done(op);
}

static void go(struct truncate_op *op)
{
	struct hub *hub = op->parked.hub;
	struct node *node = op->handle->node;
	int fd = -1, result;

	if (parked_answered(&op->parked)) {
		parked_drop(&op->parked);
		return;
	}
	op->wait.run = woken;
	hub_lock(hub);
	bool same = !node->draft && node->attr.size == op->size;

	result = same ? 1 : op->size == 0 ? make_empty(op, &fd) : -EAGAIN;
	hub_unlock(hub);
	if (result == 1) {
		if (fd >= 0)
			close(fd);
		if (same)
			succeed(op);
		else
			done(op);
		return;
	}
	if (result == -EAGAIN) {
		const struct draft_edit edit = {
			.node = node, .handle = op->handle, .keep = op->size, .wait = &op->wait};

		result = draft_edit_begin(hub, &edit, &fd);
	}
	if (result == 1)
		set_size(op, fd);
	else if (result < 0)
		parked_fail(&op->parked, result);
}

/* Takes the ref on node. */
static int make(struct hub *hub, struct node *node, struct fuse_file_info *fi, struct truncate_op **ret)
{
	struct truncate_op *op = calloc(1, sizeof(*op));
	int error = op ? 0 : -ENOMEM;

	hub_lock(hub);
	if (error == 0 && fi)
		op->handle = handle_ref(handle_of(fi));
	else if (error == 0)
		error = handle_open(hub, node, O_WRONLY, &op->handle);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
	if (error < 0) {
		free(op);
		return error;
	}
	op->own = !fi;
	*ret = op;
	return 0;
}

void op_truncate(fuse_req_t req, struct node *node, off_t size, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct truncate_op *op = NULL;
	int error = make(hub, node, fi, &op);

	if (error < 0) {
		hub_reply_err(req, error);
		return;
	}
	op->size = (uint64_t)size;
	parked_init(&op->parked, req, op_free);
	if (op->size > HANDLE_OBJECT_MAX)
		parked_fail(&op->parked, -EFBIG);
	else
		go(op);
}
