/*
 * batch_mounts: will a process still find the entries that it was told of?
 *
 * Evidence counts on the process's coming to entries of this daemon's mounts, so nothing may be mounted over
 * them (fs/host/caller_mounts.h); mounts over other mounts, those of other ferryfs daemons among them, do not
 * matter.  The resolver read the process's mounts when the batch began.  The kernel says by poll when the
 * mounts of the process's namespace have changed since.  They are then read again, and until that is done
 * there is no evidence.  A mount over an entry that is made after an early answer was given cannot be
 * detected.
 */
#ifndef FERRYFS_FS_EARLY_BATCH_MOUNTS_H
#define FERRYFS_FS_EARLY_BATCH_MOUNTS_H

#include "fs/early/batch_internal.h"

/* For a batch that is being made. */
void batch_mounts_init(struct batch *batch);
void batch_mounts_release(struct batch *batch);

#endif
