/*
 * upkeep: a thread that takes care of files that are open for writing and have content that S3 does not have.
 *
 * A program may keep a file open for days, for example a log.  Only close and fsync would bring its content
 * to S3, and the content would be lost if the daemon ends.  So
 *
 *   content that is a second old   gets a name and a record (fs/host/staged.h), by which a later
 *                                  `ferryfs recover` finds it if this daemon is killed
 *   content of some age            is stored, as fsync would, though no caller waits; the time: upkeep_due
 *
 * A failure of such a store is logged.  The store is tried again later, and by close and fsync; these report
 * their failures.  During such a store writes wait, as with fsync.
 */
#ifndef FERRYFS_FS_FILE_UPKEEP_H
#define FERRYFS_FS_FILE_UPKEEP_H

#include "fs/core/hub.h"

struct draft;
struct upkeep;

enum {
	UPKEEP_NAME_MS = 1000, /* the age at which content gets a name */
	UPKEEP_STORES_MAX = 8, /* at once */
	UPKEEP_OLDEST = 10, /* times flush_after: for files that are written all the time */
	UPKEEP_PACE = 10, /* times the duration of the last store: stores take at most a tenth of the time */
	UPKEEP_SMALL = 1 << 20, /* an append to no more than this is cheap to store */
};

/* Returns the time at which upkeep has to store the content, on the clock of clock_ms; UINT64_MAX:
 * never.
 *
 *   no bytes were written for flush_after        then
 *   written all the time                         UPKEEP_OLDEST x flush_after after the first byte
 *   only appended to, and small (a log)          flush_after / 10 after the first byte, twice, then twice as
 *                                                long each time, up to flush_after
 *   a store took long, or failed                 not before UPKEEP_PACE x its time, or x flush_after
 *   emptied, and no bytes written since          never: the old object stays
 *   another client has changed the object        never: it would fail each time
 *   flush_after 0                                never */
uint64_t upkeep_due(const struct draft *draft, uint64_t flush_after_ms, bool only_appends);

/* Starts the thread, before requests are read.  -errno. */
int upkeep_start(struct hub *hub);
/* Begins no more stores; the thread has ended when this returns.  Accepts NULL, as do the functions below. */
void upkeep_stop(struct upkeep *upkeep);
/* After upkeep_stop: gives the content of the node's draft a name at once.  False: the content has no
 * name, and will be lost. */
bool upkeep_name(struct hub *hub, struct node *node);
/* After the drafts: content that was stored loses its name, other content keeps it. */
void upkeep_free(struct hub *hub);

#endif
