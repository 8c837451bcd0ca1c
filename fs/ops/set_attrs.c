#include "fs/ops/set_attrs.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/object/recopy.h"
#include "fs/core/key_hold.h"
#include "fs/core/notify.h"
#include "fs/core/place.h"
#include "fs/file/draft.h"
#include "fs/dir/marker.h"
#include "fs/request/parked.h"
#include "fs/request/reply.h"

enum { TRIES_MAX = 4 };

struct set_attrs {
	struct parked parked;
	struct node *node; /* referenced */
	struct attrs change;
	struct claim claim;
	unsigned retakes;
	struct place *place; /* owned: the claimed place */
	struct draft_wait wait;
	/* while it is sent */
	struct task task;
	struct worker *worker;
	struct copy_settings settings;
	struct attrs attrs; /* the object's attributes afterwards */
	unsigned tries;
	union {
		struct recopy recopy;
		struct marker marker;
	};
};

void set_attrs_wanted(struct attrs *ret, const struct stat *attr, int to_set, const struct timespec *now)
{
	*ret = (struct attrs){.mode = attr->st_mode & ALLPERMS,
		.uid = attr->st_uid,
		.gid = attr->st_gid,
		.mtime = to_set & FUSE_SET_ATTR_MTIME_NOW ? *now : attr->st_mtim,
		.atime = to_set & FUSE_SET_ATTR_ATIME_NOW ? *now : attr->st_atim,
		.ctime = *now};
	ret->has = (to_set & FUSE_SET_ATTR_MODE ? ATTRS_MODE : 0) |
		   (to_set & FUSE_SET_ATTR_UID ? ATTRS_UID : 0) |
		   (to_set & FUSE_SET_ATTR_GID ? ATTRS_GID : 0) |
		   (to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW) ? ATTRS_MTIME : 0) |
		   (to_set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW) ? ATTRS_ATIME : 0);
	if (ret->has)
		ret->has |= ATTRS_CTIME;
}

static void set_attrs_go(struct set_attrs *op);
static void set_attrs_send(struct set_attrs *op);

/* ---- the end ---- */

static void set_attrs_op_free(struct parked *parked)
{
	struct set_attrs *op = (struct set_attrs *)parked;
	struct hub *hub = parked->hub;

	hub_lock(hub);
	node_unref(hub->nodes, op->node);
	hub_unlock(hub);
	free(op->place);
	free(op);
}

static void set_attrs_finish(struct set_attrs *op, int error)
{
	struct hub *hub = op->parked.hub;

	if (parked_take(&op->parked)) {
		if (error < 0)
			hub_reply_err(op->parked.req, error);
		else
			hub_reply_attr(hub, op->parked.req, op->node);
	}
	claim_release(hub->claims, &op->claim, 0);
	parked_drop(&op->parked);
}

static void ops_set_attrs_fail(struct set_attrs *op, int error, const struct s3_answer *answer_of)
{
	log_call(LOG_LEVEL_ERROR, &(struct log_call){
					  .what = "set attributes",
					  .bucket = place_bucket(op->place),
					  .key = place_key(op->place),
					  .error = error,
					  .answer = answer_of,
					  .consequence = "mode, owner and times are what they were",
				  });
	set_attrs_finish(op, error);
}

/* ---- waiting ---- */

static void set_attrs_woken(struct draft_wait *wait, enum draft_activity ended, int error)
{
	set_attrs_go((struct set_attrs *)((char *)wait - offsetof(struct set_attrs, wait)));
}

static void set_attrs_on_granted(struct claim *claim)
{
	set_attrs_go(claim->user);
}

/* hub.lock held.  claim_take's answers; place_keep's -ENOMEM, node_place's. */
static int set_attrs_take(struct set_attrs *op, const struct place *place)
{
	bool changed;
	int error = place_keep(&op->place, place, &changed);

	if (error == 0)
		error = claim_add(&op->claim, op->place->account, place_bucket(op->place),
			place_key(op->place), false, true);
	if (error < 0)
		return error;
	op->claim.granted = set_attrs_on_granted;
	op->claim.user = op;
	return claim_take(op->parked.hub->claims, &op->claim);
}

