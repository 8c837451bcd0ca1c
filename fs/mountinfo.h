/*
 * mountinfo: what /proc/self/mountinfo says of a mount point (proc_pid_mountinfo(5)).  Asks the kernel only,
 * never the file system mounted there, so it can't hang on a dead mount.  Any thread.
 */
#ifndef FERRYFS_FS_MOUNTINFO_H
#define FERRYFS_FS_MOUNTINFO_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define MOUNTINFO_FSTYPE "fuse.ferryfs"

struct mountinfo {
	dev_t dev;
	bool ferryfs; /* its type is MOUNTINFO_FSTYPE */
	char source[PATH_MAX]; /* "s3://bucket/prefix" */
};

/* What is mounted last on this canonical path; -ENOENT when nothing is. */
int mountinfo_find(const char *path, struct mountinfo *ret);
/* Is any ferryfs mount on this device? */
bool mountinfo_is_ferryfs(dev_t dev);

#endif
