#include "fs/ops/flush_early.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/core/notify.h"
#include "fs/host/caller_files.h"
#include "fs/file/draft.h"
#include "fs/early/early.h"
#include "fs/file/handle.h"
#include "fs/request/parked.h"
#include "fs/request/reply.h"

/* A copy that its process believes to be done. */
struct promise {
	struct hub *hub;
	struct batch *batch; /* referenced */
	struct node *node; /* referenced */
	bool empty;
	struct draft_flush flush;
};

/* A flush that waits: for room, or for all operations of its batch. */
struct flush_early_op {
	struct parked parked;
	struct batch *batch; /* referenced; NULL: the process has none */
	struct handle *handle; /* referenced */
	struct promise *promise;
	struct draft_flush flush;
	struct batch_wait wait;
	struct resolve resolve;
	int error; /* of the file itself */
};

static void flush_early_op_free(struct parked *parked)
{
	struct flush_early_op *op = (struct flush_early_op *)parked;
	struct hub *hub = parked->hub;

	hub_lock(hub);
	handle_unref(hub, op->handle);
	hub_unlock(hub);
	batch_unref(op->batch);
	free(op);
}

/* Parked from now on.  Takes the ref on batch; NULL: the request was answered. */
static struct flush_early_op *op_new(fuse_req_t req, struct handle *handle, struct batch *batch)
{
	struct flush_early_op *op = calloc(1, sizeof(*op));
	struct hub *hub = hub_of(req);

	if (!op) {
		hub_reply_err(req, -ENOMEM);
		batch_unref(batch);
		return NULL;
	}
	hub_lock(hub);
	op->handle = handle_ref(handle);
	hub_unlock(hub);
	op->batch = batch;
	parked_init(&op->parked, req, flush_early_op_free);
	return op;
}

/* ---- promised ---- */

static void told(struct hub *hub, struct node *node)
{
	hub_lock(hub);
	if (node->draft)
		draft_take_untold(node->draft);
	hub_unlock(hub);
}

/* The failure is in the log; the next call of the process that can report it tells the process. */
static void flush_early_on_kept(struct draft_flush *flush, int error)
{
	struct promise *promise = flush->user;
	struct hub *hub = promise->hub;
	struct node *node = promise->node;

	told(hub, node);
	/* A file that could not be made is gone before the process hears of the failure. */
	if (error < 0)
		draft_settle(hub, node);
	else if (promise->empty)
		notify_inode(hub, node->ino); /* EMPTY_S in op_create.c */
	batch_keep(promise->batch, error);
	batch_unref(promise->batch);
	hub_lock(hub);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
	free(promise);
	hub_unpark(hub);
}

static struct promise *promise_new(struct hub *hub, struct batch *batch, struct node *node)
{
	struct promise *promise = calloc(1, sizeof(*promise));

	if (!promise)
		return NULL;
	promise->hub = hub;
	promise->batch = batch_ref(batch);
	hub_lock(hub);
	promise->node = node_ref(node);
	promise->empty = node->draft && draft_size(node->draft) == 0;
	hub_unlock(hub);
	promise->flush.done = flush_early_on_kept;
	promise->flush.user = promise;
	promise->flush.tells = true;
	hub_park(hub);
	return promise;
}

static void on_room(struct batch_wait *wait, int error)
{
	struct flush_early_op *op = wait->user;
	struct promise *promise = op->promise;

	draft_flush(promise->hub, promise->node, &promise->flush);
	parked_fail(&op->parked, batch_take_error(op->batch));
}

/* Takes the ref on batch. */
static void answer_early(fuse_req_t req, struct handle *handle, struct batch *batch)
{
	struct hub *hub = hub_of(req);
	struct promise *promise = promise_new(hub, batch, handle->node);

	if (!promise) {
		hub_reply_err(req, -ENOMEM);
		batch_unref(batch);
		return;
	}
	if (batch_promise(batch, NULL)) {
		draft_flush(hub, promise->node, &promise->flush);
		hub_reply_err(req, batch_take_error(batch));
		batch_unref(batch);
		return;
	}
	struct flush_early_op *op = op_new(req, handle, batch);

	if (!op) {
		/* The process is told of an error here, so the later result of the copy need not be told. */
		batch_promise_more(promise->batch);
		draft_flush(hub, promise->node, &promise->flush);
		return;
	}
	op->promise = promise;
	op->wait.on_done = on_room;
	op->wait.user = op;
	if (batch_promise(batch, &op->wait))
		on_room(&op->wait, 0);
}

