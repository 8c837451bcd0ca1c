/*
 * twins: are two names of a bucket one bucket?
 *
 * A service answers by several host names, and a bucket by several names of its own (an access point's alias,
 * an alias of Garage).  No text says so.  The objects do: one object under two names has one ETag, one size
 * and one time, and an upload in parts that was begun under one name is listed under the other.
 *
 *   step     request                                    next
 *   LOOK_A   HEAD of the key under the first name       LOOK_B
 *   LOOK_B   HEAD of the key under the second name      PROBE where both say the same, else AGAIN
 *   AGAIN    HEAD under the first name once more        NO if it is as it was, else LOOK_B (a few times)
 *   PROBE    CreateMultipartUpload under the second     LIST_B; UNKNOWN where it is refused
 *            name, of a key that no other client has
 *   LIST_B   ListMultipartUploads under that name       LIST_A; UNKNOWN where it does not show the upload
 *   LIST_A   the same under the first name              YES where it shows the upload, else NO
 *   ABORT    AbortMultipartUpload, then the end
 *
 * No object is made, no byte is written, and no listing of objects shows the probe.  The probe is asked
 * only where the two look like one: nearly every pair of different buckets is told apart by two or three
 * HEADs.
 *
 * A verdict is remembered for the process: at most TWINS_KNOWN_MAX pairs (past it the oldest goes),
 * TWINS_KNOWN_MS each, since an alias can be given to another bucket.
 */
#ifndef FERRYFS_ENGINE_OBJECT_TWINS_H
#define FERRYFS_ENGINE_OBJECT_TWINS_H

#include "engine/wire/call.h"

enum { TWINS_KNOWN_MAX = 256, TWINS_KNOWN_MS = 600 * 1000 };

enum twins_verdict { TWINS_UNKNOWN, TWINS_NO, TWINS_YES };

struct twins_name {
	struct account *account; /* lent */
	struct str bucket; /* lent */
};

/* The verdict that is known without asking.  The same bucket name of one service is YES.  Any thread. */
enum twins_verdict twins_known(const struct twins_name *a, const struct twins_name *b);
/* Remembers a verdict that the caller found out by itself (not UNKNOWN).  Any thread. */
void twins_learn(const struct twins_name *a, const struct twins_name *b, enum twins_verdict verdict);

struct twins {
	/* given, with a zeroed rest; lent until on_done, which comes once, on the worker's thread */
	struct twins_name a, b;
	struct str key; /* the key to look at under both names; STR_NONE: none, the probe alone tells */
	struct str prefix; /* where the probe's key may lie */
	unsigned call_flags;
	void (*on_done)(struct twins *twins);
	void *user;

	/* result */
	enum twins_verdict verdict;
	int error; /* UNKNOWN: why: -errno of the request that told nothing */
	struct s3_answer answer; /* of that request */

	/* private */
	struct worker *worker;
	struct call call;
	unsigned rounds;
	bool listed_b;
	struct page *page;
	struct {
		int error;
		uint64_t size;
		int64_t mtime;
		char etag[ETAG_MAX + 1];
		char version_id[VERSION_ID_MAX + 1];
	} seen_a, seen_b;
	char probe[KEY_MAX + 1];
	char upload_id[UPLOAD_ID_MAX + 1];
};

/* Worker thread.  on_done never comes from inside. */
void twins_start(struct worker *worker, struct twins *twins);
/* Blocks until it is done; not from a worker. */
enum twins_verdict twins_wait(struct engine *engine, struct twins *twins);

#endif
