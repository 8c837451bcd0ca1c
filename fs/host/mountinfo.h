/*
 * mountinfo: the lines of /proc/self/mountinfo about a mount point (proc_pid_mountinfo(5)).  Asks the kernel only,
 * never the file system mounted there, so it can't hang on a dead mount.  Any thread.
 */
#ifndef FERRYFS_FS_HOST_MOUNTINFO_H
#define FERRYFS_FS_HOST_MOUNTINFO_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define MOUNTINFO_FSTYPE "fuse.ferryfs"

struct mountinfo {
	dev_t dev;
	unsigned id;
	bool ferryfs; /* its type is MOUNTINFO_FSTYPE */
	uid_t owner; /* of a FUSE mount: the user that opened its connection; else -1 */
	char source[PATH_MAX]; /* "s3://bucket/prefix" */
};

/* The last mount on this canonical path; -ENOENT when there is none, else the list could not be read. */
int mountinfo_find(const char *path, struct mountinfo *ret);
/* Is any ferryfs mount on this device? */
bool mountinfo_is_ferryfs(dev_t dev);

/* One mount, texts unescaped and lent for the call. */
struct mountinfo_line {
	unsigned id, parent; /* numbers are used again once free */
	dev_t dev;
	bool ferryfs;
	uid_t owner;
	char *root; /* the directory of that file system that is mounted */
	char *point, *source;
};

/* Calls visit for each mount, parents before the mounts on them, until it returns true; was it? */
bool mountinfo_each(bool (*visit)(const struct mountinfo_line *line, void *user), void *user);
/* The same for who must know whether all was seen: 1, 0, or -errno when it could not be read to its end. */
int mountinfo_walk(bool (*visit)(const struct mountinfo_line *line, void *user), void *user);
/* The same of another process: path is its /proc/PID/mountinfo. */
int mountinfo_walk_file(
	const char *path, bool (*visit)(const struct mountinfo_line *line, void *user), void *user);

#endif
