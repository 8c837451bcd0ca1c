/*
 * state_dump: the state of a hub and its operations under way, as lines of the log, for a bug report: kill
 * -USR2.
 *
 * Counts of nodes, handles, drafts, claims, parked requests, batches and their directories, the engine's
 * counters, and the first drafts by name.  Bounded; no line holds a credential.
 */
#ifndef FERRYFS_FS_SERVE_STATE_DUMP_H
#define FERRYFS_FS_SERVE_STATE_DUMP_H

struct hub;

/* Any thread but one that holds hub.lock; the lock is taken for a walk over all nodes. */
void state_dump(struct hub *hub);

#endif
