/*
 * mount_service: does the service answer, before it is mounted?  Each way in which it does not has a sentence of its own
 * for the terminal.
 */
#ifndef FERRYFS_FS_CMD_MOUNT_SERVICE_H
#define FERRYFS_FS_CMD_MOUNT_SERVICE_H

#include "engine/wire/engine.h"
#include "fs/core/view.h"

/* Asks the service for one key of what the view shows (or its buckets): does it answer, is there such a
 * bucket, may we list?  A prefix need not exist.  -errno with a sentence in why (ACCOUNT_WHY_MAX bytes).  Blocks; not
 * from a worker. */
int mount_service_check(struct engine *engine, const struct view *view, char *why);

#endif
