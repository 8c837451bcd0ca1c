/*
 * bind: shows a directory of a hub at a mount point.
 */
#ifndef FERRYFS_FS_HOST_BIND_MOUNT_H
#define FERRYFS_FS_HOST_BIND_MOUNT_H

#include <stdbool.h>

struct bind_options {
	bool ro, noatime, noexec; /* of this mount point alone; nosuid and nodev are always on */
};

/* Where the kernel has the calls for it (5.12) the mount appears with its options, else they follow at once.
 * -errno. */
int bind_directory(const char *from, const char *to, const struct bind_options *options);

#endif
