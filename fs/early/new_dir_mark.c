#include "fs/early/new_dir_mark.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "fs/core/notify.h"
#include "fs/dir/marker.h"
#include "fs/early/marker_copy.h"

enum { RETAKES_MAX = 16 };

struct mark {
	struct hub *hub;
	struct batch *batch; /* referenced, promised */
	struct node *node; /* referenced */
	struct node *source; /* referenced; NULL: none */
	enum mark_fate fate;
	unsigned retakes;
	int taken; /* claim_take's answer, while in a chain */
	struct mark *next; /* in a chain */
	struct claim claim;
	struct marker marker;
	struct marker_copy copy;
};

static void new_dir_mark_end(struct mark *mark, int error)
{
	struct hub *hub = mark->hub;
	struct batch *batch = mark->batch;
	struct node *node = mark->node;

	claim_release(hub->claims, &mark->claim, error);
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

static void new_dir_mark_granted(struct claim *claim);

static bool same_place(const struct place *a, const struct place *b)
{
	return str_eq(place_key(a), place_key(b)) && str_eq(place_bucket(a), place_bucket(b));
}

/* hub.lock held.  Returns the answer of claim_take. */
static int claim_it(struct mark *mark)
{
	const struct place *place = &mark->marker.place, *from = &mark->copy.from;
	bool below = mark->fate == MARK_ALONE || mark->fate == MARK_SPARE;
	int error = node_place(mark->node, &mark->marker.place);

	if (error == 0 && mark->source)
		error = node_place(mark->source, &mark->copy.from);
	mark->claim = (struct claim){.granted = new_dir_mark_granted, .user = mark};
	if (error == 0)
		error = claim_add(
			&mark->claim, place->account, place_bucket(place), place_key(place), below, true);
	if (error == 0 && mark->source)
		error = claim_add(
			&mark->claim, from->account, place_bucket(from), place_key(from), false, false);
	return error < 0 ? error : claim_take(mark->hub->claims, &mark->claim);
}

/* hub.lock held. */
static bool wanted(const struct mark *mark)
{
	const struct node *node = mark->node;

	if (node->gone)
		return false;
	return mark->fate != MARK_ALONE || node->local;
}

/* Do the names still lie where the claim says?  hub.lock held. */
static bool in_place(struct mark *mark)
{
	struct place place;

	if (node_place(mark->node, &place) < 0 || !same_place(&place, &mark->marker.place))
		return false;
	if (!mark->source)
		return true;
	/* A source that is gone cannot be copied any more; S3 will answer so. */
	return mark->source->gone ||
	       (node_place(mark->source, &place) == 0 && same_place(&place, &mark->copy.from));
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

static void new_dir_mark_begin(struct mark *mark)
{
	struct hub *hub = mark->hub;
	int result = 1;

	while (result == 1) {
		hub_lock(hub);
		bool is_wanted = wanted(mark), there = is_wanted && in_place(mark);

		hub_unlock(hub);
		if (!is_wanted) {
			new_dir_mark_end(mark, 0);
			return;
		}
		if (there) {
			new_dir_mark_go(mark);
			return;
		}
		claim_release(hub->claims, &mark->claim, 0);
		hub_lock(hub);
		result = mark->retakes++ < RETAKES_MAX ? claim_it(mark) : -EBUSY;
		hub_unlock(hub);
	}
	if (result < 0)
		new_dir_mark_end(mark, result);
}

static void new_dir_mark_granted(struct claim *claim)
{
	new_dir_mark_begin(claim->user);
}

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
	int result = claim_it(mark);

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
		if (mark->taken < 0)
			new_dir_mark_end(mark, mark->taken);
		else
			new_dir_mark_begin(mark);
	}
}
