/*
 * early: what the operations share that are answered before S3 has acknowledged them: the batches of a hub,
 * who has one, the gathered deletes, and the directories whose marker is not decided yet.
 *
 * `cp -r` makes directories of which S3 knows nothing until something lands below them.  A directory made by
 * a process that has a batch, of which a call here is sure to follow (fs/ops/op_mkdir.c), is a node alone
 * (node.local), remembered here until its marker is decided:
 *
 *   its source has a marker            that is copied, as soon as the source is listed
 *   something landed below             none is needed (node.local has ended)
 *   the batch is waited for, or ended  written, if nothing is below once what is pending there has landed
 *   fsync, rename of one around it     likewise
 *   one written like that, or by mkdir removed at the next wait of the batch, or at its end; where that is
 *   itself, and the process then put   refused the process is told, as its copy has a key too many
 *   something below, while its source
 *   has no marker
 *
 * (fs/early/new_dir_mark.h), so that a copied tree has the keys of its source and no others.  What `rm -r` emptied
 * and did not remove, as it was killed, gets its marker likewise (fs/dir/marker.h) when the process has ended.
 */
#ifndef FERRYFS_FS_EARLY_EARLY_H
#define FERRYFS_FS_EARLY_EARLY_H

#include "fs/early/batch.h"
#include "fs/early/delete_queue.h"
#include "fs/core/hub.h"
#include "fs/early/prefetch.h"

struct early_dir;
struct parked;

enum { EARLY_DIRS_MAX = 4096 }; /* undecided; past it each mkdir writes its marker */

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
/* Before the engine is freed: nothing is held back any more, and everything that was promised is waited for,
 * limit_ms at most. */
void early_settle(struct early *early, unsigned limit_ms);
/* Before the engine is freed, too, and not under hub.lock: nobody is asked who calls any more. */
void early_stop(struct early *early);
void early_free(struct early *early); /* after the engine; accepts NULL */

/* The batch of the process that asks, one ref, or NULL. */
struct batch *early_batch(struct hub *hub, fuse_req_t req);
struct batch *early_batch_of(struct hub *hub, pid_t pid);

/* Who asks?  For the calls with which a batch begins. */
struct early_ask {
	/* given */
	struct hub *hub;
	/* batch: one ref for the callee, or NULL.  Once; no lock held; on the resolver's thread, or before
	 * early_ask returns. */
	void (*on_done)(struct early_ask *ask, struct batch *batch);
	void *user;
	/* private */
	struct resolve resolve;
};
void early_ask(struct early_ask *ask, const struct parked *parked);

/* ---- directories; hub.lock held ---- */

/* The process made this directory (node.local is set). False: there are too many, or no memory. */
bool early_made(struct hub *hub, struct batch *batch, struct node *directory);
/* Likewise, but its marker was written first.  Memory that is short leaves that where the source has none. */
void early_marked(struct hub *hub, struct batch *batch, struct node *directory);
/* The process opened this directory: what it made last is its copy, if that was made just before.  Was it? */
bool early_opened(struct hub *hub, struct batch *batch, const struct node *directory);
/* rm emptied it, and will remove it. */
void early_emptied(struct hub *hub, struct batch *batch, struct node *directory);
void early_unemptied(struct hub *hub, const struct node *directory);
/* S3 may have nothing of it any more, but the process that is about to remove it must find it. */
bool early_is_emptied(const struct hub *hub, const struct node *directory);

/* The directory that the process reads has been read to its end.  No lock. */
void early_listed(struct hub *hub, struct batch *batch, struct node *directory);
/* Whoever made it, this directory is wanted in S3 now (it is about to be renamed, or settled): its marker is
 * under way, in the order of claims, when this returns, and so are those of all below it.  No lock. */
void early_decide_below(struct hub *hub, struct node *directory);

#endif
