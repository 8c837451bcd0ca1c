/*
 * odd_end: the end of a listing that leaves out keys that no name can stand for (fs/core/odd_name.h).
 *
 * A program that copies a directory takes the end of its listing for all there is, and would end with 0 without
 * those.  So for it the listing ends with EIO, after all entries that have names, and the log says once of the
 * directory what can be done.  Programs known to copy nothing (caller.looks) are spared that: ls shows what it
 * can.  Who cannot be known is told.
 */
#ifndef FERRYFS_FS_OPS_ODD_END_H
#define FERRYFS_FS_OPS_ODD_END_H

#include "fs/dir/dir_stream.h"
#include "fs/early/early.h"

/* Does this listing, which has ended, leave something out?  Then the READDIR is answered, now or once it is known
 * who asks.  Not for an rm, which is told by what then is not empty.  batch: the caller's, or NULL; lent for the
 * call, as is stream.  Any thread, no lock held. */
bool odd_end(struct hub *hub, fuse_req_t req, const struct dir_stream *stream, struct batch *batch);

#endif
