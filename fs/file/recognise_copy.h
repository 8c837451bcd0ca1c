/*
 * recognise_copy: a staging file is stored by a copy of the object whose bytes it has, where there is one.
 *
 * The whole file is hashed just before it is to be stored (in slices, on the worker, only when the table has
 * something of its size): in whatever order it was written, what is compared is what would be uploaded.  The
 * copy is made under the condition that its source still has the ETag that was served, and with the headers
 * that the upload would have sent, instead of the source's.
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
	int fd; /* lent; nobody writes to it */
	const struct headers *headers; /* an upload's */
	bool create_only; /* never onto something that is there */
	struct copy_settings settings; /* headers: set here */
	void (*on_done)(struct recognise_copy *copy, const struct s3_answer *answer);
	void *user;

	/* result */
	int error; /* 0: stored; -ECANCELED: it ends; else nothing is, and it has to be uploaded */
	bool disturbed; /* with an error: yet the destination was overwritten with something else */
	char etag[ETAG_MAX + 1];
	int64_t mtime; /* 0: not told */

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

/* Worker thread.  False: nothing like it was served; on_done will not be called. */
bool recognise_copy_start(struct recognise_copy *copy);

#endif
