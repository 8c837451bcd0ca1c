/*
 * create: a node with an empty draft.  Nothing is asked of S3: the kernel has just looked the name up, and
 * the object is stored when the file is closed.  An object that another client has made under that name
 * meanwhile is not overwritten then, unless O_TRUNC said so.
 */
#include "fs/core/place.h"
#include "fs/ops/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fs/dir/dir.h"
#include "fs/file/draft.h"
#include "fs/early/early.h"
#include "fs/file/handle.h"
#include "fs/request/last_reply.h"
#include "fs/request/node_stat.h"
#include "fs/request/reply.h"

/* cp stats the file that it has just made.  Nothing changes there until cp copies into the file, and then the
 * kernel drops the attributes; an empty file gets its time from S3 with a notice (fs/ops/flush_early.c). */
#define EMPTY_S 1.0

/* May a file of this name be made here? */
static int create_check(struct node *parent, struct str name)
{
	struct place place;

	if (!parent || parent->gone)
		return -ENOENT;
	if (!key_name_ok(name))
		return name.len > KEY_NAME_MAX ? -ENAMETOOLONG : -EINVAL;
	if (!node_is_dir(parent))
		return -ENOTDIR;
	const struct view *view = node_view(parent);

	if (view && view->ro)
		return -EROFS;
	return node_child_place(parent, name, false, &place); /* -EINVAL also for a name without a key */
}

/* A new file that no process has seen yet, or the one that came there since the kernel looked; with a ref. */
static int create_child(struct hub *hub, struct node *parent, struct str name, int flags, struct node **ret)
{
	struct node *node = nodes_child(hub->nodes, parent, name);

	if (node && (flags & O_EXCL))
		return -EEXIST;
	if (node && node_is_dir(node))
		return -EISDIR;
	if (node) {
		*ret = node_ref(node);
		return 0;
	}
	int error = nodes_add(hub->nodes, parent, name, NODE_FILE, &node);

	if (error < 0)
		return error;
	node->local = true;
	*ret = node;
	return 0;
}

/* hub.lock held.  On failure the new file is taken back. */
static int create_make(struct hub *hub, struct node *parent, struct str name, const struct attrs *made,
	struct fuse_file_info *fi, struct node **ret)
{
	struct node *node;
	int to_close = -1;
	int error = create_child(hub, parent, name, fi->flags, &node);

	if (error < 0)
		return error;
	bool fresh = node->local && !node->draft && node->attr.fetched_ms == 0;
	struct handle *handle;

	/* A file made twice at the same time, and busy just now: at this answer the kernel looks the name up
	 * and opens the file, and that open waits. */
	if ((fi->flags & O_TRUNC) && node->draft && !draft_quiet(node->draft))
		error = -ESTALE;
	if (error == 0)
		error = handle_open(hub, node, fi->flags, &handle);
	if (error == 0 && (fresh || (fi->flags & O_TRUNC))) {
		error = draft_make_empty(hub, node, &to_close);
		if (error == 0 && fresh && node_keeps_attrs(node))
			error = draft_made_by(node->draft, made);
		if (error < 0)
			handle_close(hub, handle);
		else if (fresh && (fi->flags & (O_EXCL | O_TRUNC)) != O_TRUNC)
			draft_create_only(node->draft, fi->flags & O_EXCL);
	}
	if (error < 0) {
		if (fresh)
			nodes_detach(hub->nodes, node);
		node_unref(hub->nodes, node);
		return error;
	}
	if (to_close >= 0)
		close(to_close); /* of a file made twice: rare, and hardly large */
	handle_will_write(hub, handle);
	dir_child_added(hub, node);
	fi->fh = (uint64_t)(uintptr_t)handle;
	*ret = node;
	return 0;
}

void op_create(
	fuse_req_t req, fuse_ino_t parent_ino, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct fuse_entry_param entry;
	struct node *node = NULL;

	struct batch *batch = early_batch(hub, req);

	hub_lock(hub);
	struct node *parent = nodes_find(hub->nodes, parent_ino);
	int error = create_check(parent, str_of(name));
	struct attrs made;

	if (error == 0)
		node_made_by(parent, fuse_req_ctx(req)->uid, fuse_req_ctx(req)->gid, mode, &made);
	if (error == 0)
		error = create_make(hub, parent, str_of(name), &made, fi, &node);
	if (error == 0) {
		handle_of(fi)->thread = fuse_req_ctx(req)->pid;
		hub_entry(hub, node, &entry);
		if (batch && node->draft && draft_is_empty(node->draft))
			entry.attr_timeout = EMPTY_S;
		node_lookup_add(node);
	}
	hub_unlock(hub);
	if (error < 0)
		last_call_fail(req, batch, error);
	batch_unref(batch);
	if (error < 0)
		return;
	bool sent = fuse_reply_create(req, &entry, fi) == 0;

	hub_lock(hub);
	if (!sent) {
		node_forget(hub->nodes, node, 1);
		handle_close(hub, handle_of(fi));
	}
	hub_unlock(hub);
	if (!sent)
		draft_settle(hub, node);
	hub_lock(hub);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
}
