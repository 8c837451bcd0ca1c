/*
 * purge: up to 1,000 keys deleted, each with its own outcome.
 *
 * Keys that XML can carry go in one DeleteObjects; a key it cannot carry, one with a named version, and one
 * that the server could not do just now (InternalError, SlowDown) go by DELETEs of their own, a few at once.
 * So do those with an ETag where the service refuses a set with ETags (TRAIT_DELETE_SET_MATCH).
 * A key that is gone already counts as deleted.  The purge, its array and the texts are the caller's until
 * on_done (worker thread, exactly once, never from inside).
 */
#ifndef FERRYFS_ENGINE_OBJECT_PURGE_H
#define FERRYFS_ENGINE_OBJECT_PURGE_H

#include "engine/wire/call.h"

enum { PURGE_SINGLES = 8, PURGE_CODE_MAX = 32 };

struct purge_key {
	struct str key;
	/* Only while it has this one; STR_NONE: any version.  Left out unless the account's
	 * TRAIT_DELETE_IF_MATCH may be relied on or learnt: a caller without TRAIT_YES looks at the object
	 * just before. */
	struct str etag;
	int64_t mtime; /* the time that a listing gave with this ETag; 0: none did */
	struct str version; /* this version; STR_NONE: none named */
	void *user;
	int error; /* result: 0 gone; -ESTALE: it has another ETag; else the server's error */
	char code[PURGE_CODE_MAX + 1]; /* S3's, or "" */
	bool whole; /* error is of a set as a whole: nothing was said of this key */
	/* private */
	bool single, look, refused, plain;
};

struct purge_slot {
	struct purge *purge;
	struct call call;
	struct purge_key *key; /* NULL: free */
};

struct purge {
	/* given */
	struct account *account;
	struct str bucket;
	struct purge_key *keys;
	unsigned count; /* 1 .. DELETE_SET_MAX */
	unsigned call_flags;
	void (*on_done)(struct purge *purge);
	void *user;

	/* result: of the last refusal or failure, "" where there was none */
	char request_id[ANSWER_ID_MAX + 1];
	int status;

	/* private */
	struct worker *worker;
	struct delete_set *set;
	struct buf body;
	struct purge_slot slots[PURGE_SINGLES];
	unsigned next, active;
	bool cancelled, has_etags;
	struct task task;
};

/* Worker thread.  Fields not named "given" must be zero. */
void purge_start(struct worker *worker, struct purge *purge);
/* Worker thread.  Calls on the wire are waited for; the rest ends with -ECANCELED. */
void purge_cancel(struct purge *purge);

#endif
