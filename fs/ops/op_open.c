/*
 * open.  Known and fresh attributes are enough; else one HEAD.  Open, not read, waits for the pending
 * operations on the key: a shared claim stands behind every change this mount has begun, and a copy that was
 * marked but not made is made now.
 *
 * A source that a cp or mv with a batch opens with no other ahead of it may be the last call it makes here:
 * where its copy goes is not known (fs/early/walk.h).  So it waits for all operations promised to the
 * process, and is EIO if one of them failed.
 */
#include "engine/base/clock.h"
#include "fs/core/place.h"
#include "fs/ops/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/dir/dir.h"
#include "fs/file/draft.h"
#include "fs/early/early.h"
#include "fs/file/handle.h"
#include "fs/ops/alias_guard.h"
#include "fs/request/last_reply.h"
#include "fs/file/refresh.h"
#include "fs/request/parked.h"
#include "fs/file/taken.h"
#include "fs/request/reply.h"

struct open_op {
	struct parked parked;
	struct node *node; /* referenced */
	struct fuse_file_info fi;
	bool waited; /* for the key */
	bool asked; /* by HEAD */
	bool guarded; /* the file may be emptied, or is not to be */
	int error;
	struct claim claim;
	struct refresh refresh;
	struct guard *guard; /* owned */
	struct draft_wait wait;
	struct draft_flush flush;
	struct batch *batch; /* referenced; while its promises are waited for */
	struct batch_wait rest;
};

/* The next step, outside of the lock. */
enum open_step {
	OPEN_READY, /* the handle is in fi */
	OPEN_LATER, /* it will be run again */
	OPEN_CLAIM, /* the claim was granted at once: give it back, and go on */
	OPEN_FLUSH,
	OPEN_HEAD,
	OPEN_GUARD, /* is it a file that this process has read under another name? */
};

static void open_go(struct open_op *op);

static void open_op_free(struct parked *parked)
{
	struct open_op *op = (struct open_op *)parked;
	struct hub *hub = parked->hub;

	hub_lock(hub);
	node_unref(hub->nodes, op->node);
	hub_unlock(hub);
	batch_unref(op->batch);
	free(op->guard);
	free(op);
}

/* ---- a file that is emptied ---- */

static void open_on_guarded(struct guard *guard, int error)
{
	struct open_op *op = guard->user;

	op->error = error;
	open_go(op);
}

static void guard_open(struct open_op *op)
{
	const struct guard guard = {.replaces = true,
		.place = &op->refresh.place,
		.what = "open to empty",
		.on_done = open_on_guarded,
		.user = op};
	int error = guard_begin(&op->parked, &guard, &op->guard);

	if (error < 0) {
		op->error = error;
		open_go(op);
	}
}

/* hub.lock held. */
static bool must_guard(struct open_op *op)
{
	if (op->guarded || !(op->fi.flags & O_TRUNC))
		return false;
	op->guarded = true;
	return node_place(op->node, &op->refresh.place) == 0 &&
	       guard_wanted_by(op->parked.hub, &op->refresh.place, op->parked.thread);
}

/* ---- HEAD ---- */

static void open_on_refreshed(struct refresh *refresh, int error)
{
	struct open_op *op = refresh->user;

	/* An emptied file keeps its mode and owner, where those can be had; a file that is gone is made
	 * anew. */
	if (op->fi.flags & O_TRUNC)
		error = error == -ENOENT ? -ESTALE : 0;
	op->error = error;
	open_go(op);
}

/* ---- waiting ---- */

static void open_on_granted(struct claim *claim)
{
	struct open_op *op = claim->user;

	claim_release(op->parked.hub->claims, claim, 0);
	open_go(op);
}

static void on_quiet(struct draft_wait *wait, enum draft_activity ended, int error)
{
	open_go((struct open_op *)((char *)wait - offsetof(struct open_op, wait)));
}

static void open_on_flushed(struct draft_flush *flush, int error)
{
	struct open_op *op = flush->user;

	op->error = error;
	open_go(op);
}

/* ---- steps; hub.lock held ---- */

static int open_ready(struct open_op *op, int *ret_close)
{
	struct hub *hub = op->parked.hub;
	struct handle *handle;
	int error = handle_open(hub, op->node, op->fi.flags, &handle);

	if (error < 0)
		return error;
	if (op->fi.flags & O_TRUNC)
		error = draft_make_empty(hub, op->node, ret_close);
	if (error < 0) {
		handle_close(hub, handle);
		return error;
	}
	handle->thread = op->parked.thread;
	/* The version that the process may copy from here, and unlink afterwards. */
	if (!handle->writes && handle->etag[0] && node_place(op->node, &op->refresh.place) == 0)
		taken_note(hub->taken, handle->thread, &op->refresh.place, handle->etag);
	op->fi.fh = (uint64_t)(uintptr_t)handle;
	op->fi.noflush = !handle->writes;
	op->fi.keep_cache = !(op->fi.flags & O_TRUNC) && handle_keeps_cache(hub, op->node);
	op->fi.direct_io = 0;
	return OPEN_READY;
}

static int with_draft(struct open_op *op, int *ret_close)
{
	struct node *node = op->node;
	bool empty = op->fi.flags & O_TRUNC;

	if (empty && !draft_quiet(node->draft)) {
		op->wait.run = on_quiet;
		draft_await(node->draft, &op->wait);
		return OPEN_LATER;
	}
	if (empty)
		return open_ready(op, ret_close);
	/* A copy: marked and not made, or being made. */
	enum draft_step step = draft_read_step(node->draft);

	return step == DRAFT_GO || step == DRAFT_LOAD || !draft_dirty(node->draft) ? open_ready(op, ret_close)
										   : OPEN_FLUSH;
}

