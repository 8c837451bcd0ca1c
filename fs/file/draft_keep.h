/*
 * draft_keep: an open file stays readable when its object is removed.
 *
 * S3 has no object without a name.  Before this mount removes or replaces an object that is open, ferryfs
 * fetches its content into a staging file, where readers find it until they close (a clean draft of content
 * DATA, fs/file/draft.h).  The claim of this fetch stands before the claim of the removing operation, so that
 * operation waits for the fetch.  A failed fetch is in the log, and the operation goes on.  ferryfs does not
 * keep files larger than -o keep_open, nor more than DRAFT_KEEP_TIMES x keep_open bytes over the hub: reads
 * of such an open file get ESTALE, and the log says so.
 */
#ifndef FERRYFS_FS_FILE_DRAFT_KEEP_H
#define FERRYFS_FS_FILE_DRAFT_KEEP_H

#include "fs/core/hub.h"

enum { DRAFT_KEEP_TIMES = 16 };

/* Belongs to an operation under way: until the operation has removed the name, the content is not dropped.
 * Zeroed to begin with. */
struct draft_keep {
	struct node *node; /* referenced; NULL: no content is kept */
	struct draft_keep *next, *prev; /* in the hub's list; protected by hub.lock */
};

/* Called before the operation takes its own claim.  On the reading thread, no lock held. */
void draft_keep_begin(struct hub *hub, fuse_ino_t parent, const char *name, struct draft_keep *keep);
/* The operation has ended: the name is gone, or stays.  No lock held. */
void draft_keep_end(struct hub *hub, struct draft_keep *keep);

#endif
