/*
 * fetch: a range of one object into memory, by one ranged GET with If-Match, going on where a cut transfer
 * ended.
 *
 * The fetch and its buffer are the caller's until on_done (worker thread, exactly once).
 */
#ifndef FERRYFS_ENGINE_OBJECT_FETCH_H
#define FERRYFS_ENGINE_OBJECT_FETCH_H

#include "engine/wire/call.h"

struct fetch {
	/* given */
	struct account *account;
	struct str bucket, key;
	struct str etag; /* If-Match; STR_NONE: any version (then a cut transfer is not resumed) */
	uint64_t start;
	size_t length; /* > 0 */
	char *data; /* length bytes, or NULL: on_data takes them in order */
	int (*on_data)(struct fetch *fetch, const char *data, size_t len);
	struct headers *headers; /* lent: the object's; NULL: unwanted */
	void (*on_done)(struct fetch *fetch, const struct s3_answer *answer);
	void *user;
	unsigned call_flags;

	/* result */
	int error; /* 0; -ESTALE: another ETag by now, or gone; -EIO ... */
	size_t got; /* less than length at the object's end */

	/* private */
	struct call call;
	struct worker *worker;
	unsigned resumed;
	size_t before; /* got when this call began */
	int refused; /* the return value of on_data */
};

void fetch_start(struct worker *worker, struct fetch *fetch); /* worker thread */
void fetch_post(struct worker *worker, struct fetch *fetch); /* any thread */

#endif
