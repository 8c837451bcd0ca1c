#include "fs/ops/name_op.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "fs/core/notify.h"
#include "fs/core/place.h"
#include "fs/request/last_reply.h"
#include "fs/request/reply.h"

static const struct key_hold_kind name_op_kind;

static void name_op_free_op(struct parked *parked)
{
	free(parked);
}

void *name_op_new(fuse_req_t req, size_t size, const char *what, void (*ready)(struct name_op *op))
{
	struct hub *hub = hub_of(req);
	struct name_op *op = calloc(1, size);

	if (!op) {
		hub_reply_err(req, -ENOMEM);
		return NULL;
	}
	op->hub = hub;
	op->hold = (struct key_hold){.kind = &name_op_kind, .hub = hub};
	parked_init(&op->parked, req, name_op_free_op);
	op->worker = engine_pick(hub->engine);
	op->what = what;
	op->ready = ready;
	return op;
}

int name_op_end(struct name_op *op, fuse_ino_t parent_ino, const char *name)
{
	struct node *parent = nodes_find(op->hub->nodes, parent_ino);
	struct name_end *end = &op->ends[op->count];
	struct str text = str_of(name);

	if (!parent)
		return -ENOENT;
	if (!key_name_ok(text))
		return text.len > KEY_NAME_MAX ? -ENAMETOOLONG : -EINVAL;
	end->parent = node_ref(parent);
	op->count++;
	memcpy(end->name, text.data, text.len + 1);
	end->len = text.len;
	const struct view *view = node_view(parent);

	if (view && view->ro)
		return -EROFS;
	/* Buckets are not made, removed or renamed here. */
	if (parent->kind == NODE_HUB || parent->kind == NODE_SERVICE)
		return -EPERM;
	return parent->gone ? -ENOENT : 0;
}

struct node *name_end_child(const struct name_op *op, const struct name_end *end)
{
	return nodes_child(op->hub->nodes, end->parent, name_end_name(end));
}

/* Where the names are now.  hub.lock held. */
static int name_op_places(struct name_op *op, bool *ret_changed)
{
	bool changed = false;

	for (unsigned i = 0; i < op->count; i++) {
		struct name_end *end = &op->ends[i];
		struct place place;

		if (end->parent->gone)
			return -ENOENT;
		int error = node_child_place(end->parent, name_end_name(end), op->as_dir, &place);

		if (error < 0)
			return error;
		changed |= !place_same_key(&place, &end->place);
		end->place = place;
	}
	/* Two names of one object (fs/core/odd_name.h): to move it onto itself would be to remove it. */
	if (op->count == 2 && place_same_key(&op->ends[0].place, &op->ends[1].place) &&
		!str_eq(name_end_name(&op->ends[0]), name_end_name(&op->ends[1])))
		return -EBUSY;
	*ret_changed = changed;
	return 0;
}

static struct name_op *name_op_of(struct key_hold *hold)
{
	return (struct name_op *)((char *)hold - offsetof(struct name_op, hold));
}

static int name_op_locate(struct key_hold *hold, bool *ret_changed)
{
	struct name_op *op = name_op_of(hold);
	int error = name_op_places(op, ret_changed);

	/* A killed caller's operation is not begun. */
	return error == 0 && parked_answered(&op->parked) ? -EINTR : error;
}

static int name_op_add(struct key_hold *hold, struct claim *claim)
{
	const struct name_op *op = name_op_of(hold);
	int error = 0;

	for (unsigned i = 0; i < op->count && error == 0; i++) {
		const struct place *place = &op->ends[i].place;

		error = claim_add(
			claim, place->account, place_bucket(place), place_key(place), op->as_dir, true);
	}
	return error;
}

static void name_op_held(struct key_hold *hold, int error)
{
	struct name_op *op = name_op_of(hold);

	if (error < 0)
		name_op_finish(op, error);
	else
		op->ready(op);
}

static const struct key_hold_kind name_op_kind = {
	.locate = name_op_locate, .add = name_op_add, .ready = name_op_held};

void name_op_go(struct name_op *op, int error)
{
	int result = error;

	if (error == 0) {
		hub_lock(op->hub);
		result = key_hold_take(&op->hold);
		hub_unlock(op->hub);
	}
	if (result != 0)
		name_op_held(&op->hold, result < 0 ? result : 0);
}

/* Everything but the answer.  The next operation that waits for the claim looks itself at the names as they
 * are now: no error is handed on. */
static void ops_name_op_end(struct name_op *op)
{
	struct hub *hub = op->hub;

	if (op->release)
		op->release(op);
	key_hold_release(&op->hold, 0);
	hub_lock(hub);
	for (unsigned i = 0; i < op->count; i++)
		node_unref(hub->nodes, op->ends[i].parent);
	hub_unlock(hub);
}

/* The kernel did not get the answer, so it did not learn the result for the names.  hub.lock held, before
 * `end`. */
static void tell_kernel(struct name_op *op)
{
	for (unsigned i = 0; i < op->count; i++)
		notify_entry(op->hub, op->ends[i].parent->ino, name_end_name(&op->ends[i]));
}

/* May the answer be given?  Ends the rest. */
static bool name_op_answer(struct name_op *op)
{
	bool wanted = parked_take(&op->parked);

	if (!wanted) {
		hub_lock(op->hub);
		tell_kernel(op);
		hub_unlock(op->hub);
	}
	ops_name_op_end(op);
	return wanted;
}

void name_op_finish(struct name_op *op, int error)
{
	if (error == 0 && op->untold < 0) {
		error = op->untold;
		/* After an error the kernel believes that nothing was done. */
		hub_lock(op->hub);
		tell_kernel(op);
		hub_unlock(op->hub);
	}
	op->error = error;
	if (name_op_answer(op))
		hub_reply_err(op->parked.req, error);
	parked_drop(&op->parked);
}

void name_op_finish_last(struct name_op *op, int error)
{
	op->error = error;
	if (parked_answered(&op->parked)) {
		hub_lock(op->hub);
		tell_kernel(op);
		hub_unlock(op->hub);
	}
	/* The claim first: the operations that the answer waits for may stand behind it. */
	ops_name_op_end(op);
	last_call_fail_parked(&op->parked, error);
}

void name_op_finish_entry(struct name_op *op, struct node *node)
{
	struct hub *hub = op->hub;

	if (name_op_answer(op)) {
		hub_reply_entry(hub, op->parked.req, node);
	} else {
		hub_lock(hub);
		node_unref(hub->nodes, node);
		hub_unlock(hub);
	}
	parked_drop(&op->parked);
}

void name_op_log(const struct name_op *op, const struct name_end *name, int error,
	const struct s3_answer *answer, const char *consequence)
{
	log_call(LOG_LEVEL_ERROR, &(struct log_call){
					  .what = op->what,
					  .bucket = place_bucket(&name->place),
					  .key = place_key(&name->place),
					  .error = error,
					  .answer = answer,
					  .consequence = consequence,
				  });
}
