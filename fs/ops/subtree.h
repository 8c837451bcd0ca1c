/*
 * subtree: questions about all the nodes below one.  hub.lock held; they look at every node there is below.
 */
#ifndef FERRYFS_FS_OPS_SUBTREE_H
#define FERRYFS_FS_OPS_SUBTREE_H

#include "fs/core/hub.h"

/* Is there content below that S3 has not acknowledged? */
bool subtree_dirty(const struct node *node);
/* The knowledge of the nodes below may be wrong by now: attributes are asked for again, and no directory's
 * listing is believed, those under way included. */
void subtree_age(struct hub *hub, struct node *node);

#endif
