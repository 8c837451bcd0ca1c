/*
 * early_mark: a directory that a cp -r made without a word to S3 gets its marker, or loses one.
 *
 *   fate         when                                        what is done
 *   MARK_COPY    its source has a marker                     that is copied, with all that belongs to it
 *   MARK_ALONE   it is wanted now, by its batch or others    written, if nothing has landed below by then
 *   MARK_KEEP    rm emptied it and was killed                written, if S3 has nothing below
 *   MARK_SPARE   it was written at others' wish, its source  removed, if S3 has something else below
 *                has none, and the batch comes to its end
 *
 * MARK_ALONE and MARK_SPARE claim all that is below: what is pending there lands or fails first.
 */
#ifndef FERRYFS_FS_EARLY_NEW_DIR_MARK_H
#define FERRYFS_FS_EARLY_NEW_DIR_MARK_H

#include "fs/early/batch.h"
#include "fs/core/hub.h"

enum mark_fate { MARK_COPY, MARK_ALONE, MARK_KEEP, MARK_SPARE };

struct mark_wish {
	struct hub *hub;
	struct batch *batch; /* it holds a promise until this is done, and is told what fails */
	struct node *node;
	struct node *source; /* MARK_COPY only */
	enum mark_fate fate;
};

struct mark; /* one of these on its way */

/* Refs what it is given; claims the keys, and so takes its place in the order of all that happens to them.
 * hub.lock held.  Adds to the chain what is to be told to early_marks_go.  False: no memory, nothing done. */
bool early_mark_take(const struct mark_wish *wish, struct mark **chain);
/* What was taken; NULL: nothing.  No lock held. */
void early_marks_go(struct mark *chain);

#endif
