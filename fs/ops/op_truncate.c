/*
 * truncate and ftruncate.  Through an open file only the draft changes, to be stored at close; truncate(2) of
 * a name is answered when S3 has acknowledged the result.  Of an object only the kept part is fetched.
 *
 * If the object has that size already, nothing is to be done.  Only S3 can say so: the attributes in this
 * mount may be as old as cache_ttl.  So truncate(2) asks first (but for 0: then an empty object is stored
 * over the one there), and ftruncate asks where the known attributes are not fresh.
 *
 * A file that gets shorter loses content for good.  If the calling process has read it by another name, it may be about to
 * write there what it reads here: EBUSY (fs/ops/alias_guard.h), as for an open with O_TRUNC.
 */
#include "engine/base/clock.h"
#include "fs/core/place.h"
#include "fs/ops/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/file/draft.h"
#include "fs/file/handle.h"
#include "fs/file/refresh.h"
#include "fs/ops/alias_guard.h"
#include "fs/request/parked.h"
#include "fs/request/reply.h"

struct truncate_op {
	struct parked parked;
	struct handle *handle; /* referenced; its own, where none was given */
	bool own;
	bool asked; /* by HEAD */
	bool guarded; /* the file may be made shorter, or is not to be */
	uint64_t size;
	struct refresh refresh;
	struct guard *guard; /* owned */
	struct draft_wait wait;
	struct draft_flush flush;
};

static void truncate_go(struct truncate_op *op);

static void truncate_op_free(struct parked *parked)
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
	free(op->guard);
	free(op);
}

static void truncate_succeed(struct truncate_op *op)
{
	if (parked_take(&op->parked))
		hub_reply_attr(op->parked.hub, op->parked.req, op->handle->node);
	parked_drop(&op->parked);
}

static void truncate_on_flushed(struct draft_flush *flush, int error)
{
	struct truncate_op *op = flush->user;

	if (error < 0)
		parked_fail(&op->parked, error);
	else
		truncate_succeed(op);
}

/* The draft is as wanted. */
static void truncate_done(struct truncate_op *op)
{
	if (!op->own) {
		truncate_succeed(op);
		return;
	}
	op->flush.done = truncate_on_flushed;
	op->flush.user = op;
	draft_flush(op->parked.hub, op->handle->node, &op->flush);
}

static void truncate_woken(struct draft_wait *wait, enum draft_activity ended, int error)
{
	struct truncate_op *op = (struct truncate_op *)((char *)wait - offsetof(struct truncate_op, wait));

	if (ended == DRAFT_LOADING && error < 0)
		parked_fail(&op->parked, error);
	else
		truncate_go(op);
}

/* ---- HEAD ---- */

static void truncate_on_refreshed(struct refresh *refresh, int error)
{
	struct truncate_op *op = refresh->user;
	struct hub *hub = refresh->hub;
	struct handle *handle = op->handle;

	if (error < 0) {
		parked_fail(&op->parked, error);
		return;
	}
	hub_lock(hub);
	if (op->own && !refresh->node->gone && !refresh->node->draft) {
		/* It was not opened to read one version: it is about the object that is there now. */
		handle->etag[0] = '\0';
		handle_version(handle);
	}
	hub_unlock(hub);
	truncate_go(op);
}

/* ---- a file that gets shorter ---- */

/* hub.lock held. */
static bool truncate_must_guard(struct truncate_op *op)
{
	const struct node *node = op->handle->node;

	if (op->guarded || op->size >= (node->draft ? draft_size(node->draft) : node->attr.size))
		return false;
	op->guarded = true;
	return !node->gone && node_place(node, &op->refresh.place) == 0 &&
	       guard_wanted_by(op->parked.hub, &op->refresh.place, op->parked.thread);
}

static void truncate_on_guarded(struct guard *guard, int error)
{
	struct truncate_op *op = guard->user;

	if (error < 0)
		parked_fail(&op->parked, error);
	else
		truncate_go(op);
}

static void truncate_guard(struct truncate_op *op)
{
	const struct guard guard = {.replaces = true,
		.place = &op->refresh.place,
		.what = "truncate",
		.on_done = truncate_on_guarded,
		.user = op};
	int error = guard_begin(&op->parked, &guard, &op->guard);

	if (error < 0)
		parked_fail(&op->parked, error);
}

