/*
 * A file's rename: copy, then delete.
 *
 *   HEAD of the destination, where nothing may be replaced and copies are not known to see to that
 *   HEAD of the source, where its ETag is not known
 *   copy, on condition that the source has this ETag (create only, where nothing may be replaced)
 *   HEAD again, unless the service is known to enforce conditions on deletes
 *   delete, on condition that it still has this ETag
 *
 * From one bucket name to another, onto the same key, the source may be the destination itself, under another
 * name of its bucket: first it is found out, once a pair, whether the two are one (engine/object/twins.h).
 * One: EBUSY, nothing is begun.  Can't be told: both HEADs of the source are sent, and it goes only if the
 * second shows the time of the first, and the copy is younger than that; else EBUSY, and the log says why.
 *
 * A source that turns out to be another one by then is tried once more from the start, then told as EBUSY.
 * After the copy a failure leaves the object at both places, and says so: the source is never the one that is
 * lost.
 *
 * A file with content that S3 has never had is stored under its old name first, with the claims given back
 * meanwhile, and is then an object like any other.  If only its node moved, the object that it replaces would
 * stay in S3 under the new name: if the file were removed or renamed on before it is closed, that object
 * would be back, and mv would have exited with 0 before S3 knew anything.
 */
#include "fs/core/place.h"
#include "fs/ops/rename_internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fs/file/content_type.h"
#include "fs/file/draft.h"
#include "fs/file/handle.h"
#include "fs/ops/remove.h"
#include "fs/file/taken.h"

enum { TRIES_MAX = 2, STORES_MAX = 16 };

static void rename_file_look(struct rename_op *op, void (*on_done)(struct probe *probe));
static void rename_file_copy(struct rename_op *op);
static void delete (struct rename_op *op);

static void rename_file_fail(
	struct rename_op *op, int error, const struct s3_answer *answer, const char *consequence)
{
	name_op_log(&op->base, rename_from(op), error, answer, consequence);
	rename_op_failed(op, remove_errno(error));
}

/* ---- the end ---- */

static void moved(struct rename_op *op)
{
	struct hub *hub = op->base.hub;

	rename_op_apply(op);
	taken_forget(hub->taken, &rename_to(op)->place);
	hub_lock(hub);
	const struct node_attr *attr = &op->node->attr;
	bool known = str_eq(str_of(attr->etag), str_of(op->etag));
	int64_t mtime = op->copy.mtime ? op->copy.mtime : (int64_t)time(NULL);

	/* A rename does not change the content: the shown time stays, if it was this version's. */
	if (node_set_attr(op->node, op->size, known ? attr->mtime : mtime, known ? attr->mtime_nsec : 0,
		    str_of(op->copy.etag), str_of(op->storage_class)) < 0)
		op->node->attr.fetched_ms = 0;
	else
		handle_follow(hub, op->node, op->etag);
	draft_follow(op->node->draft, op->etag, op->copy.etag);
	hub_unlock(hub);
	rename_op_done(op);
}

/* The source as it is now, after it turned out not to be the expected version. */
static void on_looked_again(struct probe *probe)
{
	struct rename_op *op = probe->user;

	if (probe->error < 0) {
		rename_file_fail(
			op, probe->error, &probe->refusal, "its copy may be at the new place as well");
	} else if (probe->kind == PROBE_NONE && op->copy.error == 0) {
		moved(op); /* our own delete (its answer was lost) or another client's; ours is the copy */
	} else if (probe->kind == PROBE_NONE) {
		rename_op_lost(op);
	} else if (op->copy.error < 0 && strcmp(probe->etag, op->etag) == 0) {
		/* The source is unchanged: the refusal meant something else, the other bucket perhaps. */
		rename_file_fail(op, op->copy.error, NULL, NULL);
	} else if (op->copy.error == 0 && !op->plain_delete && strcmp(probe->etag, op->etag) == 0 &&
		   account_trait(rename_from(op)->place.account, TRAIT_DELETE_IF_MATCH) != TRAIT_YES) {
		/* Swift refuses a delete by the right ETag of an object uploaded in parts. */
		op->plain_delete = true;
		delete (op);
	} else if (++op->tries >= TRIES_MAX) {
		rename_file_fail(
			op, -EBUSY, NULL, "it keeps changing: its copy may be at the new place as well");
	} else {
		op->plain_delete = false;
		op->size = probe->size;
		op->mtime = probe->mtime;
		snprintf(op->etag, sizeof(op->etag), "%s", probe->etag);
		snprintf(op->storage_class, sizeof(op->storage_class), "%s", probe->storage_class);
		/* The object at the new place is by now our own copy. */
		op->noreplace = op->noreplace && op->copy.etag[0] == '\0';
		rename_file_copy(op);
	}
}

