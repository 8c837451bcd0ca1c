/*
 * prune: asks the kernel to let go of files that no process has used for a while.
 *
 * The kernel keeps an inode of every file it was ever told of until its own memory is short, and while it
 * does a node cannot go.  So past PRUNE_ABOVE nodes it is asked, a piece at a time on a thread of its own
 * (fs/serve/pruner.h), to forget the nodes of entries that it would ask for again anyway, and past PRUNE_HARD
 * also those it still believes.  The kernel keeps the inodes that it uses (open, mapped, a directory with
 * something known below); each inode that it lets go comes back as FORGET.
 *
 * Left alone: directories; files that are open, pending, or held by knowledge of their directory; and the
 * entries that a process with a batch has still before it, since their inode numbers are evidence
 * (fs/early/walk.h).
 *
 * Linux 6.18 and later take inode numbers (FUSE_NOTIFY_PRUNE); before that each name is invalidated, which
 * waits for its directory's lock.
 */
#ifndef FERRYFS_FS_SERVE_PRUNE_H
#define FERRYFS_FS_SERVE_PRUNE_H

#include "fs/core/hub.h"

enum {
	PRUNE_ABOVE = NODES_MANY,
	PRUNE_HARD = 262144, /* some 64 MiB */
	PRUNE_AT_ONCE = 256, /* nodes asked for in one go */
};

/* One that may be let go. */
struct prune_entry {
	uint64_t ino, parent;
	char *name; /* owned */
};

struct prune {
	size_t slot; /* of the nodes' table: where the round is */
	unsigned found; /* in this round */
	unsigned freed; /* asked for since memory was last given back */
	unsigned pause_ms; /* between two rounds */
	uint64_t due_ms; /* when the next one begins */
	bool by_name; /* the kernel does not take numbers */
	/* Tells the kernel; -errno.  NULL: through the hub's session.  A test's own. */
	int (*send)(struct hub *hub, struct prune *prune, const struct prune_entry *entries, unsigned count);
};

/* Are there so many that it is worth asking?  hub.lock held. */
bool prune_wanted(const struct hub *hub);
/* hub.lock held: up to PRUNE_AT_ONCE nodes from prune->slot on, their names copied where by_name says so.
 * True: the round is over. */
bool prune_collect(struct hub *hub, struct prune *prune, struct prune_entry *entries, unsigned *ret_count);
/* No lock; the pruner's thread (fs/serve/pruner.h): one piece of a round.  *ret_wait_ms: time to the next
 * piece; 0: at once; < 0: there is nothing to be done until prune_wanted is true again. */
void prune_step(struct hub *hub, struct prune *prune, int *ret_wait_ms);

#endif