/* ---- waited for ---- */

static void flush_early_on_settled(struct batch_wait *wait, int error)
{
	struct flush_early_op *op = wait->user;

	parked_fail(&op->parked, op->error < 0 ? op->error : error);
}

static void flush_early_on_stored(struct draft_flush *flush, int error)
{
	struct flush_early_op *op = flush->user;

	op->error = error;
	if (error < 0)
		told(op->parked.hub, op->handle->node);
	if (op->batch && op->handle->node->attr.size == 0)
		notify_inode(op->parked.hub, op->handle->node->ino);
	op->wait.on_done = flush_early_on_settled;
	op->wait.user = op;
	if (op->batch)
		batch_wait(op->batch, &op->wait);
	else
		parked_fail(&op->parked, error);
}

static void flush_early_wait_for_all(struct flush_early_op *op)
{
	op->flush.done = flush_early_on_stored;
	op->flush.user = op;
	op->flush.tells = true;
	draft_flush(op->parked.hub, op->handle->node, &op->flush);
}

/* The file itself has failed.  This may be the process's last call, so it is answered when no operation of
 * the process is pending. */
static void wait_for_rest(struct flush_early_op *op, int error)
{
	op->flush.user = op;
	flush_early_on_stored(&op->flush, error);
}

/* ---- an empty file; hub.lock held ---- */

/* The open source that this empty file is a copy of, if it is a copy. */
static struct handle *empty_source(struct hub *hub, const struct handle *handle, pid_t thread)
{
	const struct draft *draft = handle->node->draft;

	if (!draft || !draft_is_empty(draft) || !draft_dirty(draft))
		return NULL;
	struct handle *source = handle_only_read(hub, thread);

	return source && source->node->kind == NODE_FILE && source->node->attr.size == 0 ? source : NULL;
}

static void copy_empty(struct hub *hub, struct handle *handle, pid_t thread)
{
	struct handle *source = empty_source(hub, handle, thread);

	if (!source || draft_copy_empty(hub, handle->node, source) < 0)
		return;
	handle->source = source->node->ino;
	handle->source_parent = source->node->parent ? source->node->parent->ino : 0;
}

/* ---- the beginning ---- */

static void flush_early_on_resolved(struct resolve *resolve)
{
	struct flush_early_op *op = resolve->user;
	struct hub *hub = op->parked.hub;
	const struct caller *caller = &resolve->caller;

	if (resolve->pidfd >= 0)
		close(resolve->pidfd);
	if (caller->plain && (caller->tool == CALLER_CP || caller->tool == CALLER_MV)) {
		hub_lock(hub);
		copy_empty(hub, op->handle, op->parked.thread);
		hub_unlock(hub);
	}
	flush_early_wait_for_all(op);
}

static void flush_early_ask(struct flush_early_op *op, pid_t pid, enum caller_question question,
	void (*on_done)(struct resolve *resolve))
{
	op->resolve = (struct resolve){
		.pid = pid, .uid = op->parked.uid, .question = question, .on_done = on_done, .user = op};
	if (resolver_ask(op->parked.hub->early->resolver, &op->resolve) < 0)
		flush_early_wait_for_all(op);
}

/* An empty copy of an empty file? */
static void flush_early_ask_who(struct flush_early_op *op)
{
	struct hub *hub = op->parked.hub;

	hub_lock(hub);
	bool perhaps = empty_source(hub, op->handle, op->parked.thread);

	hub_unlock(hub);
	if (perhaps)
		flush_early_ask(op, op->parked.thread, CALLER_WHO, flush_early_on_resolved);
	else
		flush_early_wait_for_all(op);
}

