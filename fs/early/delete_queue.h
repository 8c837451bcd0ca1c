/*
 * gather: single deletes of many callers become DeleteObjects of up to 1,000 keys.
 *
 * A key is sent with others of its bucket when 1,000 are together, when nobody added one for GATHER_IDLE_MS,
 * when the first is GATHER_AGE_MS old, or at once when somebody waits (gather_hurry).  Each key has its own
 * outcome.  Order is the callers': whoever adds a key holds its claim until on_done.
 *
 * Runs on one worker, so that nothing here needs a lock; keys come through its mailbox.
 */
#ifndef FERRYFS_FS_EARLY_DELETE_QUEUE_H
#define FERRYFS_FS_EARLY_DELETE_QUEUE_H

#include "engine/object/purge.h"

enum { GATHER_IDLE_MS = 20, GATHER_AGE_MS = 200 };

/* One key; the caller's memory, with all it points to, until on_done (the worker's thread, once, no lock
 * held). */
struct gathered {
	/* given */
	struct account *account;
	struct str bucket, key;
	struct str etag; /* only while it has this one; STR_NONE: whatever it is */
	void (*on_done)(struct gathered *gathered);
	void *user;
	/* result */
	int error; /* 0: gone; -ESTALE: it has another ETag */
	const char *code; /* S3's, or ""; lent to on_done, as is request_id */
	const char *request_id;
	/* private */
	struct task task;
	struct gather *gather;
	struct gathered *next;
};

struct gather;

int gather_new(struct worker *worker, struct gather **ret);
/* After the engine was freed: then nothing is left.  Accepts NULL. */
void gather_free(struct gather *gather);

/* Any thread, also under hub.lock. */
void gather_add(struct gather *gather, struct gathered *gathered);
void gather_hurry(struct gather *gather);
/* From now on nothing is held back: before the engine is freed. */
void gather_stop(struct gather *gather);

#endif