static int without_draft(struct open_op *op, int *ret_close)
{
	struct hub *hub = op->parked.hub;
	struct node *node = op->node;
	struct place *place = &op->refresh.place;
	int error = node_place(node, place);

	if (error == 0 && !op->waited) {
		op->waited = true;
		error = claim_add(
			&op->claim, place->account, place_bucket(place), place_key(place), false, false);
		op->claim.granted = open_on_granted;
		op->claim.user = op;
		if (error == 0)
			error = claim_take(hub->claims, &op->claim);
		if (error >= 0)
			return error == 1 ? OPEN_CLAIM : OPEN_LATER;
	}
	if (error < 0)
		return error;
	/* For a file that is to be emptied only its mode and owner need to be known. */
	uint64_t now = clock_ms();

	if (op->asked || (op->fi.flags & O_TRUNC ? node_attrs_known(node, now) : node_attr_fresh(node, now)))
		return open_ready(op, ret_close);
	op->asked = true;
	op->refresh = (struct refresh){
		.hub = hub, .node = node, .what = "open", .on_done = open_on_refreshed, .user = op};
	error = refresh_prepare(&op->refresh);
	return error < 0 ? error : OPEN_HEAD;
}

static int op_open_step(struct open_op *op, int *ret_close)
{
	const struct view *view = node_view(op->node);

	/* The kernel looks the name up anew and tries once more. */
	if (op->node->gone)
		return -ESTALE;
	if (node_is_dir(op->node))
		return -EISDIR;
	if (view && view->ro && handle_flags_write(op->fi.flags))
		return -EROFS;
	if (must_guard(op))
		return OPEN_GUARD;
	return op->node->draft ? with_draft(op, ret_close) : without_draft(op, ret_close);
}

static void open_reply(struct open_op *op)
{
	struct hub *hub = op->parked.hub;
	bool sent = parked_take(&op->parked) && fuse_reply_open(op->parked.req, &op->fi) == 0;

	if (!sent) {
		/* The kernel will not release it. */
		hub_lock(hub);
		handle_close(hub, handle_of(&op->fi));
		hub_unlock(hub);
		draft_settle(hub, op->node);
	}
	parked_drop(&op->parked);
}

static void open_go(struct open_op *op)
{
	struct hub *hub = op->parked.hub;

	for (;;) {
		int to_close = -1;

		hub_lock(hub);
		/* A killed caller opens, and truncates, nothing. */
		int result = op->error < 0		    ? op->error
			     : parked_answered(&op->parked) ? -EINTR
							    : op_open_step(op, &to_close);

		hub_unlock(hub);
		if (to_close >= 0)
			close(to_close);
		if (result < 0) {
			last_call_fail_parked(&op->parked, result);
			return;
		}
		switch ((enum open_step)result) {
		case OPEN_READY:
			open_reply(op);
			return;
		case OPEN_LATER:
			return;
		case OPEN_CLAIM:
			claim_release(hub->claims, &op->claim, 0);
			break;
		case OPEN_FLUSH:
			op->flush.done = open_on_flushed;
			op->flush.user = op;
			draft_flush(hub, op->node, &op->flush);
			return;
		case OPEN_HEAD:
			refresh_start(&op->refresh);
			return;
		case OPEN_GUARD:
			guard_open(op);
			return;
		}
	}
}

/* The directory that the source was opened in. */
static uint64_t open_parent(const struct open_op *op)
{
	struct hub *hub = op->parked.hub;

	hub_lock(hub);
	uint64_t parent = op->node->parent ? op->node->parent->ino : 0;

	hub_unlock(hub);
	return parent;
}

/* All promised operations have ended.  A second look at the evidence: it may have been away only while the
 * caller's mounts were read once more (batch_mounts.h), and a mount(2) of another process is enough for that.
 * With the evidence a later call tells of the error, and cp does not leave this source uncopied because of
 * another file. */
static void on_rest(struct batch_wait *wait, int error)
{
	struct open_op *op = wait->user;

	if (error < 0 && batch_passes(op->batch, open_parent(op), op->node->ino)) {
		batch_put_error(op->batch, wait, error);
		error = 0;
	}
	/* Not the error of another file: cp would report it for this one. */
	if (error < 0)
		op->error = -EIO;
	open_go(op);
}

/* A process with a batch has come to this source.  True: no later call tells an error, so the rest is waited
 * for. */
static bool open_turn_to(fuse_req_t req, struct open_op *op)
{
	struct hub *hub = hub_of(req);
	struct batch *batch = handle_flags_write(op->fi.flags) ? NULL : early_batch(hub, req);

	if (!batch)
		return false;
	hub_lock(hub);
	uint64_t parent = op->node->parent ? op->node->parent->ino : 0;

	hub_unlock(hub);
	batch_entry(batch, parent, op->node->ino);
	if (batch_caller(batch)->tool != CALLER_RM && !batch_passes(batch, parent, op->node->ino)) {
		op->batch = batch;
		return true;
	}
	batch_unref(batch);
	return false;
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct open_op *op = calloc(1, sizeof(*op));

	if (!op) {
		hub_reply_err(req, -ENOMEM);
		return;
	}
	hub_lock(hub);
	op->node = nodes_find(hub->nodes, ino);
	if (op->node)
		node_ref(op->node);
	hub_unlock(hub);
	if (!op->node) {
		free(op);
		hub_reply_err(req, -ESTALE);
		return;
	}
	op->fi = *fi;
	bool last = open_turn_to(req, op);

	parked_init(&op->parked, req, open_op_free);
	if (last) {
		op->rest = (struct batch_wait){.on_done = on_rest, .user = op};
		batch_wait(op->batch, &op->rest);
	} else {
		open_go(op);
	}
}
