/*
 * hub: one FUSE superblock and everything behind it: engine, nodes, claims, notifier, session.
 *
 * Threads: the session's reading thread runs the low-level handlers (fs/ops/ops.c); workers run completions,
 * which may reply to parked requests; the notifier's thread sends invalidations (inval_entry blocks while a
 * request on that directory is parked: measured), and the pruner's asks for nodes back.  A handler never blocks: what cannot be answered at once
 * is parked (struct parked) and answered by a completion.
 *
 * Locks, outermost first: hub.lock (nodes, dirs, drafts, handles) > claims' own.  No reply, no callback into
 * the engine that may call back, no I/O under hub.lock; call_post, worker_post and notify_* are allowed under
 * it (they only queue).
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
	struct notifier *notifier;
	struct fuse_session *session;
	struct view *
		view; /* of a hub that is mounted by itself, its root is inode 1; NULL: fs/serve/views.h has them */

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

/* view is referenced; NULL: the root is a NODE_HUB.  staging NULL: the default.  Starts the notifier's
 * thread, so after any fork.  On failure a sentence in why (ACCOUNT_WHY_MAX bytes). */
int hub_new(struct engine *engine, struct view *view, const char *staging, struct hub **ret, char *why);
/* After the session ended and the engine was freed (that ends whatever is parked): settles nothing any more,
 * frees all but the engine.  Accepts NULL. */
void hub_free(struct hub *hub);

/* A handler that returns without an answer, and whoever answers for it later.  Any thread. */
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

/* ---- replies; never under hub.lock ---- */

/* Fills the entry of a node that the caller holds: attributes, time-outs by view (0 while it has a draft or a
 * claim pending). hub.lock held.  The lookup count is added by hub_reply_entry. */
void hub_entry(struct hub *hub, struct node *node, struct fuse_entry_param *ret);
/* Adds the lookup first (under the lock), replies, and takes it back when the reply was not taken (-ENOENT:
 * the request was interrupted).  Takes the caller's ref on node. */
void hub_reply_entry(struct hub *hub, fuse_req_t req, struct node *node);
void hub_reply_attr(struct hub *hub, fuse_req_t req, struct node *node); /* takes no ref */
/* error: -errno or 0.  What no caller could make sense of (EAGAIN, ESTALE ... stay) is not translated here.
 */
void hub_reply_err(fuse_req_t req, int error);

/* ---- notifier (fs/core/notify.c); any thread, also under hub.lock: queues only, bounded: when full the oldest
 * are merged into the loss of their directory's whole cache ---- */
void notify_entry(struct hub *hub, uint64_t parent, struct str name);
void notify_inode(struct hub *hub, uint64_t ino);
/* There may be more nodes than are needed: fs/serve/pruner.h, whose thread is started and stopped with this one. */
void notify_prune(struct hub *hub);

/* send, on the notifier's thread, tells the kernel; name STR_NONE: of an inode.  NULL: through the hub's
 * session. */
int notifier_new(
	struct hub *hub, void (*send)(struct hub *hub, uint64_t ino, struct str name), struct notifier **ret);
/* What is queued is dropped and the thread ends after what it is at.  Its calls into the kernel may wait for
 * parked requests, so the session must be read, or be over, until notifier_stopped. */
void notifier_stop(struct notifier *notifier);
bool notifier_stopped(struct notifier *notifier);
void notifier_free(struct notifier *notifier); /* stops and joins; accepts NULL */

#endif
