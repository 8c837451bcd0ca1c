#include "fs/ops/remove.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/core/place.h"
#include "fs/file/draft.h"

int remove_errno(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
	case -EINVAL:
	case -EILSEQ:
		return -EIO;
	default:
		return error;
	}
}

static void remove_on_settled(struct batch_wait *wait, int error)
{
	struct remove_op *op = wait->user;

	/* mv does not remove a source that could not be copied.  The failed removal of another file is no
	 * reason to leave this one: rm and mv only have to hear of that failure. */
	if (error == 0 || (wait->lacking && batch_caller(op->batch)->tool != CALLER_RM)) {
		name_op_go(&op->base, remove_errno(error));
		return;
	}
	if (op->later)
		batch_put_error(op->batch, wait, error);
	else
		op->base.untold = remove_errno(error);
	name_op_go(&op->base, 0);
}

void remove_op_begin(struct remove_op *op, struct batch *batch, int error)
{
	op->batch = batch;
	op->wait.on_done = remove_on_settled;
	op->wait.user = op;
	if (batch && error == 0)
		batch_wait(batch, &op->wait);
	else
		name_op_go(&op->base, error);
}

void remove_op_release(struct name_op *base)
{
	struct remove_op *op = (struct remove_op *)base;

	left_below_release(&op->left);
	draft_keep_end(base->hub, &op->keep);
	free(op->unchanged);
	free(op->guard);
	if (op->batch && base->error < 0)
		batch_refused(op->batch);
	batch_unref(op->batch);
	if (!op->node)
		return;
	hub_lock(base->hub);
	node_unref(base->hub->nodes, op->node);
	hub_unlock(base->hub);
}

int remove_op_plan(struct remove_op *op, struct node *node)
{
	struct node *parent = op->base.ends[0].parent;

	op->node = node_ref(node);
	op->plan = marker_plan(parent, node);
	if (op->plan == MARKER_NOT)
		return 0;
	op->marker.hub = op->base.hub;
	op->marker.worker = op->base.worker;
	op->marker.directory = parent;
	op->marker.user = op;
	return node_place(parent, &op->marker.place);
}

/* S3 acknowledged: the name is free. */
static void forget(struct remove_op *op)
{
	struct hub *hub = op->base.hub;
	struct node *node = op->node;

	hub_lock(hub);
	if (!node->gone && node->parent == op->base.ends[0].parent) {
		dir_removed(node->parent, str_n(node->name, node->name_len));
		if (node->draft)
			draft_disown(hub, node);
		nodes_detach(hub->nodes, node);
		dir_doubt(hub, node);
	}
	hub_unlock(hub);
}

/* The object is gone even if its directory's marker failed: that failure is in the log, and the caller hears
 * the truth about the object. */
static void remove_on_kept(struct marker *marker, int error, const struct s3_answer *answer)
{
	struct remove_op *op = marker->user;

	if (error < 0)
		name_op_log(&op->base, &op->base.ends[0], error, answer,
			"removed; the directory it was in may be gone with it, as its marker could not be "
			"written");
	name_op_finish(&op->base, 0);
}

static void deleted(struct remove_op *op)
{
	if (!op->base.as_dir)
		taken_forget(op->base.hub->taken, &op->base.ends[0].place);
	forget(op);
	if (op->plan == MARKER_AFTER) {
		op->marker.on_done = remove_on_kept;
		marker_ensure(&op->marker);
		return;
	}
	name_op_finish(&op->base, 0);
}

static void remove_on_deleted(struct call *call, const struct s3_answer *answer)
{
	struct remove_op *op = call->user;

	/* Some servers answer so for an object that was not there. */
	if (call->error < 0 && !s3_answer_says_gone(answer)) {
		name_op_log(&op->base, &op->base.ends[0], call->error, answer, NULL);
		name_op_finish(&op->base, remove_errno(call->error));
		return;
	}
	deleted(op);
}

static void remove_on_unchanged(struct unchanged *unchanged, const struct s3_answer *answer)
{
	struct remove_op *op = unchanged->user;
	struct hub *hub = op->base.hub;

	if (unchanged->error == 0) {
		deleted(op);
		return;
	}
	if (unchanged->error == -EBUSY) {
		taken_drop(hub->taken, op->base.parked.thread, &op->base.ends[0].place);
		hub_lock(hub);
		op->node->attr.fetched_ms = 0;
		hub_unlock(hub);
	}
	name_op_log(&op->base, &op->base.ends[0], unchanged->error,
		unchanged->error == -EBUSY ? NULL : answer,
		unchanged->error == -EBUSY ? UNCHANGED_CONSEQUENCE : NULL);
	name_op_finish(&op->base, remove_errno(unchanged->error));
}

/* Has the process taken a version of the file that it removes?  Then only that version is removed.
 * -ENOMEM. */
static int remove_prepare_unchanged(struct remove_op *op)
{
	const struct place *place = &op->base.ends[0].place;
	struct hub *hub = op->base.hub;
	struct unchanged *unchanged;

	if (op->base.as_dir)
		return 0;
	unchanged = calloc(1, sizeof(*unchanged));
	if (!unchanged)
		return -ENOMEM;
	hub_lock(hub);
	bool taken = unchanged_prepare(unchanged, hub->taken, op->base.parked.thread, op->node, place);

	hub_unlock(hub);
	if (!taken) {
		free(unchanged);
		return 0;
	}
	unchanged->bucket = place_bucket(place);
	unchanged->key = place_key(place);
	unchanged->on_done = remove_on_unchanged;
	unchanged->user = op;
	op->unchanged = unchanged;
	return 0;
}

static void delete (struct remove_op *op)
{
	const struct place *place = &op->base.ends[0].place;
	int error = remove_prepare_unchanged(op);

	if (error < 0) {
		name_op_finish(&op->base, error);
		return;
	}
	if (op->unchanged) {
		unchanged_post(op->base.worker, op->unchanged);
		return;
	}
	call_init(&op->call);
	op->call.request.op = S3_DELETE_OBJECT;
	op->call.request.bucket = place_bucket(place);
	op->call.request.key = place_key(place);
	op->call.account = place->account;
	op->call.on_done = remove_on_deleted;
	op->call.user = op;
	call_post(op->base.worker, &op->call);
}

static void remove_on_marked(struct marker *marker, int error, const struct s3_answer *answer)
{
	struct remove_op *op = marker->user;

	if (error < 0) {
		name_op_log(&op->base, &op->base.ends[0], error, answer,
			"not removed: the marker of the directory it is the last of could not be written");
		name_op_finish(&op->base, remove_errno(error));
		return;
	}
	delete (op);
}

static void remove_go(struct remove_op *op)
{
	if (op->plan == MARKER_FIRST) {
		op->marker.on_done = remove_on_marked;
		marker_write(&op->marker);
		return;
	}
	delete (op);
}

static void remove_on_guarded(struct guard *guard, int error)
{
	struct remove_op *op = guard->user;

	if (error < 0)
		name_op_finish(&op->base, error);
	else
		remove_go(op);
}

void remove_op_go(struct remove_op *op)
{
	struct hub *hub = op->base.hub;

	hub_lock(hub);
	bool guarded = !op->base.as_dir && guard_wanted(hub, &op->base.ends[0].place);

	hub_unlock(hub);
	if (!guarded) {
		remove_go(op);
		return;
	}
	const struct guard guard = {.place = &op->base.ends[0].place,
		.what = op->base.what,
		.on_done = remove_on_guarded,
		.user = op};
	int error = guard_begin(&op->base.parked, &guard, &op->guard);

	if (error < 0)
		name_op_finish(&op->base, error);
}
