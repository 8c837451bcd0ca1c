/*
 * delete_set: the keys of one DeleteObjects, their conditions and each one's own result.
 *
 * Life-cycle: delete_set_new, delete_set_add up to DELETE_SET_MAX times, delete_set_body, the answer parser
 * gives results in through delete_set_result, then the owner reads `outcome` of each.  A key without a result
 * after a complete answer has failed (-EBADMSG): only a key that the server named as deleted is deleted.
 * Keys and ETags are copied. delete_set_clear makes it empty for the next batch.  One owner, one thread.
 */
#ifndef FERRYFS_S3_DELETE_SET_H
#define FERRYFS_S3_DELETE_SET_H

#include <stdint.h>
#include "s3/buf.h"
#include "s3/key.h"

enum { DELETE_SET_MAX = 1000 }; /* AWS, DeleteObjects */

enum delete_outcome { DELETE_PENDING, DELETE_DONE, DELETE_FAILED };

struct delete_entry {
	struct str key;
	struct str etag; /* without quotes; STR_NONE: unconditional */
	enum delete_outcome outcome : 8;
	bool earlier; /* private: done, by an earlier answer */
	char code[33]; /* S3's code of a failure */
	void *user; /* the caller's */
};

struct delete_set {
	struct delete_entry *entries;
	unsigned count;
	/* private */
	struct buf arena;
	uint32_t *index; /* open addressing by key */
};

int delete_set_new(struct delete_set **ret);
void delete_set_free(struct delete_set *set);
void delete_set_clear(struct delete_set *set);

/* -E2BIG when full, -EEXIST when the key is in it, -EINVAL when XML cannot carry it (send a DELETE of its
 * own). */
int delete_set_add(struct delete_set *set, struct str key, struct str etag, void *user);

/* Appends the request's XML. */
int delete_set_body(const struct delete_set *set, struct buf *ret);

/* A new answer begins: failures are pending again.  A key that an earlier answer (cut off later) called
 * deleted stays so, since the server may have an error for it the second time. */
void delete_set_retry(struct delete_set *set);

/* The server's word on a key: code is STR_NONE for deleted.  A key not in the set: -EBADMSG.  A key that one
 * answer calls both deleted and failed has failed. */
int delete_set_result(struct delete_set *set, struct str key, struct str code);

#endif
