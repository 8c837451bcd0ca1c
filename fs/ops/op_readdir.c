/*
 * opendir, readdir and readdirplus over one dir_stream a handle.
 *
 * Offset n stands for "after the n-th entry": "." is the first, ".." the second, the stream's entries follow.
 * Offset 0 (rewinddir) begins a fresh listing; so does a seek back to an entry that is no longer kept; then
 * the entries are counted again.  A READDIR that finds nothing here yet is parked in the handle and answered
 * when the stream changed.
 */
#include "engine/base/clock.h"
#include "fs/ops/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "fs/dir/dir_stream.h"
#include "fs/file/draft.h"
#include "fs/early/early.h"
#include "fs/request/last_reply.h"
#include "fs/ops/odd_end.h"
#include "fs/request/parked.h"
#include "fs/request/reply.h"

enum {
	DOTS = 2,
	READ_MAX = 1 << 20, /* of one answer, even if more is asked for */
	ENTRY_PLUS_MIN = 152, /* struct fuse_direntplus without its name (linux/fuse.h) */
};

struct dir_read {
	size_t size;
	uint64_t off;
	bool plus;
};

/* A READDIR that waits. */
struct dir_wait {
	struct parked parked;
	struct dir_read read;
};

struct dir_handle {
	struct hub *hub;
	struct dir_handle *next, **link; /* of hub->open_dirs; protected by hub.lock */
	struct node *directory; /* referenced */
	/* protected by hub.lock */
	unsigned refs;
	struct dir_stream *stream; /* NULL: not begun */
	uint64_t reached; /* the highest offset asked for in this stream */
	struct dir_wait *wait; /* one hold; NULL: none */
	struct batch *batch; /* referenced: of the process that opened it; NULL: it has none.  Constant, as is
				visit */
	uint64_t visit; /* fs/early/walk.h */
	uid_t uid; /* of the thread that opened it; constant */
	bool wary; /* an rm that asks before it removes a file it may not write; constant, as visit */
};

/* One answer in the making. */
struct dir_answer {
	char *data;
	size_t len, size;
	struct node **given; /* lookups that go with it; lent: the lookups hold them */
	size_t given_count;
};

static void handle_unref(struct dir_handle *handle)
{
	struct hub *hub = handle->hub;

	hub_lock(hub);
	bool last = --handle->refs == 0;

	if (last) {
		node_unref(hub->nodes, handle->directory);
		*handle->link = handle->next;
		if (handle->next)
			handle->next->link = handle->link;
	}
	hub_unlock(hub);
	if (!last)
		return;
	batch_unref(handle->batch);
	free(handle);
}

/* hub.lock held. */
static void handle_link(struct hub *hub, struct dir_handle *handle)
{
	handle->next = hub->open_dirs;
	handle->link = &hub->open_dirs;
	if (handle->next)
		handle->next->link = &handle->next;
	hub->open_dirs = handle;
}

static void handle_hold(void *user)
{
	((struct dir_handle *)user)->refs++;
}

static struct dir_handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct dir_handle *)(uintptr_t)fi->fh;
}

/* ---- filling an answer; hub.lock held ---- */

/* Adds one entry; false: no room. */
static bool readdir_add(struct dir_answer *answer, const struct dir_read *read, const char *name,
	const struct fuse_entry_param *entry, uint64_t next)
{
	char *at = answer->data + answer->len;
	size_t room = answer->size - answer->len;
	size_t size = read->plus ? fuse_add_direntry_plus(NULL, at, room, name, entry, (off_t)next)
				 : fuse_add_direntry(NULL, at, room, name, &entry->attr, (off_t)next);

	if (size > room)
		return false;
	answer->len += size;
	return true;
}

static bool add_dot(
	struct dir_handle *handle, struct dir_answer *answer, const struct dir_read *read, uint64_t off)
{
	const struct node *node = handle->directory;
	/* Without an inode number the kernel takes no lookup (linux/fuse.h, fuse_direntplus). */
	struct fuse_entry_param entry = {.ino = 0};

	if (off == 1 && node->parent)
		node = node->parent;
	entry.attr.st_ino = node->ino;
	entry.attr.st_mode = S_IFDIR;
	return readdir_add(answer, read, off == 0 ? "." : "..", &entry, off + 1);
}

/* rm asks whether to remove a file that the caller may not write to, and may be told to leave it, and with it
 * the directories around it: then rm ends with 0 and no further call. */
static bool may_write(const struct stat *st, uid_t uid)
{
	if (st->st_uid == uid)
		return st->st_mode & S_IWUSR;
	return (st->st_mode & S_IWGRP) && (st->st_mode & S_IWOTH);
}