/*
 * A file that was made or emptied by an open, and not written yet.  A shell's redirection closes a duplicate
 * of its descriptor first: to store the empty file then would cost a request each time, and the old content
 * of the file would be gone although S3 may refuse the new content.  So that close does not store the file,
 * if the process that closes it, or the one that opened it, still has the file open for writing: the kernel
 * will tell of that one's close, or of its end, with another flush, and the last one stores and tells.  Where
 * that can't be found out each close stores.
 */
static void on_files(struct resolve *resolve)
{
	struct flush_early_op *op = resolve->user;
	struct hub *hub = op->parked.hub;
	const struct caller_file file = {.dev = hub->dev, .ino = op->handle->node->ino};
	bool held = caller_files_has(resolve->bytes, resolve->len, &file);
	pid_t opener = op->handle->thread;

	hub_lock(hub);
	bool waits = held && draft_is_unwritten(op->handle->node->draft);

	hub_unlock(hub);
	if (waits)
		parked_fail(&op->parked, 0);
	else if (!held && opener > 0 && resolve->pid != opener)
		flush_early_ask(op, opener, CALLER_FILES, on_files);
	else
		flush_early_ask_who(op);
}

static bool without_batch(fuse_req_t req, struct handle *handle)
{
	struct hub *hub = hub_of(req);
	pid_t thread = fuse_req_ctx(req)->pid;

	hub_lock(hub);
	bool unwritten = hub->early && draft_is_unwritten(handle->node->draft);

	hub_unlock(hub);
	if (!unwritten)
		return false;
	struct flush_early_op *op = op_new(req, handle, NULL);

	if (op && hub->dev && thread > 0)
		flush_early_ask(op, thread, CALLER_FILES, on_files);
	else if (op)
		flush_early_ask_who(op);
	return true;
}

/* Was the file made by name, and by the name of its source?  Then its directory is the copy of the source's
 * directory.  hub.lock held. */
static bool beside(struct hub *hub, const struct handle *handle)
{
	const struct node *source = handle->source ? nodes_find(hub->nodes, handle->source) : NULL;
	const struct node *node = handle->node;

	return source && (handle->flags & O_EXCL) && source->name_len == node->name_len &&
	       memcmp(source->name, node->name, node->name_len) == 0;
}

/* The state of the file. */
struct flush_state {
	bool early; /* it may be promised, as far as the file's own state tells */
	bool pending; /* it is under way */
	int untold; /* it failed already */
	bool beside;
};

static struct flush_state flush_early_look(struct hub *hub, struct handle *handle, pid_t thread)
{
	struct flush_state state = {0};

	hub_lock(hub);
	const struct view *view = node_view(handle->node);

	copy_empty(hub, handle, thread);
	state.beside = beside(hub, handle);
	struct draft *draft = handle->node->draft;

	state.pending = draft && draft_dirty(draft);
	state.untold = state.pending ? draft_take_untold(draft) : 0;
	state.early = handle->source && view && view->copy_ack == COPY_ACK_EARLY &&
		      (!state.pending || draft_is_copy(draft));
	hub_unlock(hub);
	return state;
}

bool flush_early(fuse_req_t req, struct handle *handle)
{
	struct hub *hub = hub_of(req);
	struct batch *batch = early_batch(hub, req);

	if (!batch)
		return without_batch(req, handle);
	const struct flush_state state = flush_early_look(hub, handle, fuse_req_ctx(req)->pid);
	if (state.beside)
		batch_lands(batch, handle->source_parent);
	bool more = state.early && batch_more(batch, handle->source_parent, handle->source);

	if (more && (state.untold < 0 || !state.pending)) {
		hub_reply_err(req, state.untold < 0 ? state.untold : batch_take_error(batch));
		batch_unref(batch);
	} else if (more) {
		answer_early(req, handle, batch);
	} else {
		struct flush_early_op *op = op_new(req, handle, batch);

		if (op && state.untold < 0)
			wait_for_rest(op, state.untold);
		else if (op)
			flush_early_wait_for_all(op);
	}
	return true;
}
