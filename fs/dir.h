/*
 * dir: what is known of a directory's content, and for how long.
 *
 * Knowledge is WHOLE (every child that exists is a node below; a name without a node does not exist) or none.  It becomes whole
 * when the directory was just created here, or was listed to its end, and is believed for the view's cache_ttl; what
 * this mount itself changes keeps it exact.  While knowledge is fresh the child nodes are held by it (bounded by
 * DIR_HELD_MAX over the hub; past that the oldest knowledge is given up), so that forgotten names can be answered.
 * All under hub.lock.
 */
#ifndef FERRYFS_FS_DIR_H
#define FERRYFS_FS_DIR_H

#include "fs/hub.h"

enum { DIR_HELD_MAX = 200000 };

/* Is everything known, and fresh enough to be believed? */
bool dir_whole(const struct node *directory, uint64_t now_ms);
/* This mount just made it: empty and known.  -ENOMEM leaves nothing known. */
int dir_born(struct hub *hub, struct node *directory);
/* Gives up what is known (an error made it doubtful, or somebody else changed it). */
void dir_doubt(struct hub *hub, struct node *directory);
/* The node is about to be freed or has been detached. */
void dir_free(struct hub *hub, struct node *directory);

/* Does the marker object "dir/" exist at the server, as far as known?  -1: not known. */
int dir_marker(const struct node *directory);
void dir_set_marker(struct node *directory, bool exists);

#endif
