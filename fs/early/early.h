/*
 * early: the state shared by the operations that are answered before S3 has acknowledged them: the batches of
 * a hub, the choice of the processes that get one, the gathered deletes, and the directories with an
 * undecided marker.
 *
 * `cp -r` makes directories that S3 does not know until an object is stored below them.  A directory is only
 * a node (node.local) if its maker has a batch and is sure to make another call here (fs/ops/op_mkdir.c).
 * This file remembers the directory until its marker is decided:
 *
 *   its source has a marker            that marker is copied, as soon as the source is listed
 *   an object was stored below         no marker is needed (node.local has ended)
 *   a caller waits for the batch, or   the marker is written, if there is no object below once the pending
 *   the batch has ended                operations there have ended
 *   fsync, rename of a directory       likewise
 *   around it
 *   a marker written like that, or by  the marker is removed at the next wait of the batch, or at its end; if
 *   mkdir itself, and the process      S3 refuses the removal the process is told, as its copy has a key too
 *   then put a file below, while the   many
 *   source has no marker
 *
 * (fs/early/new_dir_mark.h), so that a copied tree has the keys of its source and no others.  A directory
 * that a killed `rm -r` emptied and did not remove gets its marker likewise (fs/dir/marker.h) when the
 * process has ended.
 */
#ifndef FERRYFS_FS_EARLY_EARLY_H
#define FERRYFS_FS_EARLY_EARLY_H

#include "fs/early/batch.h"
#include "fs/early/delete_queue.h"
#include "fs/core/hub.h"
#include "fs/early/prefetch.h"

struct early_dir;

enum { EARLY_DIRS_MAX = 4096 }; /* undecided markers; past it each mkdir writes its marker */

struct early {
	struct hub *hub;
	struct resolver *resolver;
	struct batches *batches;
	struct gather *gather;
	struct early_dir *dirs; /* protected by hub.lock; the newest first */
	unsigned dir_count;
	struct prefetches prefetches; /* protected by hub.lock */
};

/* Starts a thread. */
int early_new(struct hub *hub, struct early **ret);
/* Before the engine is freed: holds nothing back any more, and waits until every promise has ended,
 * limit_ms at most. */
void early_settle(struct early *early, unsigned limit_ms);
/* Before the engine is freed, too, and not under hub.lock: callers are not looked up any more. */
void early_stop(struct early *early);
void early_free(struct early *early); /* after the engine; accepts NULL */

/* Returns the batch of the calling process, with one ref, or NULL. */
struct batch *early_batch(struct hub *hub, fuse_req_t req);
struct batch *early_batch_of(struct hub *hub, pid_t pid);

/* Looks up the calling process: for the calls that begin a batch. */
struct early_ask {
	/* given */
	struct hub *hub;
	/* batch: one ref for the callee, or NULL.  Called once, no lock held, on the resolver's thread or
	 * before early_ask returns. */
	void (*on_done)(struct early_ask *ask, struct batch *batch);
	void *user;
	/* private */
	struct resolve resolve;
};
/* thread, uid: of the call. */
void early_ask(struct early_ask *ask, pid_t thread, uid_t uid);

/* ---- directories; hub.lock held ---- */

/* The process made this directory (node.local is set). False: there are too many, or no memory. */
bool early_made(struct hub *hub, struct batch *batch, struct node *directory);
/* Likewise, but its marker was written first.  If memory is short that marker stays, even where the source
 * has none. */
void early_marked(struct hub *hub, struct batch *batch, struct node *directory);
/* The process opened this directory.  Notes the directory that the process made just before as the copy of
 * this one.  False: there is none. */
bool early_opened(struct hub *hub, struct batch *batch, const struct node *directory);
/* rm emptied this directory, and will remove it: node.emptied is set until it has, or early_unemptied says otherwise. */
void early_emptied(struct hub *hub, struct batch *batch, struct node *directory);
void early_unemptied(struct hub *hub, const struct node *directory);

/* The process has read this directory to its end.  No lock. */
void early_listed(struct hub *hub, struct batch *batch, struct node *directory);
/* S3 must have this directory now, whichever process made it (it is about to be renamed, or settled).
 * When this returns its marker, and the markers of all directories below, are under way, in the order of
 * claims.  No lock. */
void early_decide_below(struct hub *hub, struct node *directory);

#endif
