/*
 * flush_early: the flush of a process that has a batch (fs/early/batch.h).
 *
 *   the file is                        evidence of more  the answer
 *   a whole copy under way             yes               at once: the failures so far; the copy
 *                                                        is promised
 *   acknowledged already               yes               at once, likewise
 *   either                             no                when every promised operation has ended
 *   data, or in any other way stored   any               likewise, after it is stored itself
 *
 * An empty source leaves no trace but an open file: while the process holds just that one open for reading,
 * an empty file that it closes is a copy of it, with its metadata.  That holds for every plain GNU cp and mv.
 */
#ifndef FERRYFS_FS_OPS_FLUSH_EARLY_H
#define FERRYFS_FS_OPS_FLUSH_EARLY_H

#include <stdbool.h>
#include <fuse_lowlevel.h>

struct handle;

/* True: it answers, now or later.  False: an ordinary flush, of a process without a batch. */
bool flush_early(fuse_req_t req, struct handle *handle);

#endif
