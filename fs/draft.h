/*
 * draft: the content of a file that this mount made and S3 does not have yet.
 *
 * A node has at most one draft, shared by all its open handles; it begins with create, O_TRUNC, truncate, a first write or a
 * first copy_file_range and ends when S3 acknowledged the content (or the last handle of an unlinked node is closed).
 * All fields under hub.lock; what needs I/O is done on copies of the descriptors outside it.
 *
 *   state     content                                       ends by
 *   EMPTY     nothing, to be stored as an object of 0 bytes  flush: PUT of nothing
 *   COPY      [0, copied) of source object S with ETag E      flush: CopyObject when copied == S's size; else it is
 *                                                            fetched into a staging file: DATA
 *   LOADING   the object is being fetched into the file       DATA, or an error for who waits
 *   DATA      the staging file                               flush/fsync: upload; stays while handles are open
 *   STORING   an upload or copy of a snapshot is under way   CLEAN or back with an error
 *   CLEAN     same as what S3 acknowledged; kept for writers  last writing handle closed
 *
 * The owner of this file may refine the states; this table and the checker under !NDEBUG follow.
 */
#ifndef FERRYFS_FS_DRAFT_H
#define FERRYFS_FS_DRAFT_H

#include "fs/hub.h"

/* What stat shows.  hub.lock held. */
uint64_t draft_size(const struct draft *draft);
struct timespec draft_mtime(const struct draft *draft);

/* Is there content that S3 has not acknowledged?  hub.lock held. */
bool draft_dirty(const struct draft *draft);

/* The node was unlinked or renamed over: nothing of it is stored any more.  hub.lock held. */
void draft_disown(struct hub *hub, struct node *node);

#endif
