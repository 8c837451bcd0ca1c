#include "fs/ops/remove_early.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "fs/core/notify.h"
#include "fs/core/place.h"
#include "fs/dir/dir.h"
#include "fs/file/draft.h"
#include "fs/early/early.h"
#include "fs/file/handle.h"
#include "fs/ops/alias_guard.h"
#include "fs/ops/left_below.h"
#include "fs/request/parked.h"
#include "fs/ops/remove.h"
#include "fs/ops/unchanged.h"
#include "fs/request/reply.h"
#include "s3/escape.h"

struct early_removal {
	struct hub *hub;
	struct batch *batch; /* referenced, promised */
	struct node *node; /* referenced; gone */
	struct dir_watch watch; /* of the directory that the node was in; holds that directory */
	struct claim claim;
	struct gathered gathered;
	struct left_below *left; /* rmdir: what is below the directory; owned */
	pid_t thread; /* the thread that removes it */
	bool by_rm; /* an rm removes it, and reads nothing */
	struct unchanged *unchanged; /* as in remove_op.h; owned */
	int error;
};

/* The claim's name is "bucket/key". */
static struct str removal_bucket(const struct early_removal *removal)
{
	const struct claim_item *item = &removal->claim.items[0];
	const char *slash = memchr(item->name, '/', item->name_len);

	return str_n(item->name, (size_t)(slash - item->name));
}

static struct str removal_key(const struct early_removal *removal)
{
	const struct claim_item *item = &removal->claim.items[0];

	return str_skip(str_n(item->name, item->name_len), removal_bucket(removal).len + 1);
}

/* ---- the end ---- */

/* The object is there after all: makes a node like the one that went.  hub.lock held. */
static void show_again(struct early_removal *removal)
{
	struct hub *hub = removal->hub;
	const struct node *old = removal->node;
	struct node *directory = removal->watch.directory, *node;
	struct str name = str_n(old->name, old->name_len);
	const struct node_attr *attr = &old->attr;

	dir_doubt(hub, directory);
	/* The object has changed, so its attributes are unknown. */
	if (removal->unchanged)
		removal->node->attr.fetched_ms = 0;
	if (directory->gone || nodes_add(hub->nodes, directory, name, old->kind, &node) < 0)
		return;
	if (attr->fetched_ms == 0 || node_copy_attr(node, attr) < 0)
		node->attr.fetched_ms = 0;
	notify_entry(hub, directory->ino, name);
	dir_child_added(hub, node);
	node_unref(hub->nodes, node);
}

static void removal_free(struct early_removal *removal)
{
	if (removal->left)
		left_below_release(removal->left);
	free(removal->left);
	free(removal->unchanged);
	free(removal);
}

/* No process has taken a version of the next object there. */
static void forget_versions(const struct early_removal *removal)
{
	struct str bucket = removal_bucket(removal), key = removal_key(removal);
	struct place place = {
		.account = removal->claim.items[0].account, .bucket_len = bucket.len, .key_len = key.len};

	if (removal->claim.items[0].prefix)
		return;
	memcpy(place.bucket, bucket.data, bucket.len);
	memcpy(place.key, key.data, key.len);
	taken_forget(removal->hub->taken, &place);
}

/* A failure was logged before. */
static void removal_end(struct early_removal *removal, int error)
{
	struct hub *hub = removal->hub;
	struct batch *batch = removal->batch;

	if (error == 0)
		forget_versions(removal);
	hub_lock(hub);
	if (error < 0)
		show_again(removal);
	dir_watch_end(hub, &removal->watch);
	node_unref(hub->nodes, removal->node);
	hub_unlock(hub);
	claim_release(hub->claims, &removal->claim, 0);
	removal_free(removal);
	batch_keep_removal(batch, remove_errno(error));
	batch_unref(batch);
	hub_unpark(hub);
}

static void remove_early_log_failure(
	const struct early_removal *removal, struct str key, int error, const struct s3_answer *answer)
{
	bool changed = removal->unchanged && error == -EBUSY;

	log_call(LOG_LEVEL_ERROR, &(struct log_call){
					  .what = removal->claim.items[0].prefix ? "rmdir" : "unlink",
					  .bucket = removal_bucket(removal),
					  .key = key,
					  .error = error,
					  .answer = changed ? NULL : answer,
					  .consequence = changed ? UNCHANGED_CONSEQUENCE : "not removed",
				  });
}

/* The directory has something in it, so the directory stays. */
static void log_left(const struct early_removal *removal, struct str key)
{
	struct buf text;

	buf_init(&text, LOG_LINE_MAX);
	buf_add_text(&text, "not removed: it has ");
	escape_text(&text, key);
	log_call(LOG_LEVEL_ERROR, &(struct log_call){
					  .what = "rmdir",
					  .bucket = removal_bucket(removal),
					  .key = removal_key(removal),
					  .error = -ENOTEMPTY,
					  .consequence = buf_text(&text),
				  });
	buf_release(&text);
}

static void gather(struct early_removal *removal);

