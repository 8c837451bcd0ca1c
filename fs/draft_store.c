/*
 * Storing: one upload of the staging file, or one copy of the source, under claims: the destination's key
 * exclusively, a source's shared.  Nobody changes the content meanwhile, so what is acknowledged is what the
 * draft holds.
 *
 *   claim -> (the names are still where the claim says) -> upload                      -> end
 *                                                       -> copy of what has the same bytes (recognise_copy.h)
 *                                                          -> end, or upload -> end
 *                                                       -> copy -> ESTALE -> HEAD -> copy once more, of the
 * same size -> end
 *                                                       -> copy -> EACCES, of another account -> carry.h ->
 * end
 *
 * A failure is logged here, once; who waits tells it to its caller.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/copy.h"
#include "engine/log.h"
#include "engine/upload.h"
#include "fs/carry.h"
#include "fs/content_type.h"
#include "fs/dir.h"
#include "fs/draft_inside.h"
#include "fs/handle.h"
#include "fs/recognise_copy.h"

enum { RETAKES_MAX = 16 };

struct store {
	struct hub *hub;
	struct node *node; /* referenced */
	struct node *source; /* referenced; NULL: an upload */
	struct worker *worker;
	struct task task;
	struct claim claim;
	unsigned retakes;
	struct place place, from;
	struct headers headers;
	bool keeps; /* they are the edited object's own */
	uint64_t size;
	bool bulk; /* interactive requests go before it */
	int fd;
	int error; /* of what failed before a request */
	bool disturbed; /* what was there is gone, although nothing was stored */
	bool looked; /* the source turned out to be another version: asked for once */
	char source_etag[ETAG_MAX + 1];
	char storage_class[STORAGE_CLASS_MAX + 1];
	struct copy_settings settings;
	union {
		struct upload upload;
		struct copy copy;
		struct call call;
		struct recognise_copy recognise;
		struct carry carry;
	};
};

struct outcome {
	int error;
	const char *etag;
	int64_t mtime;
	const struct s3_answer *answer; /* NULL: nothing was asked */
};

static void granted(struct claim *claim);

/* hub.lock held. */
static int places(struct store *store, bool *ret_changed)
{
	struct place place, from = store->from;
	int error = store->source && store->source->gone ? -ESTALE : node_place(store->node, &place);

	if (error == 0 && store->source)
		error = node_place(store->source, &from);
	if (error < 0)
		return error;
	*ret_changed = !str_eq(place_key(&place), place_key(&store->place)) ||
		       !str_eq(place_bucket(&place), place_bucket(&store->place)) ||
		       !str_eq(place_key(&from), place_key(&store->from)) ||
		       !str_eq(place_bucket(&from), place_bucket(&store->from));
	store->place = place;
	store->from = from;
	return 0;
}

/* hub.lock held.  claim_take's answers. */
static int take(struct store *store)
{
	bool changed;
	int error = places(store, &changed);

	if (error == 0)
		error = claim_add(&store->claim, store->place.account, place_bucket(&store->place),
			place_key(&store->place), false, true);
	if (error == 0 && store->source)
		error = claim_add(&store->claim, store->from.account, place_bucket(&store->from),
			place_key(&store->from), false, false);
	if (error < 0)
		return error;
	store->claim.granted = granted;
	store->claim.user = store;
	return claim_take(store->hub->claims, &store->claim);
}

/* ---- the end ---- */

static void store_free(struct store *store)
{
	struct hub *hub = store->hub;

	draft_settle(hub, store->node);
	hub_lock(hub);
	node_unref(hub->nodes, store->source);
	node_unref(hub->nodes, store->node);
	hub_unlock(hub);
	headers_release(&store->headers);
	free(store);
	hub_unpark(hub);
}

/* S3 has it.  Returns the draft if it has ended.  hub.lock held. */
static struct draft *acknowledged(struct store *store, const struct outcome *outcome)
{
	struct hub *hub = store->hub;
	struct node *node = store->node;
	struct draft *draft = node->draft;
	int64_t mtime = outcome->mtime;

	/* A PUT is not told when the object's time is: it is the time of its answer. */
	if (mtime == 0)
		mtime = outcome->answer && outcome->answer->date ? outcome->answer->date
								 : (int64_t)time(NULL);
	if (node_set_attr(node, store->size, mtime, 0, str_of(outcome->etag), str_of(store->storage_class)) <
		0) {
		node->local = false;
		node->attr.fetched_ms = 0; /* asked for again */
	}
	draft->mtime = (struct timespec){.tv_sec = mtime};
	draft_stored(draft, 0);
	handle_follow(hub, node, NULL);
	dir_child_added(hub, node);
	dir_landed(node);
	return draft->content == DRAFT_DATA ? NULL : draft;
}

