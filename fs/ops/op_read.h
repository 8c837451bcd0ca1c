/*
 * op_read: reads that wait, as readahead.c sees them.  hub.lock held unless it says otherwise.
 */
#ifndef FERRYFS_FS_OPS_OP_READ_H
#define FERRYFS_FS_OPS_OP_READ_H

#include "fs/core/hub.h"

struct handle;
struct read_op;

enum { READ_ANEW = 1 }; /* beside 0 and -errno: the chunks that it waited for are of no use any more */

/* Does a parked read of this handle want some of these bytes? */
bool read_wants(const struct handle *handle, uint64_t start, uint64_t len);
/* A chunk of these bytes came, or failed: the reads to be run once the lock is given back. */
struct read_op *read_chunk_done(struct handle *handle, uint64_t start, uint64_t len, int outcome);
/* All that wait for room, when there is some. */
struct read_op *read_take_starved(struct hub *hub);
/* No lock held. */
void read_run(struct read_op *first);

#endif
