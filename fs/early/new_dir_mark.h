/*
 * early_mark: writes the marker of a directory that a cp -r made without a request to S3, or removes one.
 *
 *   fate         when                                        action
 *   MARK_COPY    its source has a marker                     copied, with all its metadata
 *   MARK_ALONE   a caller waits for the batch, or fsync or   written, if no object was stored below by then
 *                rename needs the directory in S3 now
 *   MARK_KEEP    rm emptied the directory and was killed     written, if S3 has no key below
 *   MARK_SPARE   it was written by MARK_ALONE or mkdir, its  removed, if S3 has another key below
 *                source has none, and the batch ends
 *
 * MARK_ALONE and MARK_SPARE claim all keys below: the operations that are pending there end first.
 */
#ifndef FERRYFS_FS_EARLY_NEW_DIR_MARK_H
#define FERRYFS_FS_EARLY_NEW_DIR_MARK_H

#include "fs/early/batch.h"
#include "fs/core/hub.h"

enum mark_fate { MARK_COPY, MARK_ALONE, MARK_KEEP, MARK_SPARE };

struct mark_wish {
	struct hub *hub;
	struct batch *batch; /* holds a promise until the marker is done, and is told of a failure */
	struct node *node;
	struct node *source; /* MARK_COPY only */
	enum mark_fate fate;
};

struct mark; /* one marker under way */

/* Refs the batch and the nodes of the wish; claims the keys, and so takes its place in the order of all
 * operations on them. hub.lock held.  Adds to the chain a mark that the caller has to give to
 * early_marks_go.  False: no memory, nothing done. */
bool early_mark_take(const struct mark_wish *wish, struct mark **chain);
/* Starts the marks that were taken; chain NULL: none.  No lock held. */
void early_marks_go(struct mark *chain);

#endif