static void log_failure(const struct store *store, const struct outcome *outcome, bool existed)
{
	log_call(LOG_LEVEL_ERROR,
		&(struct log_call){
			.what = store->source ? "copy" : "upload",
			.bucket = place_bucket(&store->place),
			.key = place_key(&store->place),
			.error = outcome->error,
			.answer = outcome->answer,
			.consequence = store->disturbed ? "not stored, and what was there may be overwritten"
				       : existed	? "not stored: the object is what it was"
							: "not stored",
		});
}

static void finish(struct store *store, const struct outcome *outcome)
{
	struct hub *hub = store->hub;
	struct node *node = store->node;
	struct draft *old = NULL;

	hub_lock(hub);
	struct draft *draft = node->draft;
	struct draft_wait *waits = draft_take_waits(draft);
	bool existed = draft->existed;

	if (outcome->error == 0) {
		old = acknowledged(store, outcome);
		if (old)
			draft_detach(hub, node);
	} else {
		draft_stored(draft, outcome->error);
		draft->untold = !waits;
	}
	if (node->draft)
		draft_check(draft);
	hub_unlock(hub);
	draft_trash(old);
	if (outcome->error < 0)
		log_failure(store, outcome, existed);
	claim_release(hub->claims, &store->claim, outcome->error);
	draft_run_waits(waits, DRAFT_STORING, outcome->error);
	store_free(store);
}

static void finish_early(struct store *store, int error)
{
	finish(store, &(struct outcome){.error = error});
}

/* ---- upload ---- */

static void on_uploaded(struct upload *upload, const struct s3_answer *answer)
{
	struct outcome outcome = {
		.error = upload->error, .etag = upload->etag, .mtime = upload->mtime, .answer = answer};

	finish(upload->user, &outcome);
}

static int make_headers(struct store *store)
{
	const struct view *view = store->place.view;
	const char *type = content_type_of(place_key(&store->place));
	int error = headers_add(&store->headers, STR("content-type"), str_of(type));

	if (error == 0 && view->storage_class)
		error = headers_add(&store->headers, STR("x-amz-storage-class"), str_of(view->storage_class));
	return error;
}

static void upload_now(struct store *store)
{
	const struct view *view = store->place.view;

	store->upload = (struct upload){
		.account = store->place.account,
		.bucket = place_bucket(&store->place),
		.key = place_key(&store->place),
		.fd = store->fd,
		.size = store->size,
		.headers = &store->headers,
		.part_threshold = view->part_threshold,
		.part_size = view->part_size,
		.on_done = on_uploaded,
		.user = store,
	};
	upload_start(store->worker, &store->upload);
}

static void on_recognised(struct recognise_copy *done, const struct s3_answer *answer)
{
	struct store *store = done->user;
	struct outcome outcome = {
		.error = done->error, .etag = done->etag, .mtime = done->mtime, .answer = answer};

	store->disturbed = done->disturbed;
	if (done->error == 0 || done->error == -ECANCELED)
		finish(store, &outcome);
	else
		upload_now(store);
}

/* Instead of an upload, a copy of what has the same bytes; false: nothing has. */
static bool recognise(struct store *store)
{
	const struct view *view = store->place.view;

	if (!view->recognise)
		return false;
	store->recognise = (struct recognise_copy){
		.table = store->hub->recognise,
		.worker = store->worker,
		.to = {.account = store->place.account,
			.bucket = place_bucket(&store->place),
			.key = place_key(&store->place),
			.size = store->size},
		.fd = store->fd,
		.headers = &store->headers,
		.settings = view_copy_settings(view),
		.on_done = on_recognised,
		.user = store,
	};
	return recognise_copy_start(&store->recognise);
}

static void upload(struct store *store)
{
	int error = store->keeps ? 0 : make_headers(store);

	if (error == 0) {
		struct str class = headers_get(&store->headers, STR("x-amz-storage-class"));

		snprintf(store->storage_class, sizeof(store->storage_class), "%.*s", (int)class.len,
			class.len ? class.data : "");
	}
	if (error < 0) {
		finish_early(store, error);
		return;
	}
	if (!recognise(store))
		upload_now(store);
}

/* ---- copy ---- */

static void copy(struct store *store);

static void on_looked(struct call *call, const struct s3_answer *answer)
{
	struct store *store = call->user;
	struct outcome outcome = {.error = call->error == -ENOENT ? -ESTALE : call->error, .answer = answer};

	if (outcome.error == 0 &&
		(answer->size != store->size || strcmp(answer->etag, store->source_etag) == 0))
		outcome.error = -ESTALE;
	if (outcome.error < 0) {
		finish(store, &outcome);
		return;
	}
	snprintf(store->source_etag, sizeof(store->source_etag), "%s", answer->etag);
	snprintf(store->storage_class, sizeof(store->storage_class), "%s", answer->storage_class);
	copy(store);
}

/* The source is another version by now, or some other condition failed. */
static void look(struct store *store)
{
	store->looked = true;
	call_init(&store->call);
	store->call.request.op = S3_HEAD_OBJECT;
	store->call.request.bucket = place_bucket(&store->from);
	store->call.request.key = place_key(&store->from);
	store->call.account = store->from.account;
	store->call.on_done = on_looked;
	store->call.user = store;
	call_start(store->worker, &store->call);
}