static bool add_node(struct dir_handle *handle, struct dir_answer *answer, const struct dir_read *read,
	struct node *node, uint64_t off)
{
	struct fuse_entry_param entry;

	hub_entry(handle->hub, node, &entry);
	/* An entry with attributes that are not fresh is only named: the kernel looks it up where that
	 * matters. */
	bool give = read->plus && (node->draft || node_attr_fresh(node, clock_ms()));

	if (!give)
		entry.ino = 0;
	if (!readdir_add(answer, read, node->name, &entry, off + 1))
		return false;
	if (handle->wary && !may_write(&entry.attr, handle->uid))
		batch_asks(handle->batch);
	if (give) {
		node_lookup_add(node);
		answer->given[answer->given_count++] = node;
	}
	return true;
}

enum readdir_fill { FILL_READY, FILL_WAIT };

/* *ret_error: to be told where nothing was filled in. */
static enum readdir_fill readdir_fill(
	struct dir_handle *handle, const struct dir_read *read, struct dir_answer *answer, int *ret_error)
{
	struct dir_stream *stream = handle->stream;
	uint64_t off = read->off, highest = 0;
	bool room = true;

	*ret_error = 0;
	for (; off < DOTS && room; off++)
		room = add_dot(handle, answer, read, off);
	if (read->off >= DOTS)
		dir_stream_consume(stream, read->off - DOTS);
	while (room) {
		bool skip;
		struct node *node = dir_stream_entry(stream, off - DOTS, &skip);

		if (!node && !skip)
			break;
		if (node)
			room = add_node(handle, answer, read, node, off);
		if (node && room && node->ino > highest)
			highest = node->ino;
		off++;
	}
	if (highest > 0 && handle->batch)
		batch_told(handle->batch, handle->visit, highest);
	if (answer->len > 0)
		return FILL_READY;
	if (!room) {
		*ret_error = -EINVAL;
		return FILL_READY;
	}
	if (!dir_stream_ended(stream)) {
		/* A seek forward passes over entries that are not here yet: let them come. */
		if (off > read->off)
			dir_stream_consume(stream, off - DOTS);
		return FILL_WAIT;
	}
	*ret_error = dir_stream_error(stream);
	return FILL_READY;
}

static void answer_release(struct dir_answer *answer)
{
	free(answer->data);
	free(answer->given);
}

static int answer_init(struct dir_answer *answer, const struct dir_read *read)
{
	size_t size = read->size < READ_MAX ? read->size : READ_MAX;

	*answer = (struct dir_answer){.size = size};
	answer->data = malloc(size ? size : 1);
	answer->given = calloc(size / ENTRY_PLUS_MIN + 1, sizeof(struct node *));
	return answer->data && answer->given ? 0 : -ENOMEM;
}

/* The kernel never got these entries. */
static void take_back(struct dir_handle *handle, const struct dir_answer *answer)
{
	struct hub *hub = handle->hub;

	hub_lock(hub);
	for (size_t i = 0; i < answer->given_count; i++)
		node_forget(hub->nodes, answer->given[i], 1);
	hub_unlock(hub);
}

/* ---- the end of a listing that a process with a batch reads ---- */

/* If no later call can report, this call waits for all operations promised to the process. */
static void send_end(struct dir_handle *handle, fuse_req_t req)
{
	bool more = batch_listed(handle->batch, handle->visit);

	early_listed(handle->hub, handle->batch, handle->directory);
	/* rm comes back to remove the directory. */
	if (more || batch_caller(handle->batch)->tool == CALLER_RM) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	last_call_end(req, handle->batch);
}

static void readdir_send(
	struct dir_handle *handle, fuse_req_t req, const struct dir_answer *answer, int error)
{
	bool end = error == 0 && answer->len == 0;

	if (end && odd_end(handle->hub, req, handle->stream, handle->batch))
		return;
	if (end && handle->batch)
		send_end(handle, req);
	else if (error < 0)
		last_call_fail(req, handle->batch, error);
	else if (fuse_reply_buf(req, answer->data, answer->len) < 0)
		take_back(handle, answer);
}

static void free_wait(struct parked *parked)
{
	free(parked);
}

/* Nothing is here yet.  Looks again under the lock that on_change takes, so that nothing is missed. */
static void readdir_park(
	struct dir_handle *handle, fuse_req_t req, const struct dir_read *read, struct dir_answer *answer)
{
	struct dir_wait *wait = calloc(1, sizeof(*wait));
	int error = 0;

	if (!wait) {
		hub_reply_err(req, -ENOMEM);
		return;
	}
	parked_init(&wait->parked, req, free_wait);
	wait->read = *read;
	hub_lock(handle->hub);
	enum readdir_fill filled = readdir_fill(handle, read, answer, &error);

