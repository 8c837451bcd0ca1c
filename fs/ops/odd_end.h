/*
 * odd_end: the end of a listing that leaves out keys that no name can stand for (fs/core/odd_name.h).
 *
 * A program that copies a directory takes the end of its listing for all there is, and would end with 0
 * without those keys.  So for it the listing ends with EIO, after all entries that have names, and the log
 * says, once for each directory, where the remedy is described.  Programs known to copy nothing
 * (caller.looks) are spared that: ls shows the entries that it can.  A program that cannot be recognised gets
 * EIO.
 */
#ifndef FERRYFS_FS_OPS_ODD_END_H
#define FERRYFS_FS_OPS_ODD_END_H

#include "fs/dir/dir_stream.h"
#include "fs/early/early.h"

/* Does this listing, which has ended, leave something out?  Then the READDIR is answered, now or once it is
 * known which program asks.  Not for an rm: it learns from the directory, which then is not empty.  batch:
 * the caller's, or NULL; lent for the call, as is stream.  Any thread, no lock held. */
bool odd_end(struct hub *hub, fuse_req_t req, const struct dir_stream *stream, struct batch *batch);

#endif
