/*
 * hub_new: makes a hub of its parts, and takes it apart again.
 */
#ifndef FERRYFS_FS_SERVE_HUB_NEW_H
#define FERRYFS_FS_SERVE_HUB_NEW_H

#include "fs/core/hub.h"

/* view is referenced; NULL: the root is a NODE_HUB.  staging NULL: the default.  Starts the notifier's
 * thread, so after any fork.  On failure a sentence in why (ACCOUNT_WHY_MAX bytes). */
int hub_new(struct engine *engine, struct view *view, const char *staging, struct hub **ret, char *why);
/* After the session ended and the engine was freed (that ends whatever is parked): settles nothing any more,
 * frees all but the engine.  Accepts NULL. */
void hub_free(struct hub *hub);

#endif
