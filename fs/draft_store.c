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
#include "fs/dir.h"
#include "fs/draft_inside.h"
#include "fs/handle.h"
#include "fs/recognise_copy.h"

enum {
	RETAKES_MAX = 16,
	CLOCK_SLACK = 2, /* seconds: Last-Modified has whole ones, and the offset is an estimate */
};

struct store {
	struct hub *hub;
	struct node *node; /* referenced */
	struct node *source; /* referenced; NULL: an upload */
	struct worker *worker;
	struct task task;
	struct claim claim;
	unsigned retakes;
	struct place *place, *from; /* owned: place_keep; from NULL: an upload */
	struct headers headers;
	bool keeps; /* they are the edited object's own */
	uint64_t size;
	bool bulk; /* interactive requests go before it */
	bool create_only, exclusive; /* as the draft says */
	int64_t began; /* the copy, by the server's clock */
	char base[ETAG_MAX + 1];
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
	};
	/* Rare, and large where thousands of copies are under way: owned, NULL until wanted. */
	struct recognise_copy *recognise;
	struct carry *carry;
};

struct outcome {
	int error;
	const char *etag;
	int64_t mtime;
	const struct s3_answer *answer; /* NULL: nothing was asked */
	bool ambiguous; /* it failed, yet may have been stored */
	bool conflict; /* it failed because of what is there */
};

static struct outcome outcome_of(int error, const char *etag, int64_t mtime, const struct s3_answer *answer)
{
	return (struct outcome){.error = error, .etag = etag, .mtime = mtime, .answer = answer};
}

static void granted(struct claim *claim);

/* hub.lock held. */
static int places(struct store *store, bool *ret_changed)
{
	struct place place, from;
	bool changed = false;
	int error = store->source && store->source->gone ? -ESTALE : node_place(store->node, &place);

	if (error == 0 && store->source)
		error = node_place(store->source, &from);
	if (error == 0)
		error = place_keep(&store->place, &place, &changed);
	if (error == 0 && store->source)
		error = place_keep(&store->from, &from, &changed);
	if (error < 0)
		return error;
	*ret_changed = changed;
	return 0;
}

/* hub.lock held.  claim_take's answers. */
static int take(struct store *store)
{
	bool changed;
	int error = places(store, &changed);

	if (error == 0)
		error = claim_add(&store->claim, store->place->account, place_bucket(store->place),
			place_key(store->place), false, true);
	if (error == 0 && store->source)
		error = claim_add(&store->claim, store->from->account, place_bucket(store->from),
			place_key(store->from), false, false);
	if (error < 0)
		return error;
	store->claim.granted = granted;
	store->claim.user = store;
	return claim_take(store->hub->claims, &store->claim);
}

/* ---- the end ---- */

static void store_free_memory(struct store *store)
{
	headers_release(&store->headers);
	free(store->recognise);
	free(store->carry);
	free(store->place);
	free(store->from);
	free(store);
}

static void store_free(struct store *store)
{
	struct hub *hub = store->hub;

	draft_settle(hub, store->node);
	hub_lock(hub);
	node_unref(hub->nodes, store->source);
	node_unref(hub->nodes, store->node);
	hub_unlock(hub);
	store_free_memory(store);
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
	/* An edit that goes on is one of this version. */
	if (draft->base[0])
		snprintf(draft->base, sizeof(draft->base), "%s", outcome->etag);
	handle_follow(hub, node, NULL);
	dir_child_added(hub, node);
	dir_landed(node);
	return draft->content == DRAFT_DATA ? NULL : draft;
}

static const char *consequence(const struct store *store, const struct outcome *outcome, bool existed)
{
	if (store->disturbed)
		return "not stored, and what was there may be overwritten";
	if (outcome->ambiguous)
		return "an attempt had no answer: it may have been stored";
	if (outcome->conflict)
		return "not stored: another client has changed it meanwhile, and that stays; what was "
		       "written here is lost when the file is closed";
	return existed ? "not stored: the object is what it was" : "not stored";
}

static void log_failure(const struct store *store, const struct outcome *outcome, bool existed)
{
	log_call(LOG_LEVEL_ERROR, &(struct log_call){
					  .what = store->source ? "copy" : "upload",
					  .bucket = place_bucket(store->place),
					  .key = place_key(store->place),
					  .error = outcome->error,
					  .answer = outcome->answer,
					  .consequence = consequence(store, outcome, existed),
				  });
}

/* Something else is there than may be replaced: nothing that is known of it is true.  hub.lock held. */
static void found_foreign(struct store *store, struct outcome *outcome)
{
	struct node *node = store->node;

	outcome->conflict = outcome->answer && draft_is_conflict(node->draft, outcome->error);
	node->draft->conflict = outcome->conflict;
	if (!outcome->conflict)
		return;
	node->attr.fetched_ms = 0;
	/* EEXIST is an answer to O_EXCL only. */
	if (!store->exclusive)
		outcome->error = -ESTALE;
}

/* Set together with the failure: a flush that comes before the waits have run must not store it anew. */
static bool is_untold(const struct draft_wait *waits)
{
	for (const struct draft_wait *wait = waits; wait; wait = wait->next)
		if (wait->answered)
			return true;
	return waits == NULL;
}

static void finish(struct store *store, struct outcome *outcome)
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
		found_foreign(store, outcome);
		draft_stored(draft, outcome->error);
		draft->untold = is_untold(waits);
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
	struct outcome outcome = outcome_of(upload->error, upload->etag, upload->mtime, answer);

	outcome.ambiguous = upload->ambiguous;
	finish(upload->user, &outcome);
}

