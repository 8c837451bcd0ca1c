/*
 * hub: one FUSE superblock and everything behind it: engine, nodes, claims, notifier, session.
 *
 * Threads: the session's reading thread runs the low-level handlers (fs/ops/ops.c); workers run completions,
 * which may reply to parked requests; the notifier's thread tells the kernel of changes (fs/core/notify.h), and the
 * pruner's asks it for nodes back.  A handler never blocks: what cannot be answered at once is parked (fs/request/parked.h)
 * and answered by a completion.
 *
 * Locks, outermost first: that of a served version (fs/file/recognise.c) > hub.lock (nodes, dirs, drafts, handles) > the
 * leaves, of which a thread holds one at a time (fs/README.md lists them).  No reply, no callback into the engine that may
 * call back, no I/O under hub.lock; call_post, worker_post and notify_* are allowed under it (they only queue).
 */
#ifndef FERRYFS_FS_CORE_HUB_H
#define FERRYFS_FS_CORE_HUB_H

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include "engine/wire/engine.h"
#include "fs/core/key_lock.h"
#include "fs/core/node.h"

struct notifier;
struct pruner;
struct dir;
struct files;
struct early;
struct recognise;
struct journal_dir;
struct recoverer;
struct taken;
struct upkeep;

/* fs/dir/dir.c: the directories whose children are held, oldest knowledge first.  All zero at first; needs no
 * release. */
struct dirs {
	struct dir *oldest, *newest;
	unsigned held; /* children, at most DIR_HELD_MAX */
	unsigned moves; /* directories renamed so far */
};

struct hub {
	struct engine *engine;
	struct claims *claims;
	struct notifier *notifier; /* fs/core/notify.h */
	struct pruner *pruner; /* fs/serve/pruner.h */
	/* An entry was answered while there are more than NODES_MANY nodes.  hub.lock held: queues only.  NULL: nothing. */
	void (*on_many_nodes)(struct hub *hub);
	struct fuse_session *session;
	/* Of a hub that is mounted by itself: its root is inode 1.  NULL: fs/serve/views.h has them. */
	struct view *view;

	pthread_mutex_t lock;
	struct nodes *nodes; /* protected by lock */
	struct dirs dirs; /* protected by lock */
	char *staging_dir; /* constant; 0700, checked at start */
	struct journal_dir *journal; /* constant, as the next two; NULL: none, because of journal_error */
	struct recoverer *recoverer; /* NULL: none */
	int journal_error;
	struct xattr_cache *xattrs; /* fs/file/xattr_cache.h */
	struct dir_handle *open_dirs; /* fs/ops/op_readdir.c: open directories; protected by lock */
	struct files *files; /* fs/file/handle.h: open files; protected by lock */
	struct early *early; /* fs/early/early.h: what is answered before S3 has acknowledged it */
	struct recognise *recognise; /* fs/file/recognise.h: objects that were served whole; constant */
	struct taken *taken; /* fs/file/taken.h: who has read or copied which version; constant */
	atomic_uint parked; /* requests without an answer yet: hub_park, hub_unpark */
	dev_t dev; /* of the superblock; 0: not known; constant once the session is read */
	int fuse_cpu; /* of the session, constant once it is open: fs/host/fuse_cpu.h */
	struct upkeep *upkeep; /* fs/file/upkeep.h; NULL outside of a session */
	atomic_ulong pruned; /* nodes that the kernel was asked to let go: fs/serve/prune.h */
	atomic_bool stopping; /* the session ends: begin nothing new */
};

/* For a handler that returns without an answer, and for the completion that gives the answer later.  Any thread. */
static inline void hub_park(struct hub *hub)
{
	atomic_fetch_add_explicit(&hub->parked, 1, memory_order_relaxed);
}

static inline void hub_unpark(struct hub *hub)
{
	atomic_fetch_sub_explicit(&hub->parked, 1, memory_order_release);
}

static inline struct hub *hub_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static inline void hub_lock(struct hub *hub)
{
	pthread_mutex_lock(&hub->lock);
}

static inline void hub_unlock(struct hub *hub)
{
	pthread_mutex_unlock(&hub->lock);
}

#endif
