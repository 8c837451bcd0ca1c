/*
 * draft_keep: what is open stays readable when its object goes.
 *
 * S3 has no object without a name.  Before this mount removes or replaces one that somebody has open, its
 * content is fetched into a staging file, where readers find it until they close (a clean draft of content
 * DATA, fs/file/draft.h).  Its claim stands before the one of whoever asks, who so waits for it; a failure is in the
 * log and keeps nobody from going on.  Files larger than -o keep_open, and more than DRAFT_KEEP_TIMES of them
 * over the hub, are not kept: who has them open is told ESTALE, and the log says so.
 */
#ifndef FERRYFS_FS_FILE_DRAFT_KEEP_H
#define FERRYFS_FS_FILE_DRAFT_KEEP_H

#include "fs/core/hub.h"

enum { DRAFT_KEEP_TIMES = 16 };

/* Of an operation under way: as long as it has not removed the name, nobody else lets go of the content.
 * Zeroed to begin with. */
struct draft_keep {
	struct node *node; /* referenced; NULL: nothing is kept */
	struct draft_keep *next, *prev; /* of the hub; protected by hub.lock */
};

/* Before the operation's own claim.  On the reading thread, no lock held. */
void draft_keep_begin(struct hub *hub, fuse_ino_t parent, const char *name, struct draft_keep *keep);
/* The name is gone, or stays.  No lock held. */
void draft_keep_end(struct hub *hub, struct draft_keep *keep);
/* Is an operation under way that wants this node's content kept?  hub.lock held. */
bool draft_keep_wants(const struct hub *hub, const struct node *node);

#endif
