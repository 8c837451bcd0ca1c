/*
 * draft_store_inside: one store of a draft, shared by draft_store.c, which decides that it may begin and says
 * what became of it, and draft_send.c, which brings the content to S3 in between.
 *
 * The fields are written before the store is given to its worker, and by that worker's thread afterwards.
 */
#ifndef FERRYFS_FS_FILE_DRAFT_STORE_INTERNAL_H
#define FERRYFS_FS_FILE_DRAFT_STORE_INTERNAL_H

#include "engine/object/recopy.h"
#include "engine/object/upload.h"
#include "fs/file/relay.h"
#include "fs/file/draft_internal.h"
#include "fs/file/recognise_copy.h"

struct store {
	struct hub *hub;
	struct node *node; /* referenced */
	struct node *source; /* referenced; NULL: an upload */
	pid_t thread; /* a copy: who asked for it */
	struct worker *worker;
	struct task task;
	struct claim claim;
	unsigned retakes;
	struct place *place, *from; /* owned: place_keep; from NULL: an upload */
	struct headers headers;
	bool keeps; /* they are the edited object's own */
	struct store_attrs *attrs; /* owned; NULL: metadata keeps none */
	uint64_t size;
	bool bulk; /* interactive requests go before it */
	bool create_only, exclusive; /* as the draft says */
	int64_t began; /* the copy, by the server's clock */
	char base[ETAG_MAX + 1];
	int fd;
	int error; /* of what failed before a request */
	bool disturbed; /* what was there is gone, although nothing was stored */
	bool looked; /* the source turned out to be another version: asked for once */
	char source_etag[ETAG_MAX + 1];
	char storage_class[STORAGE_CLASS_MAX + 1];
	struct copy_settings settings;
	union {
		struct upload upload;
		struct copy copy;
		struct call call;
	};
	/* Rare, and large where thousands of copies are under way: owned, NULL until wanted. */
	struct recognise_copy *recognise;
	struct recopy *recopy;
	struct carry *carry;
};

struct store_outcome {
	int error;
	const char *etag;
	const struct s3_answer *answer; /* NULL: nothing was asked */
	bool ambiguous; /* it failed, yet may have been stored */
	bool conflict; /* it failed because of what is there */
};

/* draft_send.c: on the worker's thread, under the claim.  Ends with exactly one store_finish. */
void store_send(struct store *store);

/* draft_store.c: the end, logged where it is a failure.  The worker's thread, no lock held; store is gone
 * afterwards. */
void store_finish(struct store *store, struct store_outcome *outcome);
/* Nothing was asked of S3 that would say more. */
void store_fail(struct store *store, int error);

#endif
