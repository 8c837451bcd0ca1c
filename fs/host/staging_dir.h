/*
 * staging_dir: the directory where content waits for its upload.
 *
 * What lies there becomes objects, so nobody else may write it: it belongs to the effective user, is closed
 * to others, and no part of its path can be replaced by someone else.  It is never on a ferryfs mount: a
 * daemon that touches its own mount waits for itself.  Without a wish it is made anew below $TMPDIR or
 * /var/tmp and removed at the end, or, if the daemon was killed, when the next one is made there.
 */
#ifndef FERRYFS_FS_HOST_STAGING_DIR_H
#define FERRYFS_FS_HOST_STAGING_DIR_H

#include <stdbool.h>

/* wanted: an existing directory, no symbolic link, or one to be made (0700) in an existing one; NULL:
 * $TMPDIR/ferryfs-XXXXXX. -EPERM, -ENOTDIR, -ENOENT ... with a sentence in why (ACCOUNT_WHY_MAX bytes).  ret:
 * the canonical path. */
int staging_dir_open(const char *wanted, char **ret, char *why);
/* Removes it if staging_dir_open made it up; frees path.  NULL is fine. */
void staging_dir_close(char *path);

#endif