/* ---- steps; hub.lock held ---- */

enum set_attrs_step {
	STEP_DONE,
	STEP_LATER, /* it will be run again */
	STEP_AGAIN, /* the claim is in the way, or of another name: given back, and the steps begin again */
	STEP_SEND,
};

/* Changes the shown attributes of a file that has no name any more. */
static int set_gone(struct set_attrs *op)
{
	struct attrs attrs = {0};

	if (op->node->draft)
		return draft_set_attrs(op->node->draft, &op->change);
	if (op->node->attr.attrs)
		attrs = *op->node->attr.attrs;
	attrs_merge(&attrs, &op->change);
	return node_set_attrs(op->node, &attrs);
}

static int set_attrs_step(struct set_attrs *op)
{
	struct node *node = op->node;
	struct draft *draft = node->draft;
	struct place place;

	if (draft && draft_busy(draft)) {
		/* A store that has begun may wait for this very claim. */
		if (op->claim.count > 0)
			return STEP_AGAIN;
		draft_await(draft, &op->wait);
		return STEP_LATER;
	}
	if (draft && draft_dirty(draft)) {
		int error = draft_set_attrs(draft, &op->change);

		return error < 0 ? error : STEP_DONE;
	}
	if (node->gone) {
		int error = set_gone(op);

		return error < 0 ? error : STEP_DONE;
	}
	int error = node_place(node, &place);

	if (error < 0)
		return error;
	if (op->claim.count == 0) {
		error = set_attrs_take(op, &place);
		if (error <= 0)
			return error < 0 ? error : STEP_LATER;
	}
	if (!place_same_key(&place, op->place))
		return STEP_AGAIN;
	if (!node->local && node_attr_fresh(node, clock_ms()) && node_attrs_known(node, clock_ms()) &&
		node->attr.attrs && attrs_cover(node->attr.attrs, &op->change))
		return STEP_DONE;
	return STEP_SEND;
}

static void set_attrs_go(struct set_attrs *op)
{
	struct hub *hub = op->parked.hub;
	int result;

	for (;;) {
		op->wait.run = set_attrs_woken;
		hub_lock(hub);
		/* A killed caller changes nothing. */
		result = parked_answered(&op->parked) ? -EINTR : set_attrs_step(op);
		hub_unlock(hub);
		if (result == STEP_AGAIN && op->retakes++ >= KEY_HOLD_RETAKES_MAX)
			result = -EBUSY;
		if (result != STEP_AGAIN)
			break;
		claim_release(hub->claims, &op->claim, 0);
		op->claim = (struct claim){0};
	}
	if (result == STEP_SEND)
		set_attrs_send(op);
	else if (result != STEP_LATER)
		set_attrs_finish(op, result < 0 ? result : 0);
}

/* ---- the copy; worker's thread ---- */

/* S3 has acknowledged the change.  hub.lock held. */
static void set_attrs_apply(struct set_attrs *op)
{
	struct hub *hub = op->parked.hub;
	struct node *node = op->node;
	const struct recopy *done = &op->recopy;
	const struct s3_answer *head = &done->head;

	if (node->gone)
		return;
	if (!node_is_dir(node)) {
		int changed = node_learn(node, &(struct node_said){.size = head->size,
						       .modified = head->mtime,
						       .etag = str_of(head->etag),
						       .storage_class = str_of(head->storage_class)});

		if (changed == 1)
			notify_inode(hub, node->ino);
		if (!done->unchanged) {
			node_set_attr(node, head->size, node->attr.mtime, node->attr.mtime_nsec,
				str_of(done->copy.etag), str_of(head->storage_class));
			handle_follow(hub, node, head->etag);
			draft_follow(node->draft, head->etag, done->copy.etag);
		}
		if (node->draft && (op->change.has & ATTRS_MTIME))
			draft_set_mtime(node->draft, &op->change.mtime);
	}
	node_set_attrs(node, &op->attrs); /* without memory: S3 is asked for them later */
}