/* ---- delete ---- */

static void rename_file_on_deleted(struct call *call, const struct s3_answer *answer)
{
	struct rename_op *op = call->user;

	if (call->error == 0 || s3_answer_says_gone(answer))
		moved(op);
	else if (call->error == -ESTALE)
		rename_file_look(op, on_looked_again);
	else
		rename_file_fail(op, call->error, answer, "copied but not deleted: it is at both places");
}

static void delete (struct rename_op *op)
{
	const struct place *place = &rename_from(op)->place;

	call_init(&op->call);
	op->call.request.op = S3_DELETE_OBJECT;
	op->call.request.bucket = place_bucket(place);
	op->call.request.key = place_key(place);
	op->call.request.if_match = op->etag[0] && !op->plain_delete ? str_of(op->etag) : STR_NONE;
	op->call.account = place->account;
	op->call.on_done = rename_file_on_deleted;
	op->call.user = op;
	call_post(op->base.worker, &op->call);
}

static struct twins_name bucket_of(const struct name_end *end)
{
	return (struct twins_name){end->place.account, place_bucket(&end->place)};
}

/* The source, as it was looked at after the copy, is not that copy: the two buckets are two. */
static bool is_no_twin(struct rename_op *op, const struct probe *probe)
{
	const struct twins_name from = bucket_of(rename_from(op)), to = bucket_of(rename_to(op));

	if (!op->doubt || probe->kind != PROBE_FILE)
		return true;
	if (probe->mtime != op->mtime || op->copy.mtime <= op->mtime)
		return false;
	twins_learn(&from, &to, TWINS_NO);
	op->doubt = false;
	return true;
}

/* Is the source still the version that was copied? */
static void on_looked_before_delete(struct probe *probe)
{
	struct rename_op *op = probe->user;

	if (probe->error < 0)
		rename_file_fail(
			op, probe->error, &probe->refusal, "copied but not deleted: it is at both places");
	else if (!is_no_twin(op, probe))
		rename_file_fail(op, -EBUSY, NULL,
			"copied but not deleted: it may be the copy itself, under another name of its "
			"bucket");
	else if (probe->kind == PROBE_FILE && strcmp(probe->etag, op->etag) == 0)
		delete (op);
	else if (probe->kind == PROBE_NONE)
		moved(op); /* another client deleted it; ours is the copy */
	else
		on_looked_again(probe);
}

/* ---- copy ---- */

static void rename_file_on_copied(struct copy *done, const struct s3_answer *answer)
{
	struct rename_op *op = done->user;
	const struct place *place = &rename_from(op)->place;

	if (done->error == -ESTALE || done->error == -ENOENT) {
		rename_file_look(op, on_looked_again);
	} else if (done->error == -EEXIST) {
		rename_op_failed(op, -EEXIST);
	} else if (done->error < 0) {
		rename_file_fail(op, done->error, answer,
			done->ambiguous ? "its copy may be at the new place as well" : NULL);
	} else if (!op->doubt && account_trait(place->account, TRAIT_DELETE_IF_MATCH) == TRAIT_YES) {
		delete (op);
	} else {
		rename_file_look(op, on_looked_before_delete);
	}
}

