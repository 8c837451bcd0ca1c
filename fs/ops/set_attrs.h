/*
 * set_attrs: chmod, chown and utimens, where metadata keeps mode, owner and times (-o attrs=meta).
 *
 *   the node is                     then
 *   unlinked, still open            the shown attributes change; there is nothing to be stored
 *   written or copied, not stored   the changes go to S3 with the content: no request
 *                                   (fs/file/draft_attrs.c)
 *   on its way to S3                that is waited for
 *   stored, and has these already   nothing
 *   stored                          one copy of the object onto itself with changed metadata
 *                                   (engine/object/recopy.h), on condition that it is the version of
 *                                   the headers that were read; answered when S3 has
 *                                   acknowledged it
 *   a directory                     likewise its marker, which is written where there is none
 *
 * It takes its turn among the operations on its key (an exclusive claim).  Several calls for one file cannot
 * be gathered into one copy: the kernel sends the next only when this one is answered (it holds the inode's
 * lock), and an answer before S3's acknowledgement would promise nothing.  An object that another client
 * stores meanwhile is never given the old one's metadata: the condition fails, the headers are read anew, and
 * after TRIES_MAX of these it is EBUSY.
 *
 * A failure of the operation that this call waited for (the copy that made this file) is not told here, since
 * tools pass over a chmod that fails: the failure stays for the call that is to report it.
 */
#ifndef FERRYFS_FS_OPS_SET_ATTRS_H
#define FERRYFS_FS_OPS_SET_ATTRS_H

#include "fs/file/handle.h"

/* The attributes that setattr(2)'s arguments ask for.  now: the time that UTIME_NOW stands for, and ctime. */
void set_attrs_wanted(struct attrs *ret, const struct stat *attr, int to_set, const struct timespec *now);
/* Answers the request.  node_keeps_attrs(node) holds; the ref on node is taken.  (By descriptor or by name is
 * the same: the kernel does not say which file descriptor it was.)  On the reading thread. */
void set_attrs(fuse_req_t req, struct node *node, const struct attrs *change);

#endif
