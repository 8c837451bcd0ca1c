/*
 * rmdir: looks whether anything but the marker is below (keys that can't be shown as files count, and are
 * logged as the reason), then removes the marker alone: an object that another client adds meanwhile is never
 * touched.
 */
#include "fs/core/place.h"
#include "fs/ops/ops.h"

#include <errno.h>

#include "fs/ops/remove_early.h"
#include "fs/ops/remove.h"

/* Enough to find the reason among a few. */
enum { LOOK_KEYS = 100 };

static void log_reason(const struct remove_op *op, struct str key)
{
	const struct place *place = &op->base.ends[0].place;

	if (key_path_ok(str_skip(key, place->key_len)) || !log_once("rmdir", place_bucket(place), key))
		return;
	log_call(LOG_LEVEL_WARNING,
		&(struct log_call){
			.what = "rmdir",
			.bucket = place_bucket(place),
			.key = key,
			.error = -ENOTEMPTY,
			.consequence = "a key that cannot be shown as a file keeps its directory",
		});
}

static void rmdir_on_listed(struct call *call, const struct s3_answer *answer)
{
	struct remove_op *op = call->user;
	struct str marker = place_key(&op->base.ends[0].place);
	bool left = false, marked = false;

	if (call->error < 0) {
		name_op_log(&op->base, &op->base.ends[0], call->error, answer, NULL);
		name_op_finish(&op->base, remove_errno(call->error));
		return;
	}
	for (unsigned i = 0; i < op->page->count; i++) {
		struct str key = op->page->entries[i].key;

		if (str_eq(key, marker)) {
			marked = true;
			continue;
		}
		left = true;
		log_reason(op, key);
	}
	hub_lock(op->base.hub);
	dir_set_marker(op->node, marked);
	hub_unlock(op->base.hub);
	if (left)
		name_op_finish(&op->base, -ENOTEMPTY);
	else
		remove_op_go(op);
}

static void rmdir_look(struct remove_op *op)
{
	const struct place *place = &op->base.ends[0].place;

	call_init(&op->call);
	op->call.request.op = S3_LIST_OBJECTS;
	op->call.request.bucket = place_bucket(place);
	op->call.request.prefix = place_key(place);
	op->call.request.max_keys = LOOK_KEYS;
	op->call.account = place->account;
	op->call.sinks.page = op->page;
	op->call.on_done = rmdir_on_listed;
	op->call.user = op;
	call_post(op->base.worker, &op->call);
}

/* Files made here that S3 does not have yet: no listing shows them. */
static bool has_local(const struct node *directory)
{
	for (const struct node *child = directory->children; child; child = child->child_next) {
		if (child->local || child->draft)
			return true;
	}
	return false;
}

static void rmdir_ready(struct name_op *base)
{
	struct remove_op *op = (struct remove_op *)base;
	int error = page_new(&op->page);

	hub_lock(base->hub);
	struct node *node = name_end_child(base, &base->ends[0]);

	if (!node)
		error = -ENOENT;
	else if (node->kind != NODE_DIR)
		error = node_is_dir(node) ? -EPERM : -ENOTDIR;
	else if (base->hold.claim.prior_error < 0)
		error = remove_errno(base->hold.claim.prior_error);
	else if (has_local(node))
		error = -ENOTEMPTY;
	else if (error == 0)
		error = remove_op_plan(op, node);
	hub_unlock(base->hub);
	if (error < 0)
		name_op_finish(base, error);
	else
		rmdir_look(op);
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct batch *batch;

	if (remove_early(req, parent, name, true, &batch))
		return;
	struct remove_op *op = name_op_new(req, sizeof(*op), "rmdir", rmdir_ready);

	if (!op) {
		batch_unref(batch);
		return;
	}
	op->base.as_dir = true;
	op->base.release = remove_op_release;
	hub_lock(op->base.hub);
	int error = name_op_end(&op->base, parent, name);

	hub_unlock(op->base.hub);
	remove_op_begin(op, batch, error);
}
