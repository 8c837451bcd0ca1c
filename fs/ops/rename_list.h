/*
 * moves: the directory renames under way, for `status`.  Any thread.
 */
#ifndef FERRYFS_FS_OPS_RENAME_LIST_H
#define FERRYFS_FS_OPS_RENAME_LIST_H

#include <jansson.h>
#include "engine/job/job.h"
#include "fs/core/node.h"
#include "fs/core/place.h"

enum { MOVES_MAX = 64 }; /* more are not shown */

/* key tells one from another until moves_end; both are lent for the call. */
void moves_begin(const void *key, const struct place *from, const struct place *to);
/* Sets the move's job, lent until moves_end.  Of no effect when the move has ended already. */
void moves_job(const void *key, struct job *job);
/* From the job's own on_done at the latest. */
void moves_end(const void *key);

/* Each move is undone if it has not deleted anything yet, and goes on to its end otherwise. */
void moves_cancel(void);

/* An array of source, destination, running_ms, found, copied, deleted, failed. */
json_t *moves_status(void);

#endif