static void on_carried(struct carry *done, const struct s3_answer *answer)
{
	struct store *store = done->user;
	struct outcome outcome = {
		.error = done->error, .etag = done->new_etag, .mtime = done->mtime, .answer = answer};

	if (done->error == -ESTALE && !store->looked)
		look(store);
	else
		finish(store, &outcome);
}

/* Another account's, which the service will not copy for the destination's. */
static void carry(struct store *store)
{
	store->carry = (struct carry){
		.from = &store->from,
		.to = &store->place,
		.etag = store->source_etag,
		.size = store->size,
		.staging_dir = store->hub->staging_dir,
		.on_done = on_carried,
		.user = store,
	};
	carry_start(store->worker, &store->carry);
}

static void on_copied(struct copy *done, const struct s3_answer *answer)
{
	struct store *store = done->user;
	struct outcome outcome = {
		.error = done->error, .etag = done->etag, .mtime = done->mtime, .answer = answer};

	if (done->error == -ESTALE && !store->looked)
		look(store);
	else if (done->error == -EACCES && !account_same(store->from.account, store->place.account))
		carry(store);
	else
		finish(store, &outcome);
}

static void copy(struct store *store)
{
	if (carry_wanted(&store->from, &store->place)) {
		carry(store);
		return;
	}
	store->settings = view_copy_settings(store->place.view);
	if (store->bulk)
		store->settings.call_flags |= CALL_BULK;
	store->copy = (struct copy){
		.settings = &store->settings,
		.source_account = store->from.account,
		.account = store->place.account,
		.source_bucket = place_bucket(&store->from),
		.source_key = place_key(&store->from),
		.bucket = place_bucket(&store->place),
		.key = place_key(&store->place),
		.source_etag = str_of(store->source_etag),
		.storage_class = store->storage_class[0] ? str_of(store->storage_class) : STR_NONE,
		.size = store->size,
		.on_done = on_copied,
		.user = store,
	};
	copy_start(store->worker, &store->copy);
}

/* ---- the beginning ---- */

static void run(struct task *task, struct worker *worker)
{
	struct store *store = (struct store *)((char *)task - offsetof(struct store, task));

	if (store->source)
		copy(store);
	else
		upload(store);
}

static void run_failed(struct task *task, struct worker *worker)
{
	struct store *store = (struct store *)((char *)task - offsetof(struct store, task));

	finish_early(store, store->error);
}

static void post(struct store *store, void (*function)(struct task *task, struct worker *worker))
{
	store->task = (struct task){.run = function};
	worker_post(store->worker, &store->task);
}

/* Are the names still where they were when the claim was taken?  -errno: it can't be stored; 0: not yet ours.
 */
static int check(struct store *store)
{
	struct hub *hub = store->hub;

	for (;;) {
		bool changed = false;

		hub_lock(hub);
		int error = store->node->draft->disowned ? -ESTALE : places(store, &changed);

		hub_unlock(hub);
		if (error < 0)
			return error;
		if (!changed)
			return 1;
		if (store->retakes++ >= RETAKES_MAX)
			return -EBUSY;
		claim_release(hub->claims, &store->claim, 0);
		store->claim = (struct claim){0};
		hub_lock(hub);
		error = take(store);
		hub_unlock(hub);
		if (error <= 0)
			return error;
	}
}

static void granted(struct claim *claimed)
{
	struct store *store = claimed->user;
	int result = check(store);

	/* On a worker, also when it failed: this may be inside of somebody else's end. */
	if (result == 1) {
		post(store, run);
	} else if (result < 0) {
		store->error = result;
		post(store, run_failed);
	}
}

int draft_store(struct hub *hub, struct node *node)
{
	struct draft *draft = node->draft;
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	store->hub = hub;
	store->node = node;
	store->worker = engine_pick(hub->engine);
	store->size = draft->size;
	store->fd = draft->fd;
	store->bulk = draft->bulk;
	if (draft->content == DRAFT_COPY) {
		assert(draft_copy_whole(draft));
		store->source = draft->source.node;
		memcpy(store->source_etag, draft->source.etag, sizeof(store->source_etag));
		memcpy(store->storage_class, draft->source.storage_class, sizeof(store->storage_class));
	}
	headers_init(&store->headers);
	store->keeps = draft->keeps;
	int taken = headers_add_all(&store->headers, &draft->kept);

	if (taken == 0)
		taken = take(store);
	if (taken < 0) {
		claim_release(hub->claims, &store->claim, 0);
		headers_release(&store->headers);
		free(store);
		return taken;
	}
	node_ref(node);
	if (store->source)
		node_ref(store->source);
	hub_park(hub);
	draft->activity = DRAFT_STORING;
	draft_check(draft);
	if (taken == 1)
		post(store, run);
	return 0;
}
