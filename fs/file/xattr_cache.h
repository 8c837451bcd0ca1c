/*
 * xattr_cache: the extended attributes of the object that was asked about last.
 *
 * `getfattr -d` asks for the list of names and then for each value; the cache makes one HEAD of these questions.
 * Any thread; a leaf lock of its own.
 */
#ifndef FERRYFS_FS_FILE_XATTR_CACHE_H
#define FERRYFS_FS_FILE_XATTR_CACHE_H

#include "fs/core/hub.h"
#include "s3/headers.h"

enum { XATTR_CACHE_MS = 1000 };

struct xattr_cache;

int xattr_cache_new(struct xattr_cache **ret); /* -ENOMEM */
void xattr_cache_free(struct xattr_cache *cache); /* accepts NULL */

/* Appends the attributes of this inode to *ret, names and values.  stamp: the node's now (node_stamp).  -ENOENT: the
 * cache has none, or they are older than XATTR_CACHE_MS or than the stamp; -ENOMEM. */
int xattr_cache_get(struct xattr_cache *cache, uint64_t ino, uint64_t stamp, struct headers *ret);
/* Copies the attributes of this inode into the cache, in place of others.  stamp: the node's when S3 was asked. */
void xattr_cache_put(struct xattr_cache *cache, uint64_t ino, uint64_t stamp, const struct headers *values);

#endif
