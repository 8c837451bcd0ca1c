/*
 * op_xattr: the last HEAD's headers, kept for a second so that `getfattr -d` asks once for all its names.  A
 * leaf lock of its own; any thread.
 */
#ifndef FERRYFS_FS_OPS_OP_XATTR_H
#define FERRYFS_FS_OPS_OP_XATTR_H

struct xattr_cache;

int xattr_cache_new(struct xattr_cache **ret);
void xattr_cache_free(struct xattr_cache *cache); /* accepts NULL */

#endif
