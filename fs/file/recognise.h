/*
 * recognise: the objects that were lately served whole, by the SHA-256 of their bytes.
 *
 * A file that is written through the mount with the bytes of such an object need not be uploaded: the server
 * copies that object, if it still has the ETag that was served (fs/file/recognise_copy.h).  rsync, file
 * managers and copies between two superblocks read and write; this saves them the upload.
 *
 * Two things live here:
 *   struct served      the hash of one open file's object: its bytes are hashed in their order from 0 as they
 *                      come in.  It is complete at the end of the version, else useless.  Chunks out of order
 *                      wait for their turn with their owner.  After a gap, another version or a doubtful
 *                      answer the hash is never complete.  Nothing has to be undone then.
 *   struct recognise   the table of complete hashes: at most RECOGNISE_MAX, the oldest is dropped first.
 *
 * Hashing costs 0.5 ms a MiB with the CPU's SHA instructions (measured) and happens on a worker, as bytes
 * arrive.  A few KiB cost so little that there is no minimum size; but an empty file is never hashed, since
 * its upload costs no bytes.
 */
#ifndef FERRYFS_FS_FILE_RECOGNISE_H
#define FERRYFS_FS_FILE_RECOGNISE_H

#include "engine/account/account.h"
#include "s3/answer.h"
#include "s3/url.h"

enum {
	/* Some 250 bytes each with a usual key, 6 MB at the most.  rsync reads a file or two before it
	 * writes, a file manager a folder. */
	RECOGNISE_MAX = 4096,
	RECOGNISE_SHA256 = 32,
};

/* A version of an object. */
struct recognise_version {
	struct account *account;
	struct str bucket, key, etag;
	uint64_t size;
};

/* ---- the table; any thread; its lock is an innermost one ---- */

struct recognise;

int recognise_new(struct recognise **ret); /* -ENOMEM */
void recognise_free(struct recognise *table); /* accepts NULL */

/* Copies everything in version, and refs its account.  No memory: the version is not remembered. */
void recognise_add(struct recognise *table, const struct recognise_version *version,
	const unsigned char sha256[RECOGNISE_SHA256]);
/* May the table have an object of this size?  False is certain, and cheap: the written file is then not
 * hashed. */
bool recognise_perhaps(struct recognise *table, uint64_t size);

/* The object that has the bytes of a destination. */
struct recognised {
	struct account *account; /* referenced */
	char bucket[BUCKET_MAX + 1];
	char key[KEY_MAX + 1];
	char etag[ETAG_MAX + 1];
};

/* Finds the latest object with these bytes that the account of `to` may perhaps copy to `to` (to->etag is
 * not used): not the destination itself, and not between buckets where a copy was refused lately.  The
 * caller unrefs ret->account. */
bool recognise_find(struct recognise *table, const struct recognise_version *to,
	const unsigned char sha256[RECOGNISE_SHA256], uint64_t now_ms, struct recognised *ret);
/* The object is gone, or is another version. */
void recognise_forget(struct recognise *table, const struct recognised *found);
/* The account of `to` may not copy from that bucket. */
void recognise_refused(struct recognise *table, const struct recognised *found,
	const struct recognise_version *to, uint64_t now_ms);

/* ---- the bytes served of one open file ---- */

struct served;

/* Copies everything in version, and refs its account.  -EINVAL: an empty object or one without ETag;
 * -ENOMEM. */
int served_new(struct recognise *table, const struct recognise_version *version, struct served **ret);
void served_free(struct served *served); /* accepts NULL */
bool served_is_of(const struct served *served, struct str etag, uint64_t size); /* constant: any thread */

/* One thread at a time hashes; another thread waits for it (the time of a MiB). */
void served_lock(struct served *served);
void served_unlock(struct served *served);
/* Lock held (served_lock): the offset of the next byte to hash, UINT64_MAX when hashing is over. */
uint64_t served_next(const struct served *served);
/* Hashes the bytes at served_next.  After the last byte the object is in the table. */
void served_take(struct served *served, const char *data, size_t len);

#endif
