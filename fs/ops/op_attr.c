/*
 * getattr, setattr, statfs and forget.
 *
 * Known and fresh attributes are answered at once; a file without them is refreshed (refresh.h), its request
 * parked.
 */
#include "engine/base/clock.h"
#include "fs/ops/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "fs/file/draft.h"
#include "fs/file/handle.h"
#include "fs/request/node_stat.h"
#include "fs/request/parked.h"
#include "fs/file/refresh.h"
#include "fs/ops/set_attrs.h"
#include "fs/request/reply.h"

struct head {
	struct parked parked;
	struct refresh refresh; /* its node is referenced */
	struct handle *handle; /* referenced; NULL: asked by name */
};

static void head_free(struct parked *parked)
{
	struct head *head = (struct head *)parked;
	struct hub *hub = parked->hub;

	hub_lock(hub);
	handle_unref(hub, head->handle);
	node_unref(hub->nodes, head->refresh.node);
	hub_unlock(hub);
	free(head);
}

static void attr_on_refreshed(struct refresh *refresh, int error)
{
	struct head *head = refresh->user;
	struct hub *hub = refresh->hub;

	hub_lock(hub);
	if (error == 0 && head->handle && handle_outdated(head->handle))
		error = -ESTALE;
	hub_unlock(hub);
	if (error < 0) {
		parked_fail(&head->parked, error);
		return;
	}
	if (parked_take(&head->parked))
		hub_reply_attr(hub, head->parked.req, refresh->node);
	parked_drop(&head->parked);
}

/* Parks the request until a HEAD is answered.  Takes the ref on node. */
static void head_start(struct hub *hub, fuse_req_t req, struct node *node, struct handle *handle)
{
	struct head *head = calloc(1, sizeof(*head));
	int error = head ? 0 : -ENOMEM;

	hub_lock(hub);
	if (head) {
		head->refresh = (struct refresh){
			.hub = hub, .node = node, .what = "stat", .on_done = attr_on_refreshed, .user = head};
		error = refresh_prepare(&head->refresh);
	}
	if (error < 0)
		node_unref(hub->nodes, node);
	else if (handle)
		head->handle = handle_ref(handle);
	hub_unlock(hub);
	if (error < 0) {
		free(head);
		hub_reply_err(req, error);
		return;
	}
	parked_init(&head->parked, req, head_free);
	refresh_start(&head->refresh);
}

/* The node of this number with a ref, or NULL and the request answered. */
static struct node *node_get(struct hub *hub, fuse_req_t req, fuse_ino_t ino)
{
	hub_lock(hub);
	struct node *node = nodes_find(hub->nodes, ino);

	if (node)
		node_ref(node);
	hub_unlock(hub);
	if (!node)
		fuse_reply_err(req, ESTALE);
	return node;
}

static void node_put(struct hub *hub, struct node *node)
{
	hub_lock(hub);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct node *node = node_get(hub, req, ino);

	if (!node)
		return;
	hub_lock(hub);
	struct handle *handle = fi && !node_is_dir(node) ? handle_of(fi) : NULL;
	uint64_t now = clock_ms();
	bool known = node->draft || node->gone || (node_attr_fresh(node, now) && node_attrs_known(node, now));
	bool outdated = handle && handle_outdated(handle);

	hub_unlock(hub);
	if (!known) {
		head_start(hub, req, node, handle);
		return;
	}
	/* The size of another version would end a read of this version early, as if the file ended there. */
	if (outdated)
		hub_reply_err(req, -ESTALE);
	else
		hub_reply_attr(hub, req, node);
	node_put(hub, node);
}

/* Does the caller ask for an attribute that is shown otherwise and cannot be kept?  hub.lock held. */
static bool refused(struct hub *hub, const struct node *node, const struct attrs *wanted, int to_set)
{
	const struct view *view = node_view(node);
	struct stat st;
	bool now = to_set & FUSE_SET_ATTR_MTIME_NOW;

	if (!view || !view->attrs_eperm)
		return false;
	node_stat(node, &st);
	/* A file that is being written, or was just made and is still open (touch), is as new as can be. */
	if (now && ((node->draft && draft_dirty(node->draft)) || handle_any_made(hub, node)))
		return false;
	return ((wanted->has & ATTRS_MODE) && wanted->mode != (st.st_mode & ALLPERMS)) ||
	       ((wanted->has & ATTRS_UID) && wanted->uid != st.st_uid) ||
	       ((wanted->has & ATTRS_GID) && wanted->gid != st.st_gid) ||
	       ((wanted->has & ATTRS_MTIME) && (wanted->mtime.tv_sec != st.st_mtim.tv_sec ||
						       wanted->mtime.tv_nsec != st.st_mtim.tv_nsec));
}

/* Mode, owner and times: kept as metadata (the ref on node is taken, the request will be answered: false), or
 * those of the view and of S3.  Then the caller is told so, or, as cp -p, tar and touch want it, not told (-o
 * attrs_fail). */
static bool attr_keep(struct hub *hub, fuse_req_t req, struct node *node, const struct stat *attr, int to_set)
{
	struct timespec now;
	struct attrs wanted;

	clock_gettime(CLOCK_REALTIME, &now);
	set_attrs_wanted(&wanted, attr, to_set, &now);
	hub_lock(hub);
	bool keeps = wanted.has && node_keeps_attrs(node);
	bool refuse = !keeps && refused(hub, node, &wanted, to_set);

	hub_unlock(hub);
	if (keeps) {
		set_attrs(req, node, &wanted);
		return false;
	}
	if (refuse) {
		hub_reply_err(req, -EPERM);
		node_put(hub, node);
		return false;
	}
	return true;
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct node *node = node_get(hub, req, ino);

	if (!node)
		return;
	hub_lock(hub);
	const struct view *view = node_view(node);
	int error = view && view->ro ? -EROFS : 0;

	if (error == 0 && (to_set & FUSE_SET_ATTR_SIZE) && node_is_dir(node))
		error = -EISDIR;
	hub_unlock(hub);
	if (error == 0 && (to_set & FUSE_SET_ATTR_SIZE)) {
		op_truncate(req, node, attr->st_size, fi);
		return;
	}
	if (error == 0 && !attr_keep(hub, req, node, attr, to_set))
		return;
	if (error < 0)
		hub_reply_err(req, error);
	else
		hub_reply_attr(hub, req, node);
	node_put(hub, node);
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	/* S3 has no size.  1 EiB in blocks of 4 KiB: large enough for any program that looks before it
	 * writes. */
	const fsblkcnt_t blocks = (fsblkcnt_t)1 << (60 - 12);
	const struct statvfs st = {
		.f_bsize = 4096,
		.f_frsize = 4096,
		.f_blocks = blocks,
		.f_bfree = blocks,
		.f_bavail = blocks,
		.f_files = (fsfilcnt_t)1 << 40,
		.f_ffree = (fsfilcnt_t)1 << 40,
		.f_favail = (fsfilcnt_t)1 << 40,
		.f_namemax = KEY_NAME_MAX,
	};

	fuse_reply_statfs(req, &st);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	op_forget_multi(req, 1, &(struct fuse_forget_data){.ino = ino, .nlookup = count});
}

void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	struct hub *hub = hub_of(req);

	hub_lock(hub);
	for (size_t i = 0; i < count; i++) {
		struct node *node = nodes_find(hub->nodes, forgets[i].ino);

		if (node)
			node_forget(hub->nodes, node, forgets[i].nlookup);
	}
	hub_unlock(hub);
	fuse_reply_none(req);
}
