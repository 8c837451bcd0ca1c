/*
 * fusermount: mounts and unmounts by fusermount3, for a user that is not root.
 */
#ifndef FERRYFS_FS_HOST_FUSERMOUNT_H
#define FERRYFS_FS_HOST_FUSERMOUNT_H

#include <stdbool.h>

/* Unmounts path; lazy: also while it is in use.  -EREMOTEIO: it refused, and said itself why; -ENOENT: there
 * is no fusermount3.  Waits for its process; any thread. */
int fusermount_unmount(const char *path, bool lazy);

#endif
