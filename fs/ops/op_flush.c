/* The end of an open file: flush, fsync, release; and the operations that need no request: fallocate,
 * lseek. */
#include "fs/ops/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/file/draft.h"
#include "fs/ops/flush_early.h"
#include "fs/file/handle.h"
#include "fs/request/parked.h"
#include "fs/host/staging_room.h"
#include "fs/request/reply.h"

/* ---- flush, fsync ---- */

struct flush_op {
	struct parked parked;
	struct draft_flush flush;
};

static void flush_op_free(struct parked *parked)
{
	free(parked);
}

static void flush_on_flushed(struct draft_flush *flush, int error)
{
	struct flush_op *op = flush->user;

	parked_fail(&op->parked, error); /* 0 is an answer too */
}

/* mine: only content that this handle may have written; fsync is about the file, whichever handle wrote. */
static void flush(fuse_req_t req, const struct fuse_file_info *fi, bool mine)
{
	struct hub *hub = hub_of(req);
	const struct handle *handle = handle_of(fi);
	struct node *node = handle->node;

	hub_lock(hub);
	bool dirty = node->draft && draft_dirty(node->draft);
	int error = dirty && handle->writes ? draft_take_untold(node->draft) : 0;

	hub_unlock(hub);
	if (!dirty || (mine && !handle->writes) || error < 0) {
		hub_reply_err(req, error);
		return;
	}
	struct flush_op *op = calloc(1, sizeof(*op));

	if (!op) {
		hub_reply_err(req, -ENOMEM);
		return;
	}
	op->flush.done = flush_on_flushed;
	op->flush.user = op;
	op->flush.tells = handle->writes;
	parked_init(&op->parked, req, flush_op_free);
	draft_flush(hub, node, &op->flush);
}

void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (!handle_of(fi)->writes || !flush_early(req, handle_of(fi)))
		flush(req, fi, true);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	flush(req, fi, false);
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct handle *handle = handle_of(fi);
	struct node *node = handle->node;

	hub_lock(hub);
	node_ref(node);
	handle_close(hub, handle);
	hub_unlock(hub);
	draft_settle(hub, node);
	hub_lock(hub);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
	fuse_reply_err(req, 0);
}

/* ---- fallocate ---- */

struct allocate_op {
	struct parked parked;
	struct handle *handle; /* referenced */
	uint64_t off, len;
	struct draft_wait wait;
};

static void allocate_op_free(struct parked *parked)
{
	struct allocate_op *op = (struct allocate_op *)parked;

	hub_lock(parked->hub);
	handle_unref(parked->hub, op->handle);
	hub_unlock(parked->hub);
	free(op);
}

static void allocate(struct allocate_op *op);

static void allocate_woken(struct draft_wait *wait, enum draft_activity ended, int error)
{
	struct allocate_op *op = (struct allocate_op *)((char *)wait - offsetof(struct allocate_op, wait));

	if (ended == DRAFT_LOADING && error < 0)
		parked_fail(&op->parked, error);
	else
		allocate(op);
}

static void allocate(struct allocate_op *op)
{
	struct hub *hub = op->parked.hub;
	struct node *node = op->handle->node;
	const struct draft_edit edit = {
		.node = node, .handle = op->handle, .keep = UINT64_MAX, .wait = &op->wait};
	int fd;

	if (parked_answered(&op->parked)) {
		parked_drop(&op->parked);
		return;
	}
	op->wait.run = allocate_woken;
	int result = draft_edit_begin(hub, &edit, &fd);

	if (result == 0)
		return;
	if (result == 1) {
		/* Allocates real room: ENOSPC belongs here rather than to a later write. */
		result = staging_room(fd, op->off, op->len);
		if (result == 0 && fallocate(fd, 0, (off_t)op->off, (off_t)op->len) < 0)
			result = -errno;
		draft_edit_end(
			hub, node, &(struct draft_change){.changed = result == 0, .size = op->off + op->len});
	}
	parked_fail(&op->parked, result);
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);

	if (mode != 0) {
		hub_reply_err(req, -EOPNOTSUPP);
		return;
	}
	if ((uint64_t)len > HANDLE_OBJECT_MAX || (uint64_t)off > HANDLE_OBJECT_MAX - (uint64_t)len) {
		hub_reply_err(req, -EFBIG);
		return;
	}
	struct allocate_op *op = calloc(1, sizeof(*op));

	if (!op) {
		hub_reply_err(req, -ENOMEM);
		return;
	}
	hub_lock(hub);
	op->handle = handle_ref(handle_of(fi));
	hub_unlock(hub);
	op->off = (uint64_t)off;
	op->len = (uint64_t)len;
	parked_init(&op->parked, req, allocate_op_free);
	allocate(op);
}

/* ---- lseek: an object has no holes but the one at its end ---- */

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct handle *handle = handle_of(fi);

	hub_lock(hub);
	if (!handle->node->draft)
		handle_version(handle);
	uint64_t size = handle->node->draft ? draft_size(handle->node->draft) : handle->size;

	hub_unlock(hub);
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		fuse_reply_err(req, EINVAL);
	else if (off < 0 || (uint64_t)off >= size)
		fuse_reply_err(req, ENXIO);
	else
		fuse_reply_lseek(req, whence == SEEK_DATA ? off : (off_t)size);
}
