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

static void rmdir_on_listed(struct left_below *left, const struct s3_answer *answer)
{
	struct remove_op *op = left->user;
	struct str key;
	bool empty = true;

	if (left->error < 0) {
		name_op_log(&op->base, &op->base.ends[0], left->error, answer, NULL);
		name_op_finish(&op->base, remove_errno(left->error));
		return;
	}
	for (unsigned at = 0; left_below_next(left, &at, &key); empty = false)
		log_reason(op, key);
	hub_lock(op->base.hub);
	dir_set_marker(op->node, left->marked);
	hub_unlock(op->base.hub);
	if (empty)
		remove_op_go(op);
	else
		name_op_finish(&op->base, -ENOTEMPTY);
}

static void rmdir_look(struct remove_op *op)
{
	const struct place *place = &op->base.ends[0].place;

	op->left = (struct left_below){.account = place->account,
		.bucket = place_bucket(place),
		.prefix = place_key(place),
		.on_done = rmdir_on_listed,
		.user = op};
	int error = left_below_post(&op->left, op->base.worker);

	if (error < 0)
		name_op_finish(&op->base, error);
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
	int error = 0;

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
	else
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