static void run_copy(struct task *task, struct worker *worker)
{
	struct rename_op *op = (struct rename_op *)((char *)task - offsetof(struct rename_op, task));
	const struct place *from = &rename_from(op)->place, *to = &rename_to(op)->place;

	const char *type = content_type_follows(place_key(from), place_key(to));

	op->settings = view_copy_settings(to->view);
	op->copy = (struct copy){
		.type = type ? str_of(type) : STR_NONE,
		.type_from = str_of(content_type_of(place_key(from))),
		.settings = &op->settings,
		.source_account = from->account,
		.account = to->account,
		.source_bucket = place_bucket(from),
		.source_key = place_key(from),
		.bucket = place_bucket(to),
		.key = place_key(to),
		.source_etag = str_of(op->etag),
		.storage_class = op->storage_class[0] ? str_of(op->storage_class) : STR_NONE,
		.size = op->size,
		.create_only = op->noreplace,
		.on_done = rename_file_on_copied,
		.user = op,
	};
	copy_start(worker, &op->copy);
}

static void rename_file_copy(struct rename_op *op)
{
	op->task.run = run_copy;
	worker_post(op->base.worker, &op->task);
}

/* ---- the beginning ---- */

static void rename_file_look_at(
	struct rename_op *op, const struct place *place, void (*on_done)(struct probe *probe))
{
	op->probe = (struct probe){
		.account = place->account,
		.bucket = place_bucket(place),
		.key = place_key(place),
		.only_file = true,
		.on_done = on_done,
		.user = op,
	};
	probe_start(op->base.worker, &op->probe);
}

static void rename_file_look(struct rename_op *op, void (*on_done)(struct probe *probe))
{
	rename_file_look_at(op, &rename_from(op)->place, on_done);
}

static void on_looked_first(struct probe *probe)
{
	struct rename_op *op = probe->user;

	if (probe->error < 0) {
		rename_file_fail(op, probe->error, &probe->refusal, NULL);
	} else if (probe->kind == PROBE_NONE) {
		rename_op_lost(op);
	} else {
		op->size = probe->size;
		op->mtime = probe->mtime;
		snprintf(op->etag, sizeof(op->etag), "%s", probe->etag);
		snprintf(op->storage_class, sizeof(op->storage_class), "%s", probe->storage_class);
		rename_file_copy(op);
	}
}

static void rename_file_begin(struct rename_op *op)
{
	if (op->etag[0] && !op->doubt)
		rename_file_copy(op);
	else
		rename_file_look(op, on_looked_first);
}

static void refuse_twin(struct rename_op *op)
{
	rename_file_fail(op, -EBUSY, NULL,
		"not renamed: source and destination are one object, under two names of its bucket");
}

static void rename_file_on_settled(struct twins *twins)
{
	struct rename_op *op = twins->user;

	if (twins->verdict == TWINS_YES) {
		refuse_twin(op);
		return;
	}
	op->doubt = twins->verdict == TWINS_UNKNOWN;
	rename_file_begin(op);
}

static void rename_file_start(struct rename_op *op)
{
	const struct twins_name from = bucket_of(rename_from(op)), to = bucket_of(rename_to(op));
	bool concerned = (from.account != to.account || !str_eq(from.bucket, to.bucket)) &&
			 str_eq(place_key(&rename_from(op)->place), place_key(&rename_to(op)->place));
	enum twins_verdict known = concerned ? twins_known(&from, &to) : TWINS_NO;

	if (known == TWINS_YES) {
		refuse_twin(op);
		return;
	}
	if (known == TWINS_UNKNOWN)
		op->twins = calloc(1, sizeof(*op->twins));
	if (known == TWINS_NO || !op->twins) {
		op->doubt = known == TWINS_UNKNOWN;
		rename_file_begin(op);
		return;
	}
	op->twins->a = from;
	op->twins->b = to;
	op->twins->key = place_key(&rename_from(op)->place);
	op->twins->on_done = rename_file_on_settled;
	op->twins->user = op;
	twins_start(op->base.worker, op->twins);
}

