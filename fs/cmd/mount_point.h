/*
 * preflight: what can be known to go wrong before a mount, each as a sentence for the terminal.
 */
#ifndef FERRYFS_FS_CMD_MOUNT_POINT_H
#define FERRYFS_FS_CMD_MOUNT_POINT_H

#include "engine/wire/engine.h"
#include "fs/core/view.h"

/* A directory that can be mounted on: *ret its canonical path, the caller's; a dead mount of one's own there
 * is for dead_mount_clear.  -errno with a sentence in why (ACCOUNT_WHY_MAX bytes). */
int preflight_mountpoint(const char *directory, char **ret, char *why);

/* Is path at or below the directory?  Both canonical. */
bool preflight_is_below(const char *path, const char *directory);

/* Asks the service for one key of what the view shows (or its buckets): does it answer, is there such a
 * bucket, may we list?  A prefix need not exist.  Blocks; not from a worker. */
int preflight_service(struct engine *engine, const struct view *view, char *why);

/* fs.fuse.max_request_timeout in seconds, 0 when there is none: the kernel ends the whole connection when a
 * request takes longer, and a rename of a large directory may. */
unsigned preflight_request_timeout(void);

#endif