	if (filled == FILL_WAIT)
		handle->wait = wait;
	hub_unlock(handle->hub);
	if (filled == FILL_WAIT)
		return;
	if (parked_take(&wait->parked))
		readdir_send(handle, req, answer, error);
	else
		take_back(handle, answer);
	parked_drop(&wait->parked);
}

static void readdir_serve(struct dir_handle *handle, fuse_req_t req, const struct dir_read *read)
{
	struct dir_answer answer;
	int error = answer_init(&answer, read);
	enum readdir_fill filled = FILL_READY;

	if (error == 0) {
		hub_lock(handle->hub);
		filled = readdir_fill(handle, read, &answer, &error);
		hub_unlock(handle->hub);
	}
	if (filled == FILL_READY)
		readdir_send(handle, req, &answer, error);
	else
		readdir_park(handle, req, read, &answer);
	answer_release(&answer);
}

/* Answers the waiting READDIR, if an answer is possible.  Only this and a new READDIR, which comes after its
 * answer, end a wait. */
static void serve_waiting(struct dir_handle *handle)
{
	struct dir_answer answer = {0};
	int error = 0;
	enum readdir_fill filled = FILL_READY;

	hub_lock(handle->hub);
	struct dir_wait *wait = handle->wait;

	if (wait)
		error = answer_init(&answer, &wait->read);
	if (wait && error == 0)
		filled = readdir_fill(handle, &wait->read, &answer, &error);
	if (filled == FILL_READY)
		handle->wait = NULL;
	hub_unlock(handle->hub);
	if (wait && filled == FILL_READY) {
		if (parked_take(&wait->parked))
			readdir_send(handle, wait->parked.req, &answer, error);
		else
			take_back(handle, &answer);
		parked_drop(&wait->parked);
	}
	answer_release(&answer);
}

static void on_change(void *user)
{
	struct dir_handle *handle = user;

	serve_waiting(handle);
	handle_unref(handle);
}

/* ---- the operations ---- */

struct opendir_op {
	struct parked parked;
	struct dir_handle *handle; /* its first ref */
	struct fuse_file_info fi;
	struct early_ask ask;
};

static void free_opendir(struct parked *parked)
{
	free(parked);
}

/* Where the process of the batch is now.  Takes the ref on batch, which may be NULL. */
static void enter(struct dir_handle *handle, struct batch *batch)
{
	struct hub *hub = handle->hub;
	const struct node *node = handle->directory;

	handle->batch = batch;
	if (!batch)
		return;
	const struct caller *caller = batch_caller(batch);

	handle->wary = caller->tool == CALLER_RM && !caller->forced && handle->uid != 0;
	hub_lock(hub);
	handle->visit = batch_opened(batch, node->ino, node->parent ? node->parent->ino : 0);
	if (early_opened(hub, batch, node))
		batch_lands(batch, node->ino);
	hub_unlock(hub);
	prefetch_beside(hub, &hub->early->prefetches, batch, handle->directory);
}

static void readdir_on_asked(struct early_ask *ask, struct batch *batch)
{
	struct opendir_op *op = ask->user;
	struct dir_handle *handle = op->handle;

	enter(handle, batch);
	/* The listing begins with the first READDIR: many open a directory only to name it. */
	if (!parked_take(&op->parked) || fuse_reply_open(op->parked.req, &op->fi) < 0)
		handle_unref(handle);
	parked_drop(&op->parked);
}

