/*
 * node_stat: what stat(2) shows of a node.  hub.lock held.
 */
#ifndef FERRYFS_FS_REQUEST_NODE_STAT_H
#define FERRYFS_FS_REQUEST_NODE_STAT_H

#include <sys/stat.h>
#include "fs/core/node.h"

/* Mode and owner of what this user makes in that directory. */
void node_made_by(const struct node *parent, uid_t uid, gid_t gid, mode_t mode, struct attrs *ret);
/* Fills st, st_blocks included (cp goes looking for holes where it is 0), from the node, its draft and its
 * view. */
void node_stat(const struct node *node, struct stat *ret);

#endif
