/*
 * getattr, setattr, statfs and forget.
 *
 * What is known and fresh is answered at once; a file that is not is asked for by one HEAD, its request
 * parked.  By the time the answer is here the world may have moved on, and then what is known meanwhile is
 * the better answer:
 *
 *   meanwhile                          then
 *   a draft, or newer attributes       those are shown
 *   renamed (it has another key now)   asked for again there, HEAD_AGAIN times
 *   gone, or about to be               what it last was
 *   none of these, 404                 the name is taken out of its directory, the kernel told: ENOENT
 */
#include "fs/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "engine/call.h"
#include "engine/log.h"
#include "fs/handle.h"

enum { HEAD_AGAIN = 3 };

struct head {
	struct hub *hub;
	fuse_req_t req;
	struct node *node; /* referenced */
	struct handle *handle; /* referenced; NULL: asked by name */
	uint64_t stamp; /* of the node when it was asked */
	unsigned again;
	struct place place;
	struct call call;
};

static void head_free(struct head *head)
{
	hub_lock(head->hub);
	handle_unref(head->hub, head->handle);
	node_unref(head->hub->nodes, head->node);
	hub_unlock(head->hub);
	hub_unpark(head->hub);
	free(head);
}

static void head_done(struct call *call, const struct s3_answer *answer);

static void head_send(struct head *head)
{
	call_init(&head->call);
	head->call.request.op = S3_HEAD_OBJECT;
	head->call.request.bucket = place_bucket(&head->place);
	head->call.request.key = place_key(&head->place);
	head->call.account = head->place.account;
	head->call.on_done = head_done;
	head->call.user = head;
	call_post(engine_pick(head->hub->engine), &head->call);
}

enum verdict { SHOW, FAIL, ASK_AGAIN };

/* Takes the answer into the node where it still is one about it.  hub.lock held. */
static enum verdict head_apply(struct head *head, const struct s3_answer *answer, int *error)
{
	struct node *node = head->node;
	struct place now;

	if (node->gone || node->draft || node_stamp(node) != head->stamp)
		return SHOW;
	*error = node_place(node, &now);
	if (*error < 0)
		return FAIL;
	if (!str_eq(place_key(&now), place_key(&head->place)) ||
		!str_eq(place_bucket(&now), place_bucket(&head->place))) {
		head->place = now;
		return head->again++ < HEAD_AGAIN ? ASK_AGAIN : SHOW;
	}
	*error = head->call.error;
	/* A rename or unlink is under way: it will say what becomes of the name. */
	if (*error == -ENOENT &&
		claims_busy(head->hub->claims, now.account, place_bucket(&now), place_key(&now), false))
		return SHOW;
	if (*error == 0)
		*error = node_set_attr(node, answer->size, answer->mtime, 0, str_of(answer->etag),
			str_of(answer->storage_class));
	if (*error == 0)
		return SHOW;
	if (*error == -ENOENT) {
		notify_entry(head->hub, node->parent->ino, str_n(node->name, node->name_len));
		nodes_detach(head->hub->nodes, node);
	}
	return FAIL;
}

static void head_done(struct call *call, const struct s3_answer *answer)
{
	struct head *head = call->user;
	int error = 0;

	hub_lock(head->hub);
	enum verdict verdict = head_apply(head, answer, &error);
	bool outdated = head->handle && handle_outdated(head->handle);

	hub_unlock(head->hub);
	if (verdict == ASK_AGAIN && !atomic_load(&head->hub->stopping)) {
		head_send(head);
		return;
	}
	if (verdict == FAIL) {
		if (error != -ENOENT)
			log_call(LOG_LEVEL_ERROR, &(struct log_call){.what = "stat",
							  .bucket = place_bucket(&head->place),
							  .key = place_key(&head->place),
							  .error = error,
							  .answer = answer});
		hub_reply_err(head->req, error);
	} else if (outdated) {
		hub_reply_err(head->req, -ESTALE);
	} else {
		hub_reply_attr(head->hub, head->req, head->node);
	}
	head_free(head);
}

/* Parks the request until a HEAD is answered.  Takes the ref on node. */
static void head_start(struct hub *hub, fuse_req_t req, struct node *node, struct handle *handle)
{
	struct head *head = calloc(1, sizeof(*head));
	int error = head ? 0 : -ENOMEM;

	hub_lock(hub);
	if (head) {
		head->hub = hub;
		head->req = req;
		head->node = node;
		head->stamp = node_stamp(node);
		error = node_place(node, &head->place);
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
	hub_park(hub);
	head_send(head);
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
	bool known = node->draft || node->gone || node_attr_fresh(node, hub_now_ms());
	bool outdated = handle && handle_outdated(handle);

	hub_unlock(hub);
	if (!known) {
		head_start(hub, req, node, handle);
		return;
	}
	/* The size of another version would end a read of this one early, as if that were its end. */
	if (outdated)
		hub_reply_err(req, -ESTALE);
	else
		hub_reply_attr(hub, req, node);
	node_put(hub, node);
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
	/* Mode, owner and times are the view's and S3's: accepted without effect, so that cp -p, tar and
	 * touch go on. */
	if (error < 0)
		hub_reply_err(req, error);
	else
		hub_reply_attr(hub, req, node);
	node_put(hub, node);
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	/* S3 has no size.  1 EiB in blocks of 4 KiB: large enough for whoever looks before writing. */
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
