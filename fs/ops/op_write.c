/*
 * write, into the staging file.  A write that has to wait (the object is being fetched, or stored) takes its
 * bytes along.
 */
#include "fs/ops/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/file/draft.h"
#include "fs/file/handle.h"
#include "fs/request/parked.h"
#include "fs/host/staging_room.h"
#include "fs/request/reply.h"

struct write_op {
	struct parked parked;
	struct handle *handle; /* referenced */
	uint64_t off;
	bool append;
	size_t len;
	char *data;
	struct draft_wait wait;
};

static void write_op_free(struct parked *parked)
{
	struct write_op *op = (struct write_op *)parked;
	struct hub *hub = parked->hub;

	hub_lock(hub);
	hub->files->parked_bytes -= op->len;
	handle_unref(hub, op->handle);
	hub_unlock(hub);
	free(op->data);
	free(op);
}

/* Where an append goes: the kernel's size may be older than the opened version. */
static uint64_t append_at(struct hub *hub, const struct node *node)
{
	hub_lock(hub);
	uint64_t size = draft_size(node->draft);

	hub_unlock(hub);
	return size;
}

/* Between draft_edit_begin and the end of the edit: the bytes written or -errno. */
static ssize_t write_now(struct hub *hub, struct node *node, int fd, struct fuse_bufvec *in, uint64_t off)
{
	size_t len = fuse_buf_size(in);
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(len);
	ssize_t wrote = -EFBIG;

	if (len <= HANDLE_OBJECT_MAX && off <= HANDLE_OBJECT_MAX - len)
		wrote = staging_room(fd, off, len);
	if (wrote == 0) {
		out.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK | FUSE_BUF_FD_RETRY;
		out.buf[0].fd = fd;
		out.buf[0].pos = (off_t)off;
		wrote = fuse_buf_copy(&out, in, 0);
	}
	if (wrote == 0 && len > 0)
		wrote = -EIO;
	draft_edit_end(hub, node,
		&(struct draft_change){.changed = wrote > 0, .size = wrote > 0 ? off + (uint64_t)wrote : 0});
	return wrote;
}

static void write_reply(fuse_req_t req, ssize_t wrote)
{
	if (wrote < 0)
		hub_reply_err(req, (int)wrote);
	else
		fuse_reply_write(req, (size_t)wrote);
}

static void write_go(struct write_op *op);

static void write_woken(struct draft_wait *wait, enum draft_activity ended, int error)
{
	struct write_op *op = (struct write_op *)((char *)wait - offsetof(struct write_op, wait));

	/* A draft that could not be stored is still there to be written to. */
	if (ended == DRAFT_LOADING && error < 0)
		parked_fail(&op->parked, error);
	else
		write_go(op);
}

static void write_go(struct write_op *op)
{
	struct hub *hub = op->parked.hub;
	struct node *node = op->handle->node;
	const struct draft_edit edit = {
		.node = node, .handle = op->handle, .keep = UINT64_MAX, .wait = &op->wait};
	struct fuse_bufvec in = FUSE_BUFVEC_INIT(op->len);
	int fd, result;

	if (parked_answered(&op->parked)) {
		parked_drop(&op->parked);
		return;
	}
	op->wait.run = write_woken;
	result = draft_edit_begin(hub, &edit, &fd);
	if (result == 0)
		return;
	if (result < 0) {
		parked_fail(&op->parked, result);
		return;
	}
	/* Taken before it takes effect: a process that was told EINTR has written nothing. */
	if (!parked_take(&op->parked)) {
		draft_edit_end(hub, node, &(struct draft_change){.changed = false});
		parked_drop(&op->parked);
		return;
	}
	in.buf[0].mem = op->data;
	write_reply(
		op->parked.req, write_now(hub, node, fd, &in, op->append ? append_at(hub, node) : op->off));
	parked_drop(&op->parked);
}

/* Copies the bytes, within the bound. */
static int write_park(struct hub *hub, struct handle *handle, struct fuse_bufvec *in, struct write_op **ret)
{
	size_t len = fuse_buf_size(in);
	struct write_op *op = calloc(1, sizeof(*op));
	char *data = malloc(len ? len : 1);
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(len);
	int error = op && data ? 0 : -ENOMEM;

	if (error == 0) {
		out.buf[0].mem = data;
		ssize_t got = fuse_buf_copy(&out, in, 0);

		error = got < 0 ? (int)got : (size_t)got < len ? -EIO : 0;
	}
	if (error == 0) {
		hub_lock(hub);
		if (hub->files->parked_bytes + len > HANDLE_PARKED_MAX) {
			error = -ENOMEM;
		} else {
			hub->files->parked_bytes += len;
			op->handle = handle_ref(handle);
		}
		hub_unlock(hub);
	}
	if (error < 0) {
		free(data);
		free(op);
		return error;
	}
	op->data = data;
	op->len = len;
	*ret = op;
	return 0;
}

void op_write_buf(
	fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in, off_t off, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct handle *handle = handle_of(fi);
	const struct draft_edit edit = {.node = handle->node, .handle = handle, .keep = UINT64_MAX};
	/* Pages of a mapping know their place; only write(2) appends. */
	bool append = (handle->flags & O_APPEND) && !fi->writepage;
	struct write_op *op = NULL;
	int fd, result = draft_edit_begin(hub, &edit, &fd);

	if (result == 1) {
		uint64_t at = append ? append_at(hub, handle->node) : (uint64_t)off;

		write_reply(req, write_now(hub, handle->node, fd, in, at));
		return;
	}
	if (result == 0)
		result = write_park(hub, handle, in, &op);
	if (!op) {
		hub_reply_err(req, result);
		return;
	}
	op->off = (uint64_t)off;
	op->append = append;
	parked_init(&op->parked, req, write_op_free);
	write_go(op);
}
