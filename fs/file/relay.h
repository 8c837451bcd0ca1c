/*
 * carry: an object from one account to another by way of this machine, where the service would not copy it.
 *
 * A copy is asked for with the destination's credentials; a service may refuse those the source (403).  Then
 * what the source's own credentials may read is fetched into a staging file and uploaded, with its metadata,
 * content headers, tags and storage class: slower, never wrong.  For which accounts and buckets that was so
 * is remembered for some minutes, and said in the log once.
 *
 * The struct is the caller's, with all it points to, until on_done (worker thread, exactly once, never from
 * inside of start).
 */
#ifndef FERRYFS_FS_FILE_RELAY_H
#define FERRYFS_FS_FILE_RELAY_H

#include "engine/object/fetch.h"
#include "engine/object/upload.h"
#include "fs/core/node.h"

struct carry {
	/* given */
	const struct place *from, *to;
	const char *etag; /* of the source: no other content is carried */
	uint64_t size;
	const struct attrs *attrs; /* in place of what the source's metadata keeps; NULL: nothing */
	bool create_only; /* never onto something that is there: -EEXIST */
	const char *staging_dir;
	void (*on_done)(struct carry *carry, const struct s3_answer *answer);
	void *user;

	/* result */
	int error; /* 0; -ESTALE: the source is another one by now; ... */
	char new_etag[ETAG_MAX + 1];
	int64_t mtime; /* 0: not told */

	/* private */
	struct worker *worker;
	int fd;
	uint64_t at; /* bytes that are here */
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

/* Are copies between these known to be refused? */
bool carry_wanted(const struct place *from, const struct place *to);
/* Worker thread.  Fields not named "given" are zero. */
void carry_start(struct worker *worker, struct carry *carry);

#endif
