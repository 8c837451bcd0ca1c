/*
 * upkeep: a thread that looks after files which are open for writing and have content that S3 does not have.
 *
 * A program may keep a file open for days, a log for one.  Nothing but close and fsync would bring it to S3,
 * and with the daemon it would be gone.  So
 *
 *   content that is a second old   gets a name and a record (fs/host/staged.h), by which a later `ferryfs recover`
 *                                  finds it if this daemon is killed
 *   content of some age            is stored, as fsync would, though nobody waits; when: upkeep_due
 *
 * A failure of such a store is logged; it is tried again later, and by close and fsync, which tell theirs.
 * While it is under way writes wait, as with fsync.
 */
#ifndef FERRYFS_FS_FILE_UPKEEP_H
#define FERRYFS_FS_FILE_UPKEEP_H

#include "fs/core/hub.h"

struct draft;
struct upkeep;

enum {
	UPKEEP_NAME_MS = 1000, /* how old content is that gets a name */
	UPKEEP_STORES_MAX = 8, /* at once */
	UPKEEP_OLDEST = 10, /* times flush_after: for what is written all the time */
	UPKEEP_PACE = 10, /* times what the last store took: a tenth of the time at most goes into this */
	UPKEEP_SMALL = 1 << 20, /* an append to no more than this is cheap to store */
};

/* When content is to be stored by itself, on the clock of hub_now_ms; UINT64_MAX: not by itself.
 *
 *   nothing was written for flush_after          then
 *   written all the time                         UPKEEP_OLDEST x flush_after after the first byte
 *   only appended to, and small (a log)          flush_after / 10 after the first byte, twice, then twice as
 *                                                long each time, up to flush_after
 *   a store took long, or failed                 not before UPKEEP_PACE x its time, or x flush_after
 *   emptied, and nothing written since           never: what it is to replace stays
 *   another client has changed the object        never: it would fail each time
 *   flush_after 0                                never
 */
uint64_t upkeep_due(const struct draft *draft, uint64_t flush_after_ms, bool only_appends);

/* Starts the thread, before requests are read.  -errno. */
int upkeep_start(struct hub *hub);
/* Somebody opened a file for writing; any thread, also under hub.lock. */
void upkeep_wake(struct upkeep *upkeep);
/* Nothing is begun any more; the thread has ended when this is back.  NULL is fine, as below. */
void upkeep_stop(struct upkeep *upkeep);
/* After upkeep_stop: gives what the node's draft holds a name at once.  False: it has none, and will be gone.
 */
bool upkeep_name(struct hub *hub, struct node *node);
/* After the drafts: what was stored loses its name, what was not keeps it. */
void upkeep_free(struct hub *hub);

#endif
