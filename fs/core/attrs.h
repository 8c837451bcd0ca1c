/*
 * attrs: mode, owner and times as an object's metadata keeps them (-o attrs=meta).
 *
 * The headers are those of s3fs and rclone: x-amz-meta-mode (st_mode as a decimal number, type bits included; the
 * octal number that `rclone --metadata` writes is read as well), -uid, -gid, and -mtime, -atime, -ctime as seconds
 * since 1970 with an optional fraction, negative before that.
 *
 * What others wrote there is read for what it can be: a value that is no number, or out of range, is none; of a mode
 * only the permission bits count, whatever type it says.  Pure functions; any thread.
 */
#ifndef FERRYFS_FS_CORE_ATTRS_H
#define FERRYFS_FS_CORE_ATTRS_H

#include <stdbool.h>
#include <sys/stat.h>
#include "s3/headers.h"

enum {
	ATTRS_MODE = 1,
	ATTRS_UID = 2,
	ATTRS_GID = 4,
	ATTRS_MTIME = 8,
	ATTRS_ATIME = 16,
	ATTRS_CTIME = 32,
};

struct attrs {
	unsigned has; /* ATTRS_*: which of the others are set */
	mode_t mode; /* permission bits, 07777 */
	uid_t uid;
	gid_t gid;
	struct timespec mtime, atime, ctime;
};

/* Reads the attributes from these headers; *ret is set whole. */
void attrs_read(struct attrs *ret, const struct headers *headers);
/* Writes the known attributes into the headers, over those there; type: S_IFREG or S_IFDIR.  -errno of headers. */
int attrs_write(const struct attrs *attrs, mode_t type, struct headers *headers);
/* The attributes of `over` replace those of the first. */
void attrs_merge(struct attrs *attrs, const struct attrs *over);
/* Would merging change anything that a program can see but ctime? */
bool attrs_cover(const struct attrs *attrs, const struct attrs *change);
/* Into what stat shows: what there is wins over what *st has; times follow mtime where they are not known. */
void attrs_show(const struct attrs *attrs, struct stat *st);

#endif
