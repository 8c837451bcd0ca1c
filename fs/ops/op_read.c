/*
 * read: from the draft's staging file where there is a draft, else from chunks of the version that was
 * opened.
 *
 * A read that can't be answered at once is parked, and is in one of these lines:
 *   handle->reads         for chunks that are on their way
 *   chunks.starved        for room for its chunks
 *   the draft's waits     for the draft to be loaded
 *   its own flush         for the copy that the draft is to be made
 * The thread that takes it out of its line, under the lock, runs it (read_wait_run, draft_wait's run) after.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "fs/file/draft.h"
#include "fs/file/handle.h"
#include "fs/file/read_wait.h"
#include "fs/ops/ops.h"
#include "fs/request/parked.h"
#include "fs/request/reply.h"

struct read_op {
	struct parked parked;
	struct read_wait read;
	uint64_t until;
	bool planned; /* until is set */
	struct draft_wait wait;
	struct draft_flush flush;
};

static void op_read_run(struct read_op *op);

static struct read_op *read_op_of(const struct read_wait *read)
{
	return (struct read_op *)((char *)(uintptr_t)read - offsetof(struct read_op, read));
}

static bool read_op_wanted(const struct read_wait *read)
{
	return !parked_answered(&read_op_of(read)->parked);
}

static void read_op_run(struct read_wait *read)
{
	op_read_run(read_op_of(read));
}

static void read_op_free(struct parked *parked)
{
	struct read_op *op = (struct read_op *)parked;
	struct hub *hub = parked->hub;

	hub_lock(hub);
	chunks_put(hub, op->read.pieces, op->read.piece_count);
	handle_unref(hub, op->read.handle);
	struct read_wait *starved = read_wait_take_starved(hub);

	hub_unlock(hub);
	free(op->read.pieces);
	free(op);
	read_wait_run(starved);
}

/* ---- answers ---- */

static void answer_pieces(struct read_op *op)
{
	struct iovec *iov = calloc(op->read.piece_count, sizeof(*iov));

	if (!iov) {
		parked_fail(&op->parked, -ENOMEM);
		return;
	}
	for (unsigned i = 0; i < op->read.piece_count; i++)
		iov[i] = (struct iovec){.iov_base = (char *)(uintptr_t)op->read.pieces[i].data,
			.iov_len = op->read.pieces[i].len};
	if (parked_take(&op->parked))
		fuse_reply_iov(op->parked.req, iov, (int)op->read.piece_count);
	free(iov);
	parked_drop(&op->parked);
}

/* From the staging file, with a draft_read_begin before; -1: nothing. */
static void answer_file(fuse_req_t req, int fd, uint64_t from, uint64_t len)
{
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(len);

	if (fd < 0 || len == 0) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	buf.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK | FUSE_BUF_FD_RETRY;
	buf.buf[0].fd = fd;
	buf.buf[0].pos = (off_t)from;
	fuse_reply_data(req, &buf, 0);
}

/* ---- drafts ---- */

/* Can the read be answered at once?  hub.lock held. */
static bool file_begin(struct draft *draft, uint64_t from, uint64_t *len, int *ret_fd)
{
	if (!draft || draft_read_step(draft) != DRAFT_GO)
		return false;
	uint64_t size = draft_size(draft), left = from < size ? size - from : 0;

	if (*len > left)
		*len = left;
	*ret_fd = draft_read_begin(draft);
	return true;
}

static void file_end(struct hub *hub, struct node *node, int fd)
{
	if (fd >= 0)
		draft_edit_end(hub, node, &(struct draft_change){.changed = false});
}

static void on_draft_free(struct draft_wait *wait, enum draft_activity ended, int error)
{
	struct read_op *op = (struct read_op *)((char *)wait - offsetof(struct read_op, wait));

	if (ended == DRAFT_LOADING)
		op->read.error = error;
	op_read_run(op);
}

static void read_on_flushed(struct draft_flush *flush, int error)
{
	struct read_op *op = flush->user;

	op->read.error = error;
	op_read_run(op);
}

