/*
 * lister_internal: shared by lister.c and lister_split.c.
 *
 * A stream lists one range of keys, (after, end]: after is where it has got to, end the last key that is its
 * own, or none where it goes on to the end of the prefix.  Streams' ranges never overlap and together make up
 * all that is still to be listed.
 *
 *   stream is   call          means
 *   idle        CALL_IDLE     wants its next page as soon as there is a credit
 *   busy        on the wire   holds a credit and a page
 * A stream that has reached its end is freed at once.
 *
 * A split shortens one busy stream's range to (after, guess] and makes a new stream for (guess, end].  Since
 * both keep to their ranges with any answer of the server, each key is delivered exactly once, wherever the
 * guess lies; a bad one costs one request with an empty answer, and tells that nothing is there.
 */
#ifndef FERRYFS_ENGINE_LIST_LISTER_INTERNAL_H
#define FERRYFS_ENGINE_LIST_LISTER_INTERNAL_H

#include "engine/list/lister.h"

enum {
	LISTER_STREAMS_MAX = 32,
	LISTER_KEPT_MAX = 8, /* pages kept for use again */
	LISTER_KEY_MAX = KEY_MAX + 8, /* a guess may be longer than a key */
};

struct stream {
	struct stream *next;
	struct lister *lister;
	struct stream
		*parent; /* its range was cut from this stream's, until its first page is here; may be NULL */
	struct call call;
	struct page *page; /* while busy */
	struct buf after, end, token;
	bool has_after, has_end, has_token;
	bool behind; /* after is no key, but lies behind all that begin with a common prefix */
	bool cut; /* it came from a split */
	bool first; /* its first page is yet to come */
	unsigned pages; /* full ones since it was last split: it is worth splitting */
	size_t cut_at; /* where its range was cut off from its parent's: offset of the guessed byte */
	size_t common; /* bytes that the first and the last key of its last page share */
};

struct lister {
	struct worker *worker;
	struct lister_options options;
	struct buf texts; /* of options */
	struct stream *streams;
	unsigned stream_count, busy, credits;
	unsigned pages; /* asked for */
	unsigned splits, wasted; /* guesses, and those that found nothing */
	struct call scout; /* lister_scout.c */
	struct page *points; /* its answer: directories, in order; NULL: none asked for */
	struct buf scout_prefix;
	unsigned scout_depth;
	bool scouted, scouting; /* asked for once; on the wire */
	bool unordered; /* keys do not come in byte order: no ranges (S3 Express directory buckets) */
	bool cancelled, finishing;
	int error;
	bool left_out; /* entries that can't be used (s3/page.h) */
	struct s3_answer *answer; /* the refusal, a copy */
	size_t hit_at; /* the least cut_at of a guess that found keys; SIZE_MAX: none yet */
	bool seen[256]; /* bytes that keys have after the prefix */
	unsigned inside; /* depth of on_page */
	struct page *kept[LISTER_KEPT_MAX];
	unsigned kept_count;
	struct task finish;
};

/* A new idle stream for (after, end], linked; end STR_NONE: none.  NULL when memory is short. */
struct stream *lister_stream_new(struct lister *lister, struct str after, struct str end);

/* Streams with nothing to do are given pages to ask for. */
void lister_pump(struct lister *lister);

/* Asks for the directories, once. */
void lister_scout(struct lister *lister);
void lister_scout_end(struct lister *lister);
/* The stream that is best cut at a directory, and where; NULL: none is known in any. */
struct stream *lister_scouted(struct lister *lister, struct str *ret);

/* Cuts one of the streams in two and returns the new one, or NULL where there is nothing worth it. */
struct stream *lister_split(struct lister *lister);

#endif