static void remove_early_on_unchanged(struct unchanged *unchanged, const struct s3_answer *answer)
{
	struct early_removal *removal = unchanged->user;

	if (unchanged->error == 0 && unchanged->looked) {
		/* No condition is of any use: the key goes with the others. */
		removal->gathered.etag = STR_NONE;
		gather(removal);
		return;
	}
	if (unchanged->error < 0)
		remove_early_log_failure(removal, removal_key(removal), unchanged->error, answer);
	removal_end(removal, unchanged->error);
}

static void remove_early_on_deleted(struct gathered *gathered)
{
	struct early_removal *removal = gathered->user;

	if (gathered->error == -ESTALE && removal->unchanged) {
		removal->unchanged->refused = true;
		unchanged_post(engine_pick(removal->hub->engine), removal->unchanged);
		return;
	}
	if (gathered->error < 0) {
		struct s3_answer answer = {0};

		snprintf(answer.error.code, sizeof(answer.error.code), "%s", gathered->code);
		snprintf(answer.request_id, sizeof(answer.request_id), "%s", gathered->request_id);
		remove_early_log_failure(removal, gathered->key, gathered->error, &answer);
	}
	removal_end(removal, gathered->error);
}

static void gather(struct early_removal *removal)
{
	struct gathered *gathered = &removal->gathered;

	gathered->account = removal->claim.items[0].account;
	gathered->bucket = removal_bucket(removal);
	gathered->key = removal_key(removal);
	gathered->on_done = remove_early_on_deleted;
	gathered->user = removal;
	gather_add(removal->hub->early->gather, gathered);
}

/* A file, which the process may have read or copied before. */
static void remove_file(struct early_removal *removal)
{
	struct unchanged *unchanged = removal->unchanged;

	if (!unchanged) {
		gather(removal);
		return;
	}
	unchanged->bucket = removal_bucket(removal);
	unchanged->key = removal_key(removal);
	unchanged->look_only = true;
	unchanged->on_done = remove_early_on_unchanged;
	unchanged->user = removal;
	if (unchanged_at_once(unchanged)) {
		removal->gathered.etag = str_of(unchanged->etag);
		gather(removal);
	} else {
		unchanged_post(engine_pick(removal->hub->engine), unchanged);
	}
}

/* ---- rmdir: are keys left below? ---- */

static void remove_early_on_listed(struct left_below *left, const struct s3_answer *answer)
{
	struct early_removal *removal = left->user;
	unsigned at = 0;
	struct str key;

	if (left->error < 0) {
		remove_early_log_failure(removal, removal_key(removal), left->error, answer);
		removal_end(removal, left->error);
	} else if (left_below_next(left, &at, &key)) {
		log_left(removal, key);
		removal_end(removal, -ENOTEMPTY);
	} else if (left->marked) {
		gather(removal);
	} else {
		removal_end(removal, 0);
	}
}

static void remove_early_look(struct early_removal *removal)
{
	struct left_below *left = calloc(1, sizeof(*left));
	int error = left ? 0 : -ENOMEM;

	removal->left = left;
	if (left) {
		left->account = removal->claim.items[0].account;
		left->bucket = removal_bucket(removal);
		left->prefix = removal_key(removal);
		left->on_done = remove_early_on_listed;
		left->user = removal;
		error = left_below_post(left, engine_pick(removal->hub->engine));
	}
	if (error < 0)
		removal_end(removal, error);
}

static void remove_early_on_granted(struct claim *claim)
{
	struct early_removal *removal = claim->user;

	/* try_it may still use it. */
	hub_lock(removal->hub);
	hub_unlock(removal->hub);
	if (claim->prior_error < 0)
		removal_end(removal, claim->prior_error);
	else
		remove_early_look(removal);
}

/* ---- the beginning ---- */

/* The request is not answered early after all: the claim, once granted, is given back. */
static void on_unwanted(struct claim *claim)
{
	struct early_removal *removal = claim->user;
	struct hub *hub = removal->hub;

	hub_lock(hub);
	hub_unlock(hub);
	claim_release(hub->claims, claim, 0);
	removal_free(removal);
	hub_unpark(hub);
}

enum outcome { EARLY, ORDINARY };

/* Removes the name.  hub.lock held. */
static void remove_early_detach(struct early_removal *removal, struct node *parent, struct node *node)
{
	struct hub *hub = removal->hub;

	removal->node = node_ref(node);
	dir_watch_begin(hub, parent, &removal->watch);
	dir_removed(parent, str_n(node->name, node->name_len));
	if (node->draft)
		draft_disown(hub, node);
	nodes_detach(hub->nodes, node);
	if (node_is_dir(node))
		early_unemptied(hub, node);
	dir_doubt(hub, node);
	if (!parent->children)
		early_emptied(hub, removal->batch, parent);
}

/* hub.lock held.  -ENOMEM. */
static int remove_early_prepare_unchanged(
	struct early_removal *removal, const struct node *node, const struct place *place)
{
	struct unchanged unchanged = {0};

	if (!unchanged_prepare(&unchanged, removal->hub->taken, removal->thread, node, place))
		return 0;
	removal->unchanged = malloc(sizeof(*removal->unchanged));
	if (!removal->unchanged)
		return -ENOMEM;
	*removal->unchanged = unchanged;
	return 0;
}

