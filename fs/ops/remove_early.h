/*
 * remove_early: unlink and rmdir of an `rm -r` (or of mv's last part) that are answered before S3 has
 * acknowledged them.
 *
 * Evidence: the process opened the directory that the name is in and has not asked for its removal: it will,
 * and then hears of the failures.  The name goes at once, its key into a DeleteObjects
 * (fs/early/delete_queue.h); until that is acknowledged the key is claimed, so that an operation that makes
 * the name anew comes after, and remembered as removed (dir_watch), so that an older answer of S3 does not
 * bring it back.  A key that is refused is shown again.
 *
 * rmdir claims all below the directory, which puts it behind the deletes there; then it looks whether nothing
 * but the marker is left (keys that cannot be shown, or that others made), and deletes the marker likewise.
 */
#ifndef FERRYFS_FS_OPS_REMOVE_EARLY_H
#define FERRYFS_FS_OPS_REMOVE_EARLY_H

#include <stdbool.h>
#include "fs/early/batch.h"
#include "fs/core/hub.h"

/*
 * Called first by op_unlink and op_rmdir.  True: it answers.  False: the caller has to go the ordinary way,
 * and where *ret_batch is set, after all operations promised to the process (one ref for the caller).
 */
bool remove_early(
	fuse_req_t req, fuse_ino_t parent, const char *name, bool directory, struct batch **ret_batch);

#endif
