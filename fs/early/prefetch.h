/*
 * prefetch: listings begun for a process that walks a tree, before it opens the directories.
 *
 * cp and rm go through a directory's subdirectories by inode number, and each listing costs a round trip
 * before its first file can be worked on.  When such a process opens a directory, ferryfs begins the listings
 * of the next directories beside it, as the process's own first READDIR would.  The process gets such a
 * listing when it opens that directory, unless the listing is too old or an entry was made in the directory
 * since the listing's end.
 */
#ifndef FERRYFS_FS_EARLY_PREFETCH_H
#define FERRYFS_FS_EARLY_PREFETCH_H

#include "fs/early/batch.h"
#include "fs/dir/dir_stream.h"

enum {
	PREFETCH_AHEAD = 4, /* directories of one process */
	PREFETCH_MAX = 32, /* of all processes; each holds STREAM_AHEAD entries at most */
	PREFETCH_AGE_MS = 2000,
};

struct prefetch {
	struct dir_stream *stream; /* NULL: free */
	const struct batch *batch; /* to compare only */
	uint64_t directory; /* its inode number */
	uint64_t began_ms;
};

struct prefetches {
	struct prefetch slots[PREFETCH_MAX];
};

/* The process opened this directory.  No lock held. */
void prefetch_beside(
	struct hub *hub, struct prefetches *prefetches, const struct batch *batch, struct node *directory);
/* Returns the listing of this directory if it was begun for this process, or NULL.  The listing belongs to
 * the owner in `options` from now on.  No lock held. */
struct dir_stream *prefetch_take(struct hub *hub, struct prefetches *prefetches, const struct batch *batch,
	const struct dir_stream_options *options);
/* Ends the listings of a batch, or all (NULL).  No lock held. */
void prefetch_drop(struct hub *hub, struct prefetches *prefetches, const struct batch *batch);

#endif
