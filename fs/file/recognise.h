/*
 * recognise: which objects were lately served whole, known by the SHA-256 of their bytes.
 *
 * A file that is written through the mount and has the bytes of one of them need not be uploaded: the server
 * copies that object, if it still has the ETag that was served (fs/file/recognise_copy.h).  rsync, file managers
 * and copies between two superblocks read and write; this is what saves them the way back up.
 *
 * Two things live here:
 *   struct served      one open file's object as its bytes come in, hashed in their order from 0; complete at
 *                      the end of the version, else of no use.  Chunks out of order wait for their turn with
 *                      their owner; a gap, another version or an answer that is in doubt means that the end
 *                      never comes.  Nothing has to be undone then.
 *   struct recognise   the table of those that came to their end: at most RECOGNISE_MAX, the oldest goes.
 *
 * Hashing costs 0.5 ms a MiB with the CPU's SHA instructions (measured) and happens on a worker, as bytes
 * arrive; a few KiB cost nothing worth a floor below which small files would be left out, but an empty one is
 * never summed up: there is nothing to save.
 */
#ifndef FERRYFS_FS_FILE_RECOGNISE_H
#define FERRYFS_FS_FILE_RECOGNISE_H

#include "engine/account/account.h"
#include "s3/answer.h"
#include "s3/url.h"

enum {
	/* Some 250 bytes each with a usual key, 6 MB at the most: what rsync reads before it writes is a file
	 * or two, a file manager a folder. */
	RECOGNISE_MAX = 4096,
	RECOGNISE_SHA256 = 32,
	/* Pairs of buckets between which a copy was refused, and for how long nobody tries again. */
	RECOGNISE_REFUSALS = 16,
	RECOGNISE_REFUSAL_MS = 300 * 1000,
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

/* Everything in version is copied, its account referenced.  No memory: it is not remembered. */
void recognise_add(struct recognise *table, const struct recognise_version *version,
	const unsigned char sha256[RECOGNISE_SHA256]);
/* May there be one of this size?  False is sure, and cheap: what is written then is not hashed. */
bool recognise_perhaps(struct recognise *table, uint64_t size);

/* What a destination's bytes were found to be. */
struct recognised {
	struct account *account; /* referenced */
	char bucket[BUCKET_MAX + 1];
	char key[KEY_MAX + 1];
	char etag[ETAG_MAX + 1];
};

/* The latest with these bytes that the account of `to` may perhaps copy to `to` (whose etag is not looked
 * at): not the destination itself, and not where that was refused lately.  The caller unrefs ret->account. */
bool recognise_find(struct recognise *table, const struct recognise_version *to,
	const unsigned char sha256[RECOGNISE_SHA256], uint64_t now_ms, struct recognised *ret);
/* It is not there any more, or is another one. */
void recognise_forget(struct recognise *table, const struct recognised *found);
/* The account of `to` may not copy from that bucket. */
void recognise_refused(struct recognise *table, const struct recognised *found,
	const struct recognise_version *to, uint64_t now_ms);

/* ---- what one open file was served ---- */

struct served;

/* Everything in version is copied, its account referenced.  -EINVAL: an empty object or one without ETag;
 * -ENOMEM. */
int served_new(struct recognise *table, const struct recognise_version *version, struct served **ret);
void served_free(struct served *served); /* accepts NULL */
bool served_is_of(const struct served *served, struct str etag, uint64_t size); /* constant: any thread */

/* One at a time hashes; what another has begun is waited for (a MiB's time). */
void served_lock(struct served *served);
void served_unlock(struct served *served);
/* Between these: the offset of the byte that is next, UINT64_MAX when it is over. */
uint64_t served_next(const struct served *served);
/* The bytes at served_next.  With the last of them the object is in the table. */
void served_take(struct served *served, const char *data, size_t len);

#endif