static void upload_now(struct store *store)
{
	const struct view *view = store->place->view;

	store->upload = (struct upload){
		.account = store->place->account,
		.bucket = place_bucket(store->place),
		.key = place_key(store->place),
		.fd = store->fd,
		.size = store->size,
		.headers = &store->headers,
		.part_threshold = view->part_threshold,
		.part_size = view->part_size,
		.create_only = store->create_only,
		.if_match = store->base[0] ? str_of(store->base) : STR_NONE,
		.on_done = on_uploaded,
		.user = store,
	};
	upload_start(store->worker, &store->upload);
}

static void on_recognised(struct recognise_copy *done, const struct s3_answer *answer)
{
	struct store *store = done->user;
	struct outcome outcome = outcome_of(done->error, done->etag, done->mtime, answer);

	store->disturbed = done->disturbed;
	/* What is there now may be that copy. */
	if (done->disturbed)
		store->create_only = false;
	if (done->error == 0 || done->error == -ECANCELED)
		finish(store, &outcome);
	else
		upload_now(store);
}

/* Instead of an upload, a copy of what has the same bytes; false: nothing has. */
static bool recognise(struct store *store)
{
	const struct view *view = store->place->view;

	/* A copy knows no condition on the version that it replaces. */
	if (!view->recognise || store->base[0])
		return false;
	store->recognise = malloc(sizeof(*store->recognise));
	if (!store->recognise)
		return false;
	*store->recognise = (struct recognise_copy){
		.table = store->hub->recognise,
		.worker = store->worker,
		.to = {.account = store->place->account,
			.bucket = place_bucket(store->place),
			.key = place_key(store->place),
			.size = store->size},
		.fd = store->fd,
		.headers = &store->headers,
		.create_only = store->create_only,
		.settings = view_copy_settings(view),
		.on_done = on_recognised,
		.user = store,
	};
	return recognise_copy_start(store->recognise);
}

static void upload(struct store *store)
{
	int error = store->keeps ? 0 : draft_new_headers(&store->headers, store->place);

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
	store->call.request.bucket = place_bucket(store->from);
	store->call.request.key = place_key(store->from);
	store->call.account = store->from->account;
	store->call.on_done = on_looked;
	store->call.user = store;
	call_start(store->worker, &store->call);
}

static void on_carried(struct carry *done, const struct s3_answer *answer)
{
	struct store *store = done->user;
	struct outcome outcome = outcome_of(done->error, done->new_etag, done->mtime, answer);

	if (done->error == -ESTALE && !store->looked)
		look(store);
	else
		finish(store, &outcome);
}

/* Another account's, which the service will not copy for the destination's. */
static void carry(struct store *store)
{
	free(store->carry); /* of the version before */
	store->carry = malloc(sizeof(*store->carry));
	if (!store->carry) {
		finish_early(store, -ENOMEM);
		return;
	}
	*store->carry = (struct carry){
		.from = store->from,
		.to = store->place,
		.etag = store->source_etag,
		.size = store->size,
		.create_only = store->create_only,
		.staging_dir = store->hub->staging_dir,
		.on_done = on_carried,
		.user = store,
	};
	carry_start(store->worker, store->carry);
}

/*
 * Refused since something is there, after an attempt whose answer was lost; and what is there has our size
 * and is no older.  It is that attempt's copy then, which can't be known by its ETag where the source was
 * uploaded in parts or KMS encrypts: the same onto the same.
 */
static bool is_likely_ours(const struct store *store, const struct copy *done, const struct s3_answer *answer)
{
	return done->error == -EEXIST && done->ambiguous && store->create_only &&
	       answer->size == store->size && answer->mtime + CLOCK_SLACK >= store->began;
}

static void on_copied(struct copy *done, const struct s3_answer *answer)
{
	struct store *store = done->user;
	struct outcome outcome = outcome_of(done->error, done->etag, done->mtime, answer);

	outcome.ambiguous = done->ambiguous;
	if (is_likely_ours(store, done, answer)) {
		store->create_only = false;
		copy(store);
		return;
	}
	if (done->error == -ESTALE && !store->looked)
		look(store);
	else if (done->error == -EACCES && !account_same(store->from->account, store->place->account))
		carry(store);
	else
		finish(store, &outcome);
}

static void copy(struct store *store)
{
	if (carry_wanted(store->from, store->place)) {
		carry(store);
		return;
	}
	if (store->began == 0)
		store->began = (int64_t)time(NULL) + account_clock_offset(store->place->account);
	store->settings = view_copy_settings(store->place->view);
	if (store->bulk)
		store->settings.call_flags |= CALL_BULK;
	store->copy = (struct copy){
		.settings = &store->settings,
		.source_account = store->from->account,
		.account = store->place->account,
		.source_bucket = place_bucket(store->from),
		.source_key = place_key(store->from),
		.bucket = place_bucket(store->place),
		.key = place_key(store->place),
		.source_etag = str_of(store->source_etag),
		.storage_class = store->storage_class[0] ? str_of(store->storage_class) : STR_NONE,
		.size = store->size,
		.create_only = store->create_only,
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

/* A rename that was waited for may have changed it.  hub.lock held. */
static void take_condition(struct store *store)
{
	const struct draft *draft = store->node->draft;

	store->create_only = draft->create_only;
	store->exclusive = draft->exclusive;
	memcpy(store->base, draft->base, sizeof(store->base));
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

		take_condition(store);
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
	take_condition(store);
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
		store_free_memory(store);
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
