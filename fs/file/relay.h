/*
 * carry: brings an object from one account to another by way of this machine, if the service would not copy
 * it.
 *
 * A copy is requested with the destination's credentials; a service may refuse them access to the source
 * (403).  Then ferryfs fetches the source with the source's own credentials into a staging file and uploads
 * it, with its metadata, content headers, tags and storage class: slower, never wrong.  The accounts and
 * buckets of such a refusal are remembered for some minutes, and logged once.
 *
 * The struct is the caller's, with all it points to, until on_done (worker thread, exactly once, never from
 * inside of start).
 */
#ifndef FERRYFS_FS_FILE_RELAY_H
#define FERRYFS_FS_FILE_RELAY_H

#include "engine/object/fetch.h"
#include "engine/object/upload.h"
#include "fs/core/node.h"
#include "fs/core/place.h"

struct carry {
	/* given */
	const struct place *from, *to;
	const char *etag; /* of the source: no other version is carried */
	uint64_t size;
	const struct attrs *attrs; /* in place of the attributes in the source's metadata; NULL: none */
	bool create_only; /* never replaces an object: -EEXIST */
	const char *staging_dir;
	void (*on_done)(struct carry *carry, const struct s3_answer *answer);
	void *user;

	/* result */
	int error; /* 0; -ESTALE: the source is another version by now; ... */
	char new_etag[ETAG_MAX + 1];
	int64_t mtime; /* 0: not known */

	/* private */
	struct worker *worker;
	int fd;
	uint64_t at; /* bytes that were fetched so far */
	struct headers headers;
	struct buf tags;
	char storage_class[STORAGE_CLASS_MAX + 1];
	unsigned tag_count;
	struct task task;
	union {
		struct call call;
		struct fetch fetch;
		struct upload upload;
	};
};

/* Is it known that the service refuses copies between these places? */
bool carry_wanted(const struct place *from, const struct place *to);
/* Worker thread.  Fields not named "given" are zero. */
void carry_start(struct worker *worker, struct carry *carry);

#endif
