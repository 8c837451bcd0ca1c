#include "fs/early/new_dir_mark.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "fs/core/key_hold.h"
#include "fs/core/notify.h"
#include "fs/core/place.h"
#include "fs/dir/marker.h"
#include "fs/early/marker_copy.h"

struct mark {
	struct hub *hub;
	struct batch *batch; /* referenced, promised */
	struct node *node; /* referenced */
	struct node *source; /* referenced; NULL: none */
	enum mark_fate fate;
	int taken; /* the answer of key_hold_take, while in a chain */
	struct mark *next; /* in a chain */
	struct key_hold hold; /* of the directory's marker, or all below it, and of the source's marker */
	struct marker marker;
	struct marker_copy copy;
};

static void new_dir_mark_end(struct mark *mark, int error)
{
	struct hub *hub = mark->hub;
	struct batch *batch = mark->batch;
	struct node *node = mark->node;

	key_hold_release(&mark->hold, error);
	hub_lock(hub);
	/* A directory that could not be made is not shown, unless it has entries by now. */
	if (error < 0 && mark->fate <= MARK_ALONE && node->local && !node->gone && !node->children) {
		notify_entry(hub, node->parent->ino, str_n(node->name, node->name_len));
		nodes_detach(hub->nodes, node);
	}
	node_unref(hub->nodes, node);
	node_unref(hub->nodes, mark->source);
	hub_unlock(hub);
	free(mark);
	batch_keep(batch, error);
	batch_unref(batch);
	hub_unpark(hub);
}

static void new_dir_mark_on_marked(struct marker *marker, int error, const struct s3_answer *answer)
{
	struct mark *mark = marker->user;
	bool spare = mark->fate == MARK_SPARE;

	if (error < 0)
		log_call(LOG_LEVEL_ERROR,
			&(struct log_call){
				.what = spare ? "rmdir" : "mkdir",
				.bucket = place_bucket(&marker->place),
				.key = place_key(&marker->place),
				.error = error,
				.answer = answer,
				.consequence = spare ? "the directory has a marker that its source has not"
						     : "the directory's marker was not written",
			});
	new_dir_mark_end(mark, error);
}

static struct mark *mark_of(struct key_hold *hold)
{
	return (struct mark *)((char *)hold - offsetof(struct mark, hold));
}

/* The name's place now, in *place; returns its error. */
static int mark_locate_one(const struct node *node, struct place *place, bool *changed)
{
	struct place now;
	int error = node_place(node, &now);

	if (error < 0)
		return error;
	*changed |= !place_same_key(&now, place);
	*place = now;
	return 0;
}

/* hub.lock held. */
static bool mark_is_wanted(const struct mark *mark)
{
	return !mark->node->gone && (mark->fate != MARK_ALONE || mark->node->local);
}

/* -ECANCELED: no marker is wanted any more. */
static int new_dir_mark_locate(struct key_hold *hold, bool *ret_changed)
{
	struct mark *mark = mark_of(hold);
	const struct node *node = mark->node;

	if (!mark_is_wanted(mark))
		return -ECANCELED;
	int error = mark_locate_one(node, &mark->marker.place, ret_changed);

	/* A source that is gone cannot be copied any more; S3 will answer so. */
	if (error == 0 && mark->source && !mark->source->gone)
		error = mark_locate_one(mark->source, &mark->copy.from, ret_changed);
	return error;
}

static int new_dir_mark_add(struct key_hold *hold, struct claim *claim)
{
	const struct mark *mark = mark_of(hold);
	const struct place *place = &mark->marker.place, *from = &mark->copy.from;
	bool below = mark->fate == MARK_ALONE || mark->fate == MARK_SPARE;
	int error = claim_add(claim, place->account, place_bucket(place), place_key(place), below, true);

	if (error == 0 && mark->source)
		error = claim_add(claim, from->account, place_bucket(from), place_key(from), false, false);
	return error;
}

static void new_dir_mark_go(struct mark *mark)
{
	switch (mark->fate) {
	case MARK_COPY:
		marker_copy(&mark->copy, &mark->marker);
		break;
	case MARK_ALONE:
		marker_write(&mark->marker);
		break;
	case MARK_KEEP:
		marker_ensure(&mark->marker);
		break;
	case MARK_SPARE:
		marker_spare(&mark->marker);
		break;
	}
}

static void new_dir_mark_ready(struct key_hold *hold, int error)
{
	struct mark *mark = mark_of(hold);

	if (error < 0)
		new_dir_mark_end(mark, error == -ECANCELED ? 0 : error);
	else
		new_dir_mark_go(mark);
}

static const struct key_hold_kind new_dir_mark_kind = {
	.locate = new_dir_mark_locate, .add = new_dir_mark_add, .ready = new_dir_mark_ready};

bool early_mark_take(const struct mark_wish *wish, struct mark **chain)
{
	struct hub *hub = wish->hub;
	struct mark *mark = calloc(1, sizeof(*mark));

	if (!mark)
		return false;
	batch_promise_more(wish->batch);
	mark->hub = hub;
	mark->batch = batch_ref(wish->batch);
	mark->fate = wish->fate;
	mark->node = node_ref(wish->node);
	mark->marker.hub = hub;
	mark->marker.worker = engine_pick(hub->engine);
	mark->marker.directory = mark->node;
	mark->marker.on_done = new_dir_mark_on_marked;
	mark->marker.user = mark;
	if (wish->source) {
		mark->source = node_ref(wish->source);
		mark->copy.plain = dir_marker_plain(wish->source);
	}
	hub_park(hub);
	mark->hold = (struct key_hold){.kind = &new_dir_mark_kind, .hub = hub};
	int result = key_hold_take(&mark->hold);

	/* A claim that waits may be granted from now on, and the mark may end. */
	if (result != 0) {
		mark->taken = result;
		mark->next = *chain;
		*chain = mark;
	}
	return true;
}

void early_marks_go(struct mark *chain)
{
	while (chain) {
		struct mark *mark = chain;

		chain = mark->next;
		int error = mark->taken < 0 ? mark->taken : 0;

		/* The lock was given back since the keys were taken. */
		hub_lock(mark->hub);
		if (error == 0 && !mark_is_wanted(mark))
			error = -ECANCELED;
		hub_unlock(mark->hub);
		new_dir_mark_ready(&mark->hold, error);
	}
}
