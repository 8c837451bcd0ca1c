/*
 * Where to cut a tree's listing: at its directories, asked for by one listing with a delimiter beside the
 * ordinary one, rather than guessed at (lister_split.c, which goes on where nothing is known).
 *
 * Each common prefix that lies inside the range of a stream is a place to cut it at: the stream with most of
 * them is cut in the middle.  Where there is but one directory and nothing beside it, the look goes into it.
 * Its findings are a help and no more: a failure of it is no failure of the listing, and the end of the
 * listing does not wait for its answer.
 */
#include "engine/list/lister_internal.h"

#include <errno.h>

enum { DEPTH_MAX = 8 }; /* of directories with nothing but one directory in them */

static void scout_done(struct call *call, const struct s3_answer *answer);

static bool is_going_on(const struct lister *lister)
{
	return lister->error == 0 && !lister->finishing && lister->stream_count > 0;
}

static void scout_ask(struct lister *lister)
{
	struct call *call = &lister->scout;
	call_init(call);
	call->account = lister->options.account;
	call->request.op = S3_LIST_OBJECTS;
	call->request.bucket = lister->options.bucket;
	call->request.prefix =
		lister->scout_depth == 0 ? lister->options.prefix : buf_str(&lister->scout_prefix);
	call->request.delimiter = STR("/");
	call->sinks.page = lister->points;
	call->flags = CALL_ONCE | (lister->options.bulk ? CALL_BULK : 0);
	call->on_done = scout_done;
	call->user = lister;
	lister->scouting = true;
	call_start(lister->worker, call);
}

/* The one directory there is, to be looked into. */
static bool goes_deeper(struct lister *lister)
{
	const struct page *page = lister->points;
	if (page->count != 1 || !page->entries[0].is_prefix || page->truncated ||
		++lister->scout_depth > DEPTH_MAX)
		return false;
	buf_clear(&lister->scout_prefix);
	return buf_add_str(&lister->scout_prefix, page->entries[0].key) == 0;
}

static void keep_prefixes(struct page *page)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < page->count; i++) {
		/* In order, or they are of no use. */
		if (page->entries[i].is_prefix &&
			(kept == 0 || str_cmp(page->entries[kept - 1].key, page->entries[i].key) < 0))
			page->entries[kept++] = page->entries[i];
	}
	page->count = kept;
}

static void scout_done(struct call *call, const struct s3_answer *answer)
{
	struct lister *lister = call->user;
	lister->scouting = false;
	if (call->error != 0 || !is_going_on(lister))
		page_clear(lister->points);
	else if (goes_deeper(lister))
		scout_ask(lister);
	else
		keep_prefixes(lister->points);
	lister_pump(lister);
}

void lister_scout(struct lister *lister)
{
	if (lister->scouted || lister->options.streams < 2 || lister->unordered)
		return;
	lister->scouted = true;
	if (page_new(&lister->points) == 0)
		scout_ask(lister);
}

void lister_scout_end(struct lister *lister)
{
	if (lister->scouting)
		call_cancel(&lister->scout);
}

/* The first point behind key. */
static unsigned first_behind(const struct page *points, struct str key)
{
	unsigned low = 0, high = points->count;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (str_cmp(points->entries[middle].key, key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct stream *lister_scouted(struct lister *lister, struct str *ret)
{
	const struct page *points = lister->points;
	struct stream *best = NULL;
	unsigned most = 0;
	if (!points || lister->scouting)
		return NULL;
	for (struct stream *s = lister->streams; s; s = s->next) {
		unsigned from = s->has_after ? first_behind(points, buf_str(&s->after)) : 0;
		unsigned to = points->count;
		/* A point that is the range's end itself cuts nothing off. */
		if (s->has_end)
			to = first_behind(points, buf_str(&s->end));
		if (s->has_end && to > from && str_eq(points->entries[to - 1].key, buf_str(&s->end)))
			to--;
		if (to <= from || to - from <= most)
			continue;
		most = to - from;
		best = s;
		*ret = points->entries[from + most / 2].key;
	}
	return best;
}
