/*
 * batch_status: the batches, for `status`.  Any thread.
 */
#ifndef FERRYFS_FS_EARLY_BATCH_STATUS_H
#define FERRYFS_FS_EARLY_BATCH_STATUS_H

#include <jansson.h>
#include "fs/early/batch.h"

enum { BATCH_STATUS_MAX = 64 }; /* more are not shown */

/* An array of pid, tool, done, promised, running_ms: one for each living process that ever had a promise. */
json_t *batches_status(struct batches *batches);

#endif