/* A batch begins here, if the process is one that has any.  Takes the ref of handle. */
static void readdir_ask_who(fuse_req_t req, struct dir_handle *handle, const struct fuse_file_info *fi)
{
	struct opendir_op *op = calloc(1, sizeof(*op));

	if (!op) {
		handle_unref(handle);
		hub_reply_err(req, -ENOMEM);
		return;
	}
	op->handle = handle;
	op->fi = *fi;
	op->ask.hub = handle->hub;
	op->ask.on_done = readdir_on_asked;
	op->ask.user = op;
	parked_init(&op->parked, req, free_opendir);
	early_ask(&op->ask, op->parked.thread, op->parked.uid);
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct dir_handle *handle = calloc(1, sizeof(*handle));
	int error = handle ? 0 : -ENOMEM;
	bool early = false;

	hub_lock(hub);
	struct node *node = nodes_find(hub->nodes, ino);

	if (error == 0 && (!node || node->gone))
		error = -ENOENT;
	else if (error == 0 && !node_is_dir(node))
		error = -ENOTDIR;
	else if (error == 0 && (node->kind == NODE_HUB || (node->view && node->view->hidden)))
		error = -EACCES;
	if (error == 0) {
		const struct view *view = node_view(node);

		early = view && view->copy_ack == COPY_ACK_EARLY;
		handle->hub = hub;
		handle->refs = 1;
		handle->uid = fuse_req_ctx(req)->uid;
		handle->directory = node_ref(node);
		handle_link(hub, handle);
	}
	hub_unlock(hub);
	if (error < 0) {
		free(handle);
		hub_reply_err(req, error);
		return;
	}
	fi->fh = (uintptr_t)handle;
	/* A process with a batch is followed everywhere, under any options of the view: its way through here
	 * is evidence.  But not a process that reads through another file system on top (overlayfs), which
	 * shows entries of its own: opendir(3) and fts(3) ask for O_DIRECTORY, that does not. */
	bool direct = fi->flags & O_DIRECTORY;
	struct batch *batch = direct ? early_batch(hub, req) : NULL;

	if (!batch && early && direct) {
		readdir_ask_who(req, handle, fi);
		return;
	}
	enter(handle, batch);
	if (fuse_reply_open(req, fi) < 0)
		handle_unref(handle);
}

/* The stream for this offset; a fresh one where the old one can't serve it. */
static int stream_for(struct dir_handle *handle, uint64_t off)
{
	struct hub *hub = handle->hub;
	struct dir_stream *fresh = NULL, *old;
	struct dir_stream_options options = {
		.hub = hub,
		.directory = handle->directory,
		.hold = handle_hold,
		.on_change = on_change,
		.user = handle,
	};

	hub_lock(hub);
	old = handle->stream;
	bool rewound = off == 0 && handle->reached > 0;
	bool usable = old && !rewound && (off < DOTS || dir_stream_reaches(old, off - DOTS));

	if (usable && off > handle->reached)
		handle->reached = off;
	hub_unlock(hub);
	if (usable)
		return 0;
	/* Was the stream begun before the process came here? */
	if (!old && off == 0 && handle->batch)
		fresh = prefetch_take(hub, &hub->early->prefetches, handle->batch, &options);
	bool begun = fresh;
	int error = begun ? 0 : dir_stream_new(&options, &fresh);

	if (error < 0)
		return error;
	hub_lock(hub);
	handle->stream = fresh;
	handle->reached = off;
	if (old && handle->batch)
		batch_rewound(handle->batch, handle->visit);
	hub_unlock(hub);
	if (old)
		dir_stream_close(old);
	if (!begun)
		dir_stream_start(fresh);
	return 0;
}

/* Gives up a READDIR of a killed caller; true when a READDIR still waits. */
static bool drop_wait(struct dir_handle *handle)
{
	hub_lock(handle->hub);
	struct dir_wait *wait = handle->wait;
	bool waits = wait && !parked_answered(&wait->parked);

	if (!waits)
		handle->wait = NULL;
	hub_unlock(handle->hub);
	if (wait && !waits)
		parked_drop(&wait->parked);
	return waits;
}

static void read_directory(fuse_req_t req, struct dir_read read, const struct fuse_file_info *fi)
{
	struct dir_handle *handle = handle_of(fi);
	/* The kernel reads an open directory once at a time; a second reader would be a stranger. */
	int error = drop_wait(handle) ? -EBUSY : stream_for(handle, read.off);

	if (error < 0)
		hub_reply_err(req, error);
	else
		readdir_serve(handle, req, &read);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	read_directory(req, (struct dir_read){.size = size, .off = (uint64_t)off}, fi);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	read_directory(req, (struct dir_read){.size = size, .off = (uint64_t)off, .plus = true}, fi);
}

static void readdir_release(struct dir_handle *handle)
{
	hub_lock(handle->hub);
	struct dir_stream *stream = handle->stream;

	handle->stream = NULL;
	hub_unlock(handle->hub);
	drop_wait(handle);
	if (stream)
		dir_stream_close(stream);
	handle_unref(handle);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	readdir_release(handle_of(fi));
	hub_reply_err(req, 0);
}

void op_release_dirs(struct hub *hub)
{
	for (;;) {
		hub_lock(hub);
		struct dir_handle *handle = hub->open_dirs;

		hub_unlock(hub);
		if (!handle)
			return;
		/* A callback still under way holds a reference: the engine's end lets it go. */
		if (handle->refs > 1) {
			hub_lock(hub);
			hub->open_dirs = handle->next;
			if (handle->next)
				handle->next->link = &hub->open_dirs;
			handle->next = NULL;
			handle->link = &handle->next;
			hub_unlock(hub);
		}
		readdir_release(handle);
	}
}
