/*
 * copy_file_range.  A whole object onto an empty file is one server-side copy, posted as soon as the range
 * has come to the source's end; everything else is answered EOPNOTSUPP (never ENOSYS, which turns it off for
 * the whole connection), and the kernel reads and writes.
 *
 * A program that checks close's result (cp, mv, install) is answered when the copy is posted, and hears of a
 * refusal at flush: at a refusal here cp would read and write instead.  Other programs may ignore close's
 * result, so they wait here, and a refusal is EIO.
 */
#include "fs/ops/ops.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "fs/file/draft.h"
#include "fs/early/early.h"
#include "fs/file/handle.h"
#include "fs/request/parked.h"
#include "fs/request/reply.h"

/* The reply has 32 bits, and the kernel wants whole pages (more than asked is EIO). */
#define COPY_LEN_MAX ((uint64_t)0xfffff000)

struct copy_op {
	struct parked parked;
	struct handle *from, *to; /* referenced */
	uint64_t off_from, off_to, len;
	uint64_t copied;
	struct draft_wait wait;
	struct draft_flush flush;
	struct resolve resolve;
	struct batch *batch; /* referenced: of the process that asks; NULL: it has none */
};

static void copy_go(struct copy_op *op);

static void copy_op_free(struct parked *parked)
{
	struct copy_op *op = (struct copy_op *)parked;
	struct hub *hub = parked->hub;

	hub_lock(hub);
	handle_unref(hub, op->from);
	handle_unref(hub, op->to);
	hub_unlock(hub);
	batch_unref(op->batch);
	free(op);
}

static void copy_succeed(struct copy_op *op)
{
	if (parked_take(&op->parked))
		fuse_reply_write(op->parked.req, op->copied);
}

static void copy_on_stored(struct draft_flush *flush, int error)
{
	struct copy_op *op = flush->user;
	struct hub *hub = op->parked.hub;
	struct node *node = op->to->node;

	if (error == 0) {
		copy_succeed(op);
	} else if (parked_take(&op->parked)) {
		/* The error is told here. (Otherwise the request was answered already: the next flush
		 * tells.) */
		hub_lock(hub);
		if (node->draft)
			draft_take_untold(node->draft);
		hub_unlock(hub);
		hub_reply_err(op->parked.req, -EIO);
	}
	parked_drop(&op->parked);
}

static void copy_on_resolved(struct resolve *resolve)
{
	struct copy_op *op = resolve->user;

	if (resolve->pidfd >= 0)
		close(resolve->pidfd);
	if (caller_checks_close(&resolve->caller))
		copy_succeed(op);
	parked_drop(&op->parked);
}

/* Where attributes are kept, those that cp -p sets come next, and go with the copy: the flush after them
 * posts the copy. */
static void post_now(struct copy_op *op)
{
	op->flush.done = copy_on_stored;
	op->flush.user = op;
	op->flush.answered = true;
	draft_flush(op->parked.hub, op->to->node, &op->flush);
}

static void on_resolved_first(struct resolve *resolve)
{
	struct copy_op *op = resolve->user;

	if (resolve->pidfd >= 0)
		close(resolve->pidfd);
	if (!caller_checks_close(&resolve->caller)) {
		post_now(op);
		return;
	}
	copy_succeed(op);
	parked_drop(&op->parked);
}

static void leave_to_flush(struct copy_op *op)
{
	if (op->batch) {
		copy_succeed(op);
		parked_drop(&op->parked);
		return;
	}
	op->resolve = (struct resolve){.pid = op->parked.thread,
		.uid = op->parked.uid,
		.question = CALLER_WHO,
		.on_done = on_resolved_first,
		.user = op};
	if (resolver_ask(op->parked.hub->early->resolver, &op->resolve) < 0)
		post_now(op);
}

/* The copy is whole: posts it. */
static void copy_post(struct copy_op *op)
{
	struct hub *hub = op->parked.hub;

	hub_lock(hub);
	bool later = node_keeps_attrs(op->to->node);

	hub_unlock(hub);
	if (later) {
		leave_to_flush(op);
		return;
	}
	parked_hold(&op->parked);
	op->flush.done = copy_on_stored;
	op->flush.user = op;
	op->flush.answered = true;
	if (op->batch) {
		/* A cp or mv, and its flush comes next: the resolver need not be asked. */
		draft_flush(hub, op->to->node, &op->flush);
		copy_succeed(op);
		parked_drop(&op->parked);
		return;
	}
	op->resolve = (struct resolve){.pid = op->parked.thread,
		.uid = op->parked.uid,
		.question = CALLER_WHO,
		.on_done = copy_on_resolved,
		.user = op};
	/* The resolver is asked first: once the request is answered, cp may be gone. */
	if (resolver_ask(hub->early->resolver, &op->resolve) < 0)
		parked_drop(&op->parked);
	draft_flush(hub, op->to->node, &op->flush);
}

