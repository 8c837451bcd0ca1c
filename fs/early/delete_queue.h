/*
 * gather: single deletes of many callers become DeleteObjects of up to 1,000 keys.
 *
 * A key is sent with others of its bucket when 1,000 are together, when no caller added one for
 * GATHER_IDLE_MS, when the first is GATHER_AGE_MS old, or at once when a caller waits (gather_hurry).  Each
 * key has its own outcome.  The callers keep the order: the caller that adds a key holds its claim until
 * on_done.
 *
 * Runs on one worker, so that it needs no lock; keys come through that worker's mailbox.
 */
#ifndef FERRYFS_FS_EARLY_DELETE_QUEUE_H
#define FERRYFS_FS_EARLY_DELETE_QUEUE_H

#include "engine/object/purge.h"

enum { GATHER_IDLE_MS = 20, GATHER_AGE_MS = 200 };

/* One key.  The memory, with all it points to, is the caller's until on_done (called once, on the worker's
 * thread, no lock held). */
struct gathered {
	/* given */
	struct account *account;
	struct str bucket, key;
	struct str etag; /* deletes the object only if it has this ETag; STR_NONE: any */
	void (*on_done)(struct gathered *gathered);
	void *user;
	/* result */
	int error; /* 0: deleted; -ESTALE: the object has another ETag */
	const char *code; /* S3's error code, or ""; lent to on_done, as is request_id */
	const char *request_id;
	/* private */
	struct task task;
	struct gather *gather;
	struct gathered *next;
};

struct gather;

int gather_new(struct worker *worker, struct gather **ret);
/* After the engine was freed: no key is left then.  Accepts NULL. */
void gather_free(struct gather *gather);

/* Any thread, also under hub.lock. */
void gather_add(struct gather *gather, struct gathered *gathered);
void gather_hurry(struct gather *gather);
/* From now on no key is held back.  Called before the engine is freed. */
void gather_stop(struct gather *gather);

#endif