/* hub.lock held.  1: granted; 0: it will be (on_granted); -errno. */
static int take_claim(struct early_removal *removal, const struct node *node, bool directory)
{
	struct place place;
	int error = node_place(node, &place);

	/* A file that may be another file as well goes the ordinary way, unless rm removes it. */
	if (error == 0 && !directory && !removal->by_rm && guard_wanted(removal->hub, &place))
		error = -EBUSY;
	if (error == 0 && !directory)
		error = remove_early_prepare_unchanged(removal, node, &place);
	if (error == 0)
		error = claim_add(&removal->claim, place.account, place_bucket(&place), place_key(&place),
			directory, true);
	if (error < 0)
		return error;
	removal->claim.granted = directory ? remove_early_on_granted : on_unwanted;
	removal->claim.user = removal;
	return claim_take(removal->hub->claims, &removal->claim);
}

/* hub.lock held.  May this name go now?  If not, the ordinary way finds the answer. */
static bool can_go(struct hub *hub, struct node *parent, struct str name, bool directory, struct node **ret)
{
	struct node *node = nodes_child(hub->nodes, parent, name);
	const struct view *view = node_view(parent);
	unsigned writers;

	if (!node || !view || view->ro || view->copy_ack != COPY_ACK_EARLY)
		return false;
	if (node->kind != (directory ? NODE_DIR : NODE_FILE))
		return false;
	/* A file that S3 does not have yet, or a directory with something in it, goes the ordinary way. */
	if (node->draft || node->local || node->children)
		return false;
	/* Its content is kept for the processes that have it open. */
	if (!directory && view->keep_open > 0 && handle_count(hub, node, &writers) > 0)
		return false;
	*ret = node;
	return true;
}

/* batch is promised.  Takes neither. */
static enum outcome try_it(struct hub *hub, struct batch *batch, pid_t thread, fuse_ino_t parent_ino,
	struct str name, bool directory)
{
	struct early_removal *removal = calloc(1, sizeof(*removal));
	struct node *node = NULL;
	int taken = -ENOMEM;

	if (!removal)
		return ORDINARY;
	removal->hub = hub;
	removal->thread = thread;
	removal->by_rm = batch_caller(batch)->tool == CALLER_RM;
	hub_lock(hub);
	struct node *parent = nodes_find(hub->nodes, parent_ino);

	if (parent && !parent->gone && can_go(hub, parent, name, directory, &node))
		taken = take_claim(removal, node, directory);
	bool early = taken == 1 || (taken == 0 && directory);

	if (early) {
		removal->batch = batch_ref(batch);
		remove_early_detach(removal, parent, node);
	}
	if (taken >= 0)
		hub_park(hub);
	hub_unlock(hub);
	if (taken < 0) {
		claim_release(hub->claims, &removal->claim, 0);
		removal_free(removal);
	} else if (taken == 1 && directory) {
		remove_early_look(removal);
	} else if (taken == 1) {
		remove_file(removal);
	}
	return early ? EARLY : ORDINARY;
}

/* The process now removes this name.  Will it make another call, which can wait and report? */
static bool remove_early_more_to_come(
	struct hub *hub, struct batch *batch, fuse_ino_t parent, struct str name, bool directory)
{
	hub_lock(hub);
	const struct node *above = nodes_find(hub->nodes, parent);
	const struct node *node = above ? nodes_child(hub->nodes, above, name) : NULL;
	uint64_t ino = node ? node->ino : 0;

	if (node && directory)
		early_unemptied(hub, node);
	hub_unlock(hub);
	if (!directory)
		return batch_removing(batch, parent, ino);
	batch_left(batch, ino);
	/* Another rm below it finds nothing there any more, and makes no further call: it goes when it is
	 * gone. */
	if (batches_visit(hub->early->batches, ino, batch))
		return false;
	/* Otherwise this call waits for all else to end and tells of earlier failures: it may be the last
	 * call. */
	return batch_inside(batch, parent) && !batch_has_failed(batch);
}

bool remove_early(
	fuse_req_t req, fuse_ino_t parent, const char *name, bool directory, struct batch **ret_batch)
{
	struct hub *hub = hub_of(req);
	struct batch *batch = early_batch(hub, req);

	*ret_batch = batch;
	if (!batch || batch_caller(batch)->tool == CALLER_CP)
		return false;
	if (!directory)
		draft_save_copies(hub, parent, name);
	/* Without room for a promise the ordinary way waits, for the whole batch. */
	if (!remove_early_more_to_come(hub, batch, parent, str_of(name), directory) ||
		!batch_promise(batch, NULL))
		return false;
	pid_t thread = fuse_req_ctx(req)->pid;

	if (try_it(hub, batch, thread, parent, str_of(name), directory) == ORDINARY) {
		batch_keep(batch, 0);
		return false;
	}
	/* A failure is told to the process that asks for the removal of a directory around it. */
	hub_reply_err(req, 0);
	batch_unref(batch);
	return true;
}