/* ---- steps ---- */

enum truncate_step {
	STEP_WAIT, /* it will be run again */
	STEP_SAME, /* it has that size */
	STEP_DONE, /* the draft has */
	STEP_EDIT,
	STEP_HEAD,
	STEP_GUARD, /* is it a file that this process has read under another name? */
};

static void truncate_set_size(struct truncate_op *op, int fd)
{
	struct hub *hub = op->parked.hub;
	int error = ftruncate(fd, (off_t)op->size) < 0 ? -errno : 0;

	draft_edit_end(hub, op->handle->node,
		&(struct draft_change){.changed = error == 0, .cut = true, .size = op->size});
	if (error < 0)
		parked_fail(&op->parked, error);
	else
		truncate_done(op);
}

/* hub.lock held.  A step or -errno. */
static int make_empty(struct truncate_op *op, int *ret_close)
{
	struct node *node = op->handle->node;

	if (node->draft && !draft_quiet(node->draft)) {
		draft_await(node->draft, &op->wait);
		return STEP_WAIT;
	}
	int error = draft_make_empty(op->parked.hub, node, ret_close);

	return error < 0 ? error : STEP_DONE;
}

/* Does S3 have to be asked about the object?  hub.lock held; no draft. */
static bool must_ask(const struct truncate_op *op)
{
	const struct node *node = op->handle->node;

	if (op->asked || node->local || node->gone)
		return false;
	return op->own ? op->size > 0 : !node_attr_fresh(node, clock_ms());
}

/* hub.lock held.  A step or -errno. */
static int next(struct truncate_op *op, int *ret_close)
{
	struct node *node = op->handle->node;

	if (truncate_must_guard(op))
		return STEP_GUARD;
	if (!node->draft && must_ask(op)) {
		op->asked = true;
		op->refresh = (struct refresh){.hub = op->parked.hub,
			.node = node,
			.what = "truncate",
			.on_done = truncate_on_refreshed,
			.user = op};
		int error = refresh_prepare(&op->refresh);

		return error < 0 ? error : STEP_HEAD;
	}
	/* When truncate(2) empties a name, the empty object is stored. */
	if (!node->draft && node->attr.size == op->size && !handle_outdated(op->handle) &&
		(op->size > 0 || !op->own))
		return STEP_SAME;
	return op->size == 0 ? make_empty(op, ret_close) : STEP_EDIT;
}

static void truncate_edit(struct truncate_op *op)
{
	const struct draft_edit how = {
		.node = op->handle->node, .handle = op->handle, .keep = op->size, .wait = &op->wait};
	int fd, result = draft_edit_begin(op->parked.hub, &how, &fd);

	if (result == 1)
		truncate_set_size(op, fd);
	else if (result < 0)
		parked_fail(&op->parked, result);
}

static void truncate_go(struct truncate_op *op)
{
	struct hub *hub = op->parked.hub;
	int to_close = -1;

	if (parked_answered(&op->parked)) {
		parked_drop(&op->parked);
		return;
	}
	op->wait.run = truncate_woken;
	hub_lock(hub);
	int step = next(op, &to_close);

	hub_unlock(hub);
	if (to_close >= 0)
		close(to_close);
	if (step < 0) {
		parked_fail(&op->parked, step);
		return;
	}
	switch ((enum truncate_step)step) {
	case STEP_WAIT:
		break;
	case STEP_SAME:
		truncate_succeed(op);
		break;
	case STEP_DONE:
		truncate_done(op);
		break;
	case STEP_EDIT:
		truncate_edit(op);
		break;
	case STEP_HEAD:
		refresh_start(&op->refresh);
		break;
	case STEP_GUARD:
		truncate_guard(op);
		break;
	}
}

/* Takes the ref on node. */
static int truncate_make(
	struct hub *hub, struct node *node, struct fuse_file_info *fi, struct truncate_op **ret)
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
	int error = truncate_make(hub, node, fi, &op);

	if (error < 0) {
		hub_reply_err(req, error);
		return;
	}
	op->size = (uint64_t)size;
	parked_init(&op->parked, req, truncate_op_free);
	if (op->size > HANDLE_OBJECT_MAX)
		parked_fail(&op->parked, -EFBIG);
	else
		truncate_go(op);
}
