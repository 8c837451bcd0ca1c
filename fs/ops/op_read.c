/*
 * read: from the draft's staging file where there is a draft, else from chunks of the version that was
 * opened.
 *
 * A read that can't be answered at once is parked, and is in one of these lines:
 *   handle->reads         for chunks that are on their way
 *   chunks.starved        for room for its chunks
 *   the draft's waits     for the draft to be loaded
 *   its own flush         for the copy that the draft is to be made
 * The thread that takes it out of its line, under the lock, runs it (read_run) after.
 */
#include "fs/ops/op_read.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "fs/file/draft.h"
#include "fs/file/handle.h"
#include "fs/ops/ops.h"
#include "fs/request/parked.h"

struct read_op {
	struct parked parked;
	struct handle *handle; /* referenced */
	struct read_op *next;
	uint64_t from, len, until;
	bool planned; /* until is set */
	int error;
	struct chunk_piece *pieces; /* the parts of the answer */
	unsigned piece_count;
	struct draft_wait wait;
	struct draft_flush flush;
};

static void op_read_run(struct read_op *op);

static void read_op_free(struct parked *parked)
{
	struct read_op *op = (struct read_op *)parked;
	struct hub *hub = parked->hub;

	hub_lock(hub);
	chunks_put(hub, op->pieces, op->piece_count);
	handle_unref(hub, op->handle);
	struct read_op *starved = read_take_starved(hub);

	hub_unlock(hub);
	free(op->pieces);
	free(op);
	read_run(starved);
}

/* ---- lines ---- */

static bool read_overlaps(const struct read_op *op, uint64_t start, uint64_t len)
{
	return op->from < start + len && start < op->from + op->len;
}

bool read_wants(const struct handle *handle, uint64_t start, uint64_t len)
{
	for (const struct read_op *op = handle->reads; op; op = op->next) {
		if (read_overlaps(op, start, len) && !parked_answered(&op->parked))
			return true;
	}
	return false;
}

/* Takes refs on the parts of the answer: from now on nothing can take them away. */
static int collect(struct read_op *op)
{
	op->pieces = chunks_pieces(op->handle, op->from, op->len, &op->piece_count);
	return op->pieces ? 0 : -ENOMEM;
}

struct read_op *read_chunk_done(struct handle *handle, uint64_t start, uint64_t len, int outcome)
{
	struct read_op *woken = NULL, **last = &woken;

	for (struct read_op **at = &handle->reads, *op; (op = *at);) {
		bool here = read_overlaps(op, start, len);
		bool ready = here && outcome == 0 && chunks_ready(handle, op->from, op->len);

		if (!here || (outcome == 0 && !ready)) {
			at = &op->next;
			continue;
		}
		if (ready)
			op->error = collect(op);
		else if (outcome < 0)
			op->error = outcome;
		*at = op->next;
		op->next = NULL;
		*last = op;
		last = &op->next;
	}
	return woken;
}

struct read_op *read_take_starved(struct hub *hub)
{
	struct chunks *pool = &hub->files->chunks;
	struct read_op *first = pool->starved;

	if (!first || pool->bytes >= CHUNKS_MAX)
		return NULL;
	pool->starved = NULL;
	pool->starved_last = NULL;
	return first;
}

static void starve(struct hub *hub, struct read_op *op)
{
	struct chunks *pool = &hub->files->chunks;

	op->next = NULL;
	*(pool->starved ? pool->starved_last : &pool->starved) = op;
	pool->starved_last = &op->next;
}

/* The end of one read may be room for the next, and so on: in a row, not one inside the other. */
static _Thread_local struct read_op *queue, **queue_last;
static _Thread_local bool queue_runs;

void read_run(struct read_op *first)
{
	if (!first)
		return;
	*(queue ? queue_last : &queue) = first;
	while (first->next)
		first = first->next;
	queue_last = &first->next;
	if (queue_runs)
		return;
	queue_runs = true;
	while (queue) {
		struct read_op *op = queue;

		queue = op->next;
		op->next = NULL;
		op_read_run(op);
	}
	queue_runs = false;
}

/* ---- answers ---- */

static void answer_pieces(struct read_op *op)
{
	struct iovec *iov = calloc(op->piece_count, sizeof(*iov));

	if (!iov) {
		parked_fail(&op->parked, -ENOMEM);
		return;
	}
	for (unsigned i = 0; i < op->piece_count; i++)
		iov[i] = (struct iovec){
			.iov_base = (char *)(uintptr_t)op->pieces[i].data, .iov_len = op->pieces[i].len};
	if (parked_take(&op->parked))
		fuse_reply_iov(op->parked.req, iov, (int)op->piece_count);
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
		op->error = error;
	op_read_run(op);
}

static void read_on_flushed(struct draft_flush *flush, int error)
{
	struct read_op *op = flush->user;

	op->error = error;
	op_read_run(op);
}

/* This node's draft is a copy, which has to be made, or loaded, first. */
static void read_draft(struct read_op *op)
{
	struct hub *hub = op->parked.hub;
	struct node *node = op->handle->node;
	uint64_t len = op->len;
	int fd = -1;

	hub_lock(hub);
	bool now = file_begin(node->draft, op->from, &len, &fd);
	bool store = !now && node->draft && draft_read_step(node->draft) == DRAFT_STORE;

	hub_unlock(hub);
	if (now) {
		if (parked_take(&op->parked))
			answer_file(op->parked.req, fd, op->from, len);
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
		.node = node, .handle = op->handle, .keep = UINT64_MAX, .wait = &op->wait};
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
	struct handle *handle = op->handle;

	handle_version(handle);
	if (op->from >= handle->size) {
		op->len = 0;
		return 1;
	}
	if (op->len > handle->size - op->from)
		op->len = handle->size - op->from;
	if (!op->planned) {
		op->until = readahead_until(&handle->ahead, op->from, op->len, handle->size);
		op->planned = true;
	}
	if (op->until < op->from + op->len || op->until > handle->size)
		op->until = op->from + op->len;
	int result = chunks_cover(hub, handle, op->from, op->len, op->until);

	if (result == 1) {
		op->error = collect(op);
	} else if (result == 0) {
		op->next = handle->reads;
		handle->reads = op;
		return 0;
	} else if (result == -EAGAIN) {
		starve(hub, op);
		return 0;
	} else {
		op->error = result;
	}
	return 1;
}

static void op_read_run(struct read_op *op)
{
	struct hub *hub = op->parked.hub;

	if (op->error < 0) {
		parked_fail(&op->parked, op->error);
		return;
	}
	if (parked_answered(&op->parked)) {
		parked_drop(&op->parked);
		return;
	}
	if (op->piece_count > 0) {
		answer_pieces(op);
		return;
	}
	hub_lock(hub);
	bool has_draft = op->handle->node->draft;
	int done = has_draft ? 0 : read_object(hub, op);

	hub_unlock(hub);
	if (has_draft) {
		read_draft(op);
	} else if (done && op->len == 0) {
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
	op->handle = handle_ref(handle);
	hub_unlock(hub);
	op->from = (uint64_t)off;
	op->len = size;
	parked_init(&op->parked, req, read_op_free);
	op_read_run(op);
}
