/*
 * marker: the object "dir/" that makes a directory exist by itself, and the rule that needs it.
 *
 * A directory that existed only through its last object keeps existing after that object goes, as on any file
 * system: the marker is written.  Whoever removes a name asks marker_plan first, under the lock:
 *
 *   MARKER_NOT    the directory has a marker, is a bucket, or surely has other children: nothing to do
 *   MARKER_FIRST  this is its last child, as is known: write the marker, then remove
 *   MARKER_AFTER  not known: remove, then look (LIST of one key), and write it where nothing is left
 */
#ifndef FERRYFS_FS_DIR_MARKER_H
#define FERRYFS_FS_DIR_MARKER_H

#include "engine/wire/call.h"
#include "fs/core/place.h"
#include "fs/dir/dir.h"

enum marker_plan { MARKER_NOT, MARKER_FIRST, MARKER_AFTER };

struct marker {
	/* given, with a zeroed rest */
	struct hub *hub;
	struct worker *worker;
	struct node *directory; /* lent until on_done; may be NULL (it is no node yet) */
	struct place place; /* the directory's: the key ends in "/" */
	const struct attrs *attrs; /* lent: what its metadata is to keep; NULL: nothing */
	void (*on_done)(
		struct marker *marker, int error, const struct s3_answer *answer); /* once; worker thread */
	void *user;

	/* private */
	struct call call;
	struct headers headers;
	struct page *page;
};

/* hub.lock held. */
enum marker_plan marker_plan(const struct node *directory, const struct node *child);
/* Any thread.  Writes it; on success the directory is known to have it. */
void marker_write(struct marker *marker);
/* Any thread.  Writes it if nothing is below the directory. */
void marker_ensure(struct marker *marker);
/* Any thread.  Removes it if something else is below the directory. */
void marker_spare(struct marker *marker);
/* For who wrote it in another way (fs/early/marker_copy.h); worker thread.  Ends it: 0, and the directory is known
 * to have it. */
void marker_end(struct marker *marker, int error, const struct s3_answer *answer);

#endif
