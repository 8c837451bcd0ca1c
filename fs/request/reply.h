/*
 * reply: answers to the kernel.  Never under hub.lock, but for hub_entry.  Any thread.
 */
#ifndef FERRYFS_FS_REQUEST_REPLY_H
#define FERRYFS_FS_REQUEST_REPLY_H

#include "fs/core/hub.h"

/* Fills the entry of a node that the caller holds: attributes, time-outs by view (0 while it has a draft or a
 * claim pending). hub.lock held.  The lookup count is added by hub_reply_entry. */
void hub_entry(struct hub *hub, struct node *node, struct fuse_entry_param *ret);
/* Adds the lookup first (under the lock), replies, and takes it back when the reply was not taken (-ENOENT:
 * the request was interrupted).  Takes the caller's ref on node. */
void hub_reply_entry(struct hub *hub, fuse_req_t req, struct node *node);
void hub_reply_attr(struct hub *hub, fuse_req_t req, struct node *node); /* takes no ref */
/* error: -errno or 0.  A program is told EIO in place of the errors of a connection or of an answer, which a file system may
 * not return (ferryfs.7, ERRORS). */
void hub_reply_err(fuse_req_t req, int error);

#endif
