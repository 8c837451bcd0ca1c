/*
 * last_call: the answer to a call that may be the last of its process.
 *
 * A process with a batch that is told of a failure may give up, or skip the entries that were the evidence of
 * later calls.  A process that has read a directory to its end may have nothing left to do.  So ferryfs gives
 * these answers once no promise of the batch is outstanding.
 */
#ifndef FERRYFS_FS_REQUEST_LAST_REPLY_H
#define FERRYFS_FS_REQUEST_LAST_REPLY_H

#include "fs/early/early.h"
#include "fs/request/parked.h"

/* Answers with the end of a listing: EIO if the batch has an error, which is thereby reported, else an
 * answer of no bytes.  On any thread, no lock held; batch is lent for the call. */
void last_call_end(fuse_req_t req, struct batch *batch);

/* Answers with an error of the call itself.  The batch keeps its own error, for a later call to report.
 * batch NULL: answers at once. */
void last_call_fail(fuse_req_t req, struct batch *batch, int error);
/* Likewise for a request that is parked already; its process may have a batch.  Takes the caller's hold. */
void last_call_fail_parked(struct parked *parked, int error);

#endif
