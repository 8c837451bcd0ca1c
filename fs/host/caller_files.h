/*
 * caller_files: which files of ferryfs mounts a process has open for writing.
 *
 * Read by a helper (fs/host/caller_helper.h): /proc/PID/fdinfo of a stranger can hang its reader.  What is found is
 * there; what is not found may be there nevertheless, as on kernels before 5.14, whose fdinfo has no inode
 * number, and of a process that may not be looked at.
 */
#ifndef FERRYFS_FS_HOST_CALLER_FILES_H
#define FERRYFS_FS_HOST_CALLER_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CALLER_FILES_MAX = 1024 }; /* descriptors that are looked at */

struct caller_file {
	uint64_t dev, ino;
};

/* In the helper: an array of struct caller_file, its bytes; or -errno. */
ssize_t caller_files_read(const char *proc, pid_t pid, void *ret);
/* Of the helper's answer (NULL: nothing is known): is this file among them? */
bool caller_files_has(const void *bytes, size_t len, const struct caller_file *file);

#endif