/* This node's draft is a copy, which has to be made, or loaded, first. */
static void read_draft(struct read_op *op)
{
	struct hub *hub = op->parked.hub;
	struct node *node = op->read.handle->node;
	uint64_t len = op->read.len;
	int fd = -1;

	hub_lock(hub);
	bool now = file_begin(node->draft, op->read.from, &len, &fd);
	bool store = !now && node->draft && draft_read_step(node->draft) == DRAFT_STORE;

	hub_unlock(hub);
	if (now) {
		if (parked_take(&op->parked))
			answer_file(op->parked.req, fd, op->read.from, len);
		file_end(hub, node, fd);
		parked_drop(&op->parked);
		return;
	}
	if (store) {
		op->flush.done = read_on_flushed;
		op->flush.user = op;
		draft_flush(hub, node, &op->flush);
		return;
	}
	op->wait.run = on_draft_free;
	const struct draft_edit edit = {
		.node = node, .handle = op->read.handle, .keep = UINT64_MAX, .wait = &op->wait};
	int result = draft_edit_begin(hub, &edit, &fd);

	if (result == 1) {
		file_end(hub, node, fd);
		op_read_run(op);
	} else if (result < 0) {
		parked_fail(&op->parked, result);
	}
}

/* ---- objects ---- */

/* 1: *op is complete or failed; 0: it is in a line.  hub.lock held. */
static int read_object(struct hub *hub, struct read_op *op)
{
	struct handle *handle = op->read.handle;

	handle_version(handle);
	if (op->read.from >= handle->size) {
		op->read.len = 0;
		return 1;
	}
	if (op->read.len > handle->size - op->read.from)
		op->read.len = handle->size - op->read.from;
	if (!op->planned) {
		op->until = readahead_until(&handle->ahead, op->read.from, op->read.len, handle->size);
		op->planned = true;
	}
	if (op->until < op->read.from + op->read.len || op->until > handle->size)
		op->until = op->read.from + op->read.len;
	int result = readahead_cover(hub, handle, op->read.from, op->read.len, op->until);

	if (result == 1) {
		op->read.error = read_wait_collect(&op->read);
	} else if (result == 0) {
		read_wait_park(&op->read);
		return 0;
	} else if (result == -EAGAIN) {
		read_wait_starve(hub, &op->read);
		return 0;
	} else {
		op->read.error = result;
	}
	return 1;
}

static void op_read_run(struct read_op *op)
{
	struct hub *hub = op->parked.hub;

	if (op->read.error < 0) {
		parked_fail(&op->parked, op->read.error);
		return;
	}
	if (parked_answered(&op->parked)) {
		parked_drop(&op->parked);
		return;
	}
	if (op->read.piece_count > 0) {
		answer_pieces(op);
		return;
	}
	hub_lock(hub);
	bool has_draft = op->read.handle->node->draft;
	int done = has_draft ? 0 : read_object(hub, op);

	hub_unlock(hub);
	if (has_draft) {
		read_draft(op);
	} else if (done && op->read.len == 0) {
		if (parked_take(&op->parked))
			fuse_reply_buf(op->parked.req, NULL, 0);
		parked_drop(&op->parked);
	} else if (done) {
		op_read_run(op);
	}
}

/* The staging file, without parking.  False: nothing was answered. */
static bool read_at_once(struct hub *hub, fuse_req_t req, struct handle *handle, uint64_t from, uint64_t len)
{
	int fd = -1;

	hub_lock(hub);
	bool now = file_begin(handle->node->draft, from, &len, &fd);

	hub_unlock(hub);
	if (!now)
		return false;
	answer_file(req, fd, from, len);
	file_end(hub, handle->node, fd);
	return true;
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct handle *handle = handle_of(fi);

	if (read_at_once(hub, req, handle, (uint64_t)off, size))
		return;
	struct read_op *op = calloc(1, sizeof(*op));

	if (!op) {
		hub_reply_err(req, -ENOMEM);
		return;
	}
	hub_lock(hub);
	op->read.handle = handle_ref(handle);
	hub_unlock(hub);
	op->read.from = (uint64_t)off;
	op->read.len = size;
	op->read.wanted = read_op_wanted;
	op->read.run = read_op_run;
	parked_init(&op->parked, req, read_op_free);
	op_read_run(op);
}
