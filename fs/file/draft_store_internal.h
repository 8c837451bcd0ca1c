/*
 * draft_store_inside: one store of a draft, shared by two files.  draft_store.c begins it and reports its
 * result.  draft_send.c brings the content to S3 in between.
 *
 * The fields are written before the store is given to its worker, and by that worker's thread afterwards.
 */
#ifndef FERRYFS_FS_FILE_DRAFT_STORE_INTERNAL_H
#define FERRYFS_FS_FILE_DRAFT_STORE_INTERNAL_H

#include "engine/object/recopy.h"
#include "engine/object/upload.h"
#include "fs/core/key_hold.h"
#include "fs/core/place.h"
#include "fs/file/relay.h"
#include "fs/file/draft_internal.h"
#include "fs/file/recognise_copy.h"

struct store_outcome;

struct store {
	struct hub *hub;
	void (*finish)(
		struct store *store, struct store_outcome *outcome); /* draft_store.c; set by draft_store */
	void (*ended)(struct hub *hub, struct node *node); /* given to draft_store */
	struct node *node; /* referenced */
	struct node *source; /* referenced; NULL: an upload */
	pid_t thread; /* a copy: the thread that asked for it */
	struct worker *worker;
	struct task task;
	struct key_hold hold; /* of the destination, exclusive, and of the source */
	struct place *place, *from; /* owned: place_keep; from NULL: an upload */
	struct headers headers;
	bool keeps; /* the headers are the edited object's own */
	struct store_attrs *attrs; /* owned; NULL: metadata keeps no attributes */
	uint64_t size;
	bool bulk; /* interactive requests go before it */
	bool create_only, exclusive; /* as in the draft */
	int64_t began; /* the time of the copy's begin, by the server's clock */
	char base[ETAG_MAX + 1];
	int fd;
	int error; /* of a failure before the first request */
	bool disturbed; /* the old object may be overwritten, although the content was not stored */
	bool looked; /* the source turned out to be another version; it is asked for only once */
	char source_etag[ETAG_MAX + 1];
	char storage_class[STORAGE_CLASS_MAX + 1];
	struct copy_settings settings;
	union {
		struct upload upload;
		struct copy copy;
		struct call call;
	};
	/* Rarely used, and large if thousands of copies are under way: owned, NULL until needed. */
	struct recognise_copy *recognise;
	struct recopy *recopy;
	struct carry *carry;
};

struct store_outcome {
	int error;
	const char *etag;
	const struct s3_answer *answer; /* NULL: no request was made */
	bool ambiguous; /* the store failed, yet S3 may have the content */
	bool conflict; /* it failed because of the object at the key */
};

/* draft_send.c: on the worker's thread, under the claim.  Ends with exactly one store_finish. */
void store_send(struct store *store);

/* Ends the store.  The worker's thread, no lock held; frees the store. */
static inline void store_finish(struct store *store, struct store_outcome *outcome)
{
	store->finish(store, outcome);
}

/* Ends the store with an error for which there is no answer of S3. */
static inline void store_fail(struct store *store, int error)
{
	store_finish(store, &(struct store_outcome){.error = error});
}

#endif
