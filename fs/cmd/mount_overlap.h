/*
 * overlap: is a key that is to be shown already shown by another file system of this user?
 *
 * Two inodes for one key are a trap: mv between them unlinks its destination, the same object, before it
 * reads its source. Inside a hub a key is one inode (fs/serve/views.h sees to what else must agree); here it is
 * about mounts with a file system of their own.  Those that this user's daemons serve are known; another
 * user's, or another machine's, are not.  One thread.
 */
#ifndef FERRYFS_FS_CMD_MOUNT_OVERLAP_H
#define FERRYFS_FS_CMD_MOUNT_OVERLAP_H

#include "engine/account/account.h"
#include "s3/url.h"

/* With a mount that has a daemon of its own: -EBUSY with a sentence in why (ACCOUNT_WHY_MAX bytes). */
int overlap_alone(const struct account *account, const struct s3_url *url, char *why);
/* With a view of this namespace's hub. */
int overlap_views(const struct account *account, const struct s3_url *url, char *why);

#endif
