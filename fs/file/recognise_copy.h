/*
 * recognise_copy: stores a staging file by a copy of an object with the same bytes, if there is one.
 *
 * The whole file is hashed just before it is to be stored (in slices, on the worker, only when the table has
 * an entry of its size).  So the bytes that would be uploaded are compared, in any order of writing.  The
 * copy is made on condition that its source still has the ETag that was served, and with the headers of the
 * upload in place of the source's.
 *
 * The struct is the caller's, with all it points to, until on_done (worker thread, exactly once, never from
 * inside of start).
 */
#ifndef FERRYFS_FS_FILE_RECOGNISE_COPY_H
#define FERRYFS_FS_FILE_RECOGNISE_COPY_H

#include "engine/object/copy.h"
#include "fs/file/recognise.h"

struct recognise_copy {
	/* given */
	struct recognise *table;
	struct worker *worker;
	struct recognise_version to; /* etag: not looked at */
	int fd; /* lent; no thread writes to it */
	const struct headers *headers; /* the headers of the upload */
	bool create_only; /* never replaces an object */
	struct copy_settings settings; /* headers: set here */
	void (*on_done)(struct recognise_copy *copy, const struct s3_answer *answer);
	void *user;

	/* result */
	int error; /* 0: stored; -ECANCELED: cancelled; other errors: not stored, the caller has to upload */
	bool disturbed; /* with an error: but the destination may have been overwritten with other bytes */
	char etag[ETAG_MAX + 1];
	int64_t mtime; /* 0: not known */

	/* private */
	void *digest;
	uint64_t hashed, part_threshold;
	struct task task;
	struct recognised found;
	struct headers all;
	bool probing;
	int64_t seen_mtime;
	union {
		struct call call;
		struct copy copy;
	};
};

/* Worker thread.  False: no equal object was served; on_done will not be called. */
bool recognise_copy_start(struct recognise_copy *copy);

#endif