/* The object is gone. */
static void lost(struct set_attrs *op)
{
	struct hub *hub = op->parked.hub;
	struct node *node = op->node;

	hub_lock(hub);
	if (!node->gone && !node->draft && !node->local) {
		notify_entry(hub, node->parent->ino, str_n(node->name, node->name_len));
		nodes_detach(hub->nodes, node);
	}
	hub_unlock(hub);
	set_attrs_finish(op, -ENOENT);
}

static void set_attrs_on_marker(struct marker *marker, int error, const struct s3_answer *answer_of)
{
	struct set_attrs *op = marker->user;

	if (error < 0)
		ops_set_attrs_fail(op, error, answer_of);
	else
		set_attrs_finish(op, 0);
}

/* A directory that has no marker yet. */
static void make_marker(struct set_attrs *op)
{
	op->attrs = op->change;
	op->marker = (struct marker){
		.hub = op->parked.hub,
		.worker = op->worker,
		.directory = op->node,
		.attrs = &op->attrs,
		.on_done = set_attrs_on_marker,
		.user = op,
	};
	/* The place is only as long as its key: place_keep. */
	memcpy(&op->marker.place, op->place, offsetof(struct place, key) + op->place->key_len + 1);
	marker_write(&op->marker);
}

static void set_attrs_on_recopied(struct recopy *done, const struct s3_answer *answer_of)
{
	struct set_attrs *op = done->user;
	struct hub *hub = op->parked.hub;

	if (done->error == 0) {
		hub_lock(hub);
		set_attrs_apply(op);
		hub_unlock(hub);
		set_attrs_finish(op, 0);
	} else if (done->error == -ESTALE && ++op->tries < TRIES_MAX) {
		set_attrs_send(op);
	} else if (done->error == -ENOENT && done->head.status == 0 && node_is_dir(op->node)) {
		make_marker(op);
	} else if (done->error == -ENOENT) {
		lost(op);
	} else {
		ops_set_attrs_fail(op, done->error == -ESTALE ? -EBUSY : done->error, answer_of);
	}
}

static int set_attrs_edit(struct recopy *recopy, struct headers *headers, const struct s3_answer *head)
{
	struct set_attrs *op = recopy->user;

	attrs_read(&op->attrs, headers);
	/* Also true after our own earlier attempt, when its answer was lost. */
	if (attrs_cover(&op->attrs, &op->change))
		return 1;
	attrs_merge(&op->attrs, &op->change);
	return attrs_write(&op->change, node_is_dir(op->node) ? S_IFDIR : S_IFREG, headers);
}

static void set_attrs_run(struct task *task, struct worker *worker)
{
	struct set_attrs *op = (struct set_attrs *)((char *)task - offsetof(struct set_attrs, task));
	const struct place *place = op->place;

	op->settings = view_copy_settings(place->view);
	op->recopy = (struct recopy){
		.copy =
			{
				.settings = &op->settings,
				.source_account = place->account,
				.account = place->account,
				.source_bucket = place_bucket(place),
				.source_key = place_key(place),
				.bucket = place_bucket(place),
				.key = place_key(place),
			},
		.edit = set_attrs_edit,
		.on_done = set_attrs_on_recopied,
		.user = op,
	};
	recopy_start(worker, &op->recopy);
}

static void set_attrs_send(struct set_attrs *op)
{
	if (!op->worker)
		op->worker = engine_pick(op->parked.hub->engine);
	op->task = (struct task){.run = set_attrs_run};
	worker_post(op->worker, &op->task);
}

/* ---- the beginning ---- */

void set_attrs(fuse_req_t req, struct node *node, const struct attrs *change)
{
	struct hub *hub = hub_of(req);
	struct set_attrs *op = calloc(1, sizeof(*op));

	if (!op) {
		hub_lock(hub);
		node_unref(hub->nodes, node);
		hub_unlock(hub);
		hub_reply_err(req, -ENOMEM);
		return;
	}
	op->node = node;
	op->change = *change;
	parked_init(&op->parked, req, set_attrs_op_free);
	set_attrs_go(op);
}