/* This mount believes the new place to be free, but that may be as old as cache_ttl. */
static void on_looked_at_target(struct probe *probe)
{
	struct rename_op *op = probe->user;

	if (probe->error < 0) {
		name_op_log(&op->base, rename_to(op), probe->error, &probe->refusal, NULL);
		rename_op_failed(op, remove_errno(probe->error));
	} else if (probe->kind != PROBE_NONE) {
		rename_op_failed(op, -EEXIST);
	} else {
		rename_op_mark(op, rename_file_start);
	}
}

/* ---- content that S3 does not have ---- */

static void rename_file_on_stored(struct draft_flush *flush, int error)
{
	struct rename_op *op = flush->user;

	/* The caller would take EEXIST to be about the new name. */
	if (error < 0)
		name_op_finish(&op->base, error == -EEXIST ? -ESTALE : remove_errno(error));
	else
		name_op_go(&op->base, 0);
}

/* The store of the file claims its key, so the rename's claims are given back; the names are looked up anew
 * afterwards. */
static void store_first(struct rename_op *op)
{
	struct hub *hub = op->base.hub;
	struct node *node = op->node;

	if (op->stores++ >= STORES_MAX) {
		name_op_finish(&op->base, -EBUSY);
		return;
	}
	hub_lock(hub);
	node_unref(hub->nodes, op->target);
	op->node = op->target = NULL;
	hub_unlock(hub);
	key_hold_release(&op->base.hold, 0);
	op->flush = (struct draft_flush){.done = rename_file_on_stored, .user = op};
	draft_flush(hub, node, &op->flush);
	hub_lock(hub);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
}

static void rename_go(struct rename_op *op)
{
	const struct place *to = &rename_to(op)->place;

	if (op->noreplace && account_trait(to->account, TRAIT_COPY_CREATE) != TRAIT_YES)
		rename_file_look_at(op, to, on_looked_at_target);
	else
		rename_op_mark(op, rename_file_start);
}

/* ---- the file that it replaces ---- */

static void rename_file_on_guarded(struct guard *guard, int error)
{
	struct rename_op *op = guard->user;

	if (error < 0)
		rename_op_failed(op, error);
	else
		rename_go(op);
}

/* The process has perhaps read the file that it replaces, under another name of its bucket. */
static void guard_target(struct rename_op *op)
{
	const struct guard guard = {.replaces = true,
		.place = &rename_to(op)->place,
		.what = "rename over",
		.on_done = rename_file_on_guarded,
		.user = op};
	int error;

	free(op->guard); /* of a former round: the file was stored first */
	op->guard = NULL;
	error = guard_begin(&op->base.parked, &guard, &op->guard);
	if (error < 0)
		name_op_finish(&op->base, error);
}

void rename_file(struct rename_op *op)
{
	struct hub *hub = op->base.hub;
	const struct node *node = op->node;

	hub_lock(hub);
	bool guarded = op->target && guard_wanted_by(hub, &rename_to(op)->place, op->base.parked.thread);
	bool unstored =
		node->draft && draft_dirty(node->draft) && node->attr.fetched_ms == 0 && !node->attr.etag;

	op->size = node->attr.size;
	snprintf(op->etag, sizeof(op->etag), "%s", node->attr.etag ? node->attr.etag : "");
	snprintf(op->storage_class, sizeof(op->storage_class), "%s",
		node->attr.storage_class ? node->attr.storage_class : "");
	hub_unlock(hub);
	if (unstored)
		store_first(op);
	else if (guarded)
		guard_target(op);
	else
		rename_go(op);
}