static void copy_woken(struct draft_wait *wait, enum draft_activity ended, int error)
{
	copy_go((struct copy_op *)((char *)wait - offsetof(struct copy_op, wait)));
}

/* Can the service copy from one to the other?  hub.lock held. */
static int copy_check(const struct copy_op *op)
{
	const struct node *from = op->from->node;
	const struct view *source = node_view(from), *view = node_view(op->to->node);

	if (!source || !view || !account_same_service(source->account, view->account))
		return -EXDEV;
	/* S3 can't copy content that it does not have. */
	if ((from->draft && draft_dirty(from->draft)) || from->gone)
		return -EOPNOTSUPP;
	return 0;
}

/* Returns the bytes promised; -EAGAIN: the operation waits.  hub.lock held. */
static int64_t copy_mark(struct copy_op *op, bool *ret_whole)
{
	struct hub *hub = op->parked.hub;
	struct node *from = op->from->node;
	int64_t copied = copy_check(op);

	if (copied < 0)
		return copied;
	if (!from->draft)
		handle_version(op->from);
	const char *class = from->attr.storage_class;
	const struct draft_range range = {
		.source = from,
		.thread = op->parked.thread,
		.etag = str_of(op->from->etag),
		.storage_class = class ? str_of(class) : STR_NONE,
		.source_size = op->from->size,
		.from = op->off_from,
		.to = op->off_to,
		.len = op->len,
	};

	copied = draft_copy(hub, op->to->node, &range, ret_whole);
	if (copied == -EAGAIN)
		draft_await(op->to->node->draft, &op->wait);
	return copied;
}

static void copy_go(struct copy_op *op)
{
	struct hub *hub = op->parked.hub;
	bool whole = false;

	if (parked_answered(&op->parked)) {
		parked_drop(&op->parked);
		return;
	}
	op->wait.run = copy_woken;
	hub_lock(hub);
	int64_t copied = copy_mark(op, &whole);

	if (whole) {
		const struct node *source = op->from->node;

		if (op->batch)
			draft_set_bulk(op->to->node->draft);
		op->to->source = source->ino;
		op->to->source_parent = source->parent ? source->parent->ino : 0;
	}
	hub_unlock(hub);
	if (copied == -EAGAIN)
		return;
	if (copied < 0) {
		if (copied == -EXDEV && log_once("copy between services", STR(""), STR("")))
			log_text(LOG_LEVEL_WARNING,
				"copies between different services pass through this machine");
		parked_fail(&op->parked, (int)copied);
		return;
	}
	op->copied = (uint64_t)copied;
	if (whole) {
		copy_post(op);
		return;
	}
	copy_succeed(op);
	parked_drop(&op->parked);
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t off_from, struct fuse_file_info *fi_from,
	fuse_ino_t to, off_t off_to, struct fuse_file_info *fi_to, size_t len, int flags)
{
	struct hub *hub = hub_of(req);

	if (flags != 0) {
		hub_reply_err(req, -EINVAL);
		return;
	}
	/* Nothing to promise: a range behind the source's end has no bytes either, as on any file system. */
	if (len == 0) {
		fuse_reply_write(req, 0);
		return;
	}
	struct copy_op *op = calloc(1, sizeof(*op));

	if (!op) {
		hub_reply_err(req, -ENOMEM);
		return;
	}
	hub_lock(hub);
	op->from = handle_ref(handle_of(fi_from));
	op->to = handle_ref(handle_of(fi_to));
	hub_unlock(hub);
	op->off_from = (uint64_t)off_from;
	op->off_to = (uint64_t)off_to;
	op->len = len < COPY_LEN_MAX ? len : COPY_LEN_MAX;
	op->batch = early_batch(hub, req);
	parked_init(&op->parked, req, copy_op_free);
	copy_go(op);
}
