/*
 * Storing: the content of a draft is brought to S3 under claims: an exclusive one on the destination's key, a
 * shared one on a source's key.  No caller changes the content meanwhile, so S3 acknowledges exactly the
 * content of the draft.
 *
 *   claim -> (the names are still where the claim says) -> send (draft_send.c) -> end
 *
 * A failure is logged here, once; each wait reports it to its caller.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/log.h"
#include "fs/core/place.h"
#include "fs/dir/dir.h"
#include "fs/file/draft_store_internal.h"
#include "fs/file/handle.h"
#include "fs/file/taken.h"

/* hub.lock held. */
static int draft_store_places(struct store *store, bool *ret_changed)
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

static struct store *store_of(struct key_hold *hold)
{
	return (struct store *)((char *)hold - offsetof(struct store, hold));
}

/* Takes the draft's condition: a rename may have changed it while the store waited.  hub.lock held. */
static void take_condition(struct store *store)
{
	const struct draft *draft = store->node->draft;

	store->create_only = draft->create_only;
	store->exclusive = draft->exclusive;
	memcpy(store->base, draft->base, sizeof(store->base));
}

static int draft_store_locate(struct key_hold *hold, bool *ret_changed)
{
	struct store *store = store_of(hold);

	take_condition(store);
	return store->node->draft->disowned ? -ESTALE : draft_store_places(store, ret_changed);
}

static int draft_store_add(struct key_hold *hold, struct claim *claim)
{
	const struct store *store = store_of(hold);
	const struct place *place = store->place, *from = store->from;
	int error = claim_add(claim, place->account, place_bucket(place), place_key(place), false, true);

	if (error == 0 && store->source)
		error = claim_add(claim, from->account, place_bucket(from), place_key(from), false, false);
	return error;
}

/* ---- the end ---- */

static void store_free_memory(struct store *store)
{
	headers_release(&store->headers);
	free(store->recognise);
	free(store->recopy);
	free(store->attrs);
	free(store->carry);
	free(store->place);
	free(store->from);
	free(store);
}

static void store_free(struct store *store)
{
	struct hub *hub = store->hub;

	store->ended(hub, store->node);
	hub_lock(hub);
	node_unref(hub->nodes, store->source);
	node_unref(hub->nodes, store->node);
	hub_unlock(hub);
	store_free_memory(store);
	hub_unpark(hub);
}

/* S3 has the content.  Returns the draft if it is no longer needed.  hub.lock held. */
static struct draft *acknowledged(struct store *store, const struct store_outcome *outcome)
{
	struct hub *hub = store->hub;
	struct node *node = store->node;
	struct draft *draft = node->draft;

	/* The time that stat showed stays: node.h. */
	if (node_set_attr(node, store->size, draft->mtime.tv_sec, (int32_t)draft->mtime.tv_nsec,
		    str_of(outcome->etag), str_of(store->storage_class)) < 0) {
		node->local = false;
		node->attr.fetched_ms = 0; /* so that the attributes are asked for again */
	}
	draft_attrs_stored(node, store->attrs);
	draft_stored(draft, 0);
	draft->ours = true;
	/* An edit that continues is one of this version. */
	if (draft->base[0])
		snprintf(draft->base, sizeof(draft->base), "%s", outcome->etag);
	handle_follow(hub, node, NULL);
	dir_child_added(hub, node);
	dir_landed(node);
	return draft->content == DRAFT_DATA ? NULL : draft;
}

static const char *draft_store_consequence(
	const struct store *store, const struct store_outcome *outcome, bool existed)
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

static void draft_store_log_failure(
	const struct store *store, const struct store_outcome *outcome, bool existed)
{
	log_call(LOG_LEVEL_ERROR, &(struct log_call){
					  .what = store->source ? "copy" : "upload",
					  .bucket = place_bucket(store->place),
					  .key = place_key(store->place),
					  .error = outcome->error,
					  .answer = outcome->answer,
					  .consequence = draft_store_consequence(store, outcome, existed),
				  });
}

