/*
 * last_call: the answer to a call that may be the last of its process.
 *
 * A process with a batch that hears of a failure may give up, or pass over what was evidence of more to come;
 * and one that has read a directory to its end may have nothing left to do.  So these answers come once
 * nothing is pending of what the process was promised.
 */
#ifndef FERRYFS_FS_REQUEST_LAST_REPLY_H
#define FERRYFS_FS_REQUEST_LAST_REPLY_H

#include "fs/early/early.h"
#include "fs/request/parked.h"

/* The end of a listing: EIO if something had failed, which then is told, else an answer of no bytes.  On any
 * thread, no lock held; batch is lent for the call. */
void last_call_end(fuse_req_t req, struct batch *batch);

/* An error of the call's own.  What else had failed stays for a later call to tell.  batch NULL: at once. */
void last_call_fail(fuse_req_t req, struct batch *batch, int error);
/* Likewise of a request that is parked already, whose process may have a batch; takes the caller's hold. */
void last_call_fail_parked(struct parked *parked, int error);

#endif
