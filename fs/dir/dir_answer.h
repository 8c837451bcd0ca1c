/*
 * dir_answer: S3's answer about a name becomes a node.
 *
 * An answer is as old as its question: a change by this mount since then is newer and wins.
 */
#ifndef FERRYFS_FS_DIR_DIR_ANSWER_H
#define FERRYFS_FS_DIR_DIR_ANSWER_H

#include "fs/dir/dir.h"

struct seen {
	struct str name;
	enum node_kind kind;
	uint64_t size;
	int64_t mtime; /* of a file or bucket, as S3 says it; 0: not said */
	struct str etag, storage_class;
	const struct headers *headers; /* of a HEAD, where attributes are kept; NULL: a listing */
	uint64_t asked_ms; /* not later than the question */
};

/* hub.lock held.  The node in *ret with a ref for the caller; -ENOENT: removed here meanwhile; -ENOMEM. */
int seen_apply(struct hub *hub, const struct dir_watch *watch, const struct seen *seen, struct node **ret);

/* hub.lock held.  S3 said that there is nothing of that name: its node leaves, unless this mount made it
 * since. */
void seen_nothing(struct hub *hub, const struct dir_watch *watch, struct str name, uint64_t asked_ms);

#endif