/* If the object at the key may not be replaced, the attributes known here are not its attributes.
 * hub.lock held. */
static void found_foreign(struct store *store, struct store_outcome *outcome)
{
	struct node *node = store->node;

	outcome->conflict = outcome->answer && draft_is_conflict(node->draft, outcome->error);
	node->draft->conflict = outcome->conflict;
	if (!outcome->conflict)
		return;
	node->attr.fetched_ms = 0;
	/* Only O_EXCL is answered EEXIST. */
	if (!store->exclusive)
		outcome->error = -ESTALE;
}

/* The object at the destination is this mount's own.  This version of the source was copied, even if
 * another one was opened. */
static void note_versions(const struct store *store)
{
	struct taken *taken = store->hub->taken;

	taken_forget(taken, store->place);
	if (store->source)
		taken_note(taken, store->thread, store->from, store->source_etag);
}

/* Is the error still to be reported?  Set together with the error: a flush that comes before the waits
 * have run must not store again. */
static bool is_untold(const struct draft_wait *waits)
{
	for (const struct draft_wait *wait = waits; wait; wait = wait->next)
		if (wait->answered)
			return true;
	return !waits;
}

/* Ends the store, and logs a failure; frees the store. */
static void draft_store_finish(struct store *store, struct store_outcome *outcome)
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
	} else if (draft->disowned) {
		/* The file was unlinked, or renamed over, while the store waited for its turn: this is no
		 * error. */
		outcome->error = 0;
		draft_stored(draft, 0);
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
		draft_store_log_failure(store, outcome, existed);
	else
		note_versions(store);
	key_hold_release(&store->hold, outcome->error);
	draft_run_waits(waits, DRAFT_STORING, outcome->error);
	store_free(store);
}

/* ---- the beginning ---- */

static void draft_store_run(struct task *task, struct worker *worker)
{
	store_send((struct store *)((char *)task - offsetof(struct store, task)));
}

static void draft_store_run_failed(struct task *task, struct worker *worker)
{
	struct store *store = (struct store *)((char *)task - offsetof(struct store, task));

	store_fail(store, store->error);
}

static void draft_store_post(struct store *store, void (*function)(struct task *task, struct worker *worker))
{
	store->task = (struct task){.run = function};
	worker_post(store->worker, &store->task);
}

/* Goes on on a worker, also after a failure: this may run inside the end of another operation. */
static void draft_store_ready(struct key_hold *hold, int error)
{
	struct store *store = store_of(hold);

	store->error = error;
	draft_store_post(store, error < 0 ? draft_store_run_failed : draft_store_run);
}

static const struct key_hold_kind draft_store_kind = {
	.locate = draft_store_locate, .add = draft_store_add, .ready = draft_store_ready};

int draft_store(struct hub *hub, struct node *node, void (*ended)(struct hub *hub, struct node *node))
{
	struct draft *draft = node->draft;
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	store->hub = hub;
	store->node = node;
	store->finish = draft_store_finish;
	store->ended = ended;
	store->hold = (struct key_hold){.kind = &draft_store_kind, .hub = hub};
	store->worker = engine_pick(hub->engine);
	store->size = draft->size;
	store->fd = draft->fd;
	store->bulk = draft->bulk;
	if (draft->content == DRAFT_COPY) {
		assert(draft_copy_whole(draft));
		store->source = draft->source.node;
		store->thread = draft->source.thread;
		memcpy(store->source_etag, draft->source.etag, sizeof(store->source_etag));
		memcpy(store->storage_class, draft->source.storage_class, sizeof(store->storage_class));
	}
	headers_init(&store->headers);
	store->keeps = draft->keeps;
	int taken = headers_add_all(&store->headers, &draft->kept);

	if (taken == 0)
		taken = draft_store_attrs(node, &store->attrs);
	if (taken == 0)
		taken = key_hold_take(&store->hold);
	if (taken < 0) {
		key_hold_release(&store->hold, 0);
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
		draft_store_post(store, draft_store_run);
	return 0;
}
