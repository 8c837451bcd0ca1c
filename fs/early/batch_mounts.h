/*
 * batch_mounts: is what a process was told of still what it will find?
 *
 * Evidence counts on the process's coming to entries of this daemon's mounts, so nothing may be mounted over them
 * (fs/host/caller_mounts.h); what lies over other mounts, those of other ferryfs daemons among them, is no matter.  That was read when the batch began.  The kernel says by poll when the mounts of the
 * process's namespace have changed since; they are then read again, and until that is done there is no
 * evidence.  What is mounted over an entry after an answer was given with it cannot be found out.
 */
#ifndef FERRYFS_FS_EARLY_BATCH_MOUNTS_H
#define FERRYFS_FS_EARLY_BATCH_MOUNTS_H

#include "fs/early/batch_internal.h"

/* Of a batch in the making. */
void batch_mounts_init(struct batch *batch);
void batch_mounts_release(struct batch *batch);

#endif
