/*
 * opendir, readdir and readdirplus over one dir_stream a handle.
 *
 * Offset n stands for "after the n-th entry": "." is the first, ".." the second, the stream's entries follow.  Offset 0
 * (rewinddir) begins a fresh listing; so does a seek back behind what is still kept, whose entries are then counted again.
 * A READDIR that finds nothing here yet is parked in the handle and answered when the stream changed.
 */
#include "fs/ops.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/dir_stream.h"
#include "fs/draft.h"

enum {
	DOTS = 2,
	READ_MAX = 1 << 20, /* of one answer, whatever is asked for */
	ENTRY_PLUS_MIN = 152, /* struct fuse_direntplus without its name (linux/fuse.h) */
};

struct dir_read {
	fuse_req_t req; /* NULL: none */
	size_t size;
	uint64_t off;
	bool plus;
};

struct dir_handle {
	struct hub *hub;
	struct node *directory; /* referenced */
	/* protected by hub.lock */
	unsigned refs;
	struct dir_stream *stream; /* NULL: not begun */
	uint64_t reached;          /* the highest offset asked for in this stream */
	struct dir_read parked;
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

	if (last)
		node_unref(hub->nodes, handle->directory);
	hub_unlock(hub);
	if (last)
		free(handle);
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
static bool add(struct dir_answer *answer, const struct dir_read *read, const char *name,
	const struct fuse_entry_param *entry, uint64_t next)
{
	char *at = answer->data + answer->len;
	size_t room = answer->size - answer->len;
	size_t size = read->plus ? fuse_add_direntry_plus(read->req, at, room, name, entry, (off_t)next)
				 : fuse_add_direntry(read->req, at, room, name, &entry->attr, (off_t)next);

	if (size > room)
		return false;
	answer->len += size;
	return true;
}

static bool add_dot(struct dir_handle *handle, struct dir_answer *answer, const struct dir_read *read, uint64_t off)
{
	const struct node *node = handle->directory;
	/* Without an inode number the kernel takes no lookup (linux/fuse.h, fuse_direntplus). */
	struct fuse_entry_param entry = {.ino = 0};

	if (off == 1 && node->parent)
		node = node->parent;
	entry.attr.st_ino = node->ino;
	entry.attr.st_mode = S_IFDIR;
	return add(answer, read, off == 0 ? "." : "..", &entry, off + 1);
}

static bool add_node(struct dir_handle *handle, struct dir_answer *answer, const struct dir_read *read, struct node *node,
	uint64_t off)
{
	struct fuse_entry_param entry;

	hub_entry(handle->hub, node, &entry);
	/* What is not to be believed is only named: the kernel looks it up where that matters. */
	bool give = read->plus && (node->draft || node_attr_fresh(node, hub_now_ms()));

	if (!give)
		entry.ino = 0;
	if (!add(answer, read, node->name, &entry, off + 1))
		return false;
	if (give) {
		node_lookup_add(node);
		answer->given[answer->given_count++] = node;
	}
	return true;
}

enum fill { FILL_READY, FILL_WAIT };

/* *ret_error: to be told where nothing was filled in. */
static enum fill fill(struct dir_handle *handle, const struct dir_read *read, struct dir_answer *answer, int *ret_error)
{
	struct dir_stream *stream = handle->stream;
	uint64_t off = read->off;
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
		off++;
	}
	if (answer->len > 0)
		return FILL_READY;
	if (!room) {
		*ret_error = -EINVAL;
		return FILL_READY;
	}
	if (!dir_stream_ended(stream)) {
		/* A seek forward passes over what is not here yet: let it come. */
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

static void send(struct dir_handle *handle, const struct dir_read *read, struct dir_answer *answer, int error)
{
	struct hub *hub = handle->hub;

	if (error < 0) {
		hub_reply_err(read->req, error);
		return;
	}
	if (fuse_reply_buf(read->req, answer->data, answer->len) == 0 || answer->given_count == 0)
		return;
	/* The kernel never got them. */
	hub_lock(hub);
	for (size_t i = 0; i < answer->given_count; i++)
		node_forget(hub->nodes, answer->given[i], 1);
	hub_unlock(hub);
}

/* Answers, or parks it in the handle.  parked: it was. */
static void serve(struct dir_handle *handle, struct dir_read read, bool parked)
{
	struct hub *hub = handle->hub;
	struct dir_answer answer;
	int error = answer_init(&answer, &read);
	enum fill filled = FILL_READY;

	if (error == 0) {
		hub_lock(hub);
		filled = fill(handle, &read, &answer, &error);
		if (filled == FILL_WAIT) {
			if (!parked)
				hub_park(hub);
			handle->parked = read;
		}
		hub_unlock(hub);
	}
	if (filled == FILL_READY) {
		send(handle, &read, &answer, error);
		if (parked)
			hub_unpark(hub);
	}
	answer_release(&answer);
}

static void on_change(void *user)
{
	struct dir_handle *handle = user;

	hub_lock(handle->hub);
	struct dir_read read = handle->parked;

	handle->parked.req = NULL;
	hub_unlock(handle->hub);
	if (read.req)
		serve(handle, read, true);
	handle_unref(handle);
}

/* ---- the operations ---- */

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct hub *hub = hub_of(req);
	struct dir_handle *handle = calloc(1, sizeof(*handle));
	int error = handle ? 0 : -ENOMEM;

	hub_lock(hub);
	struct node *node = nodes_find(hub->nodes, ino);

	if (error == 0 && (!node || node->gone))
		error = -ENOENT;
	else if (error == 0 && !node_is_dir(node))
		error = -ENOTDIR;
	if (error == 0) {
		handle->hub = hub;
		handle->refs = 1;
		handle->directory = node_ref(node);
	}
	hub_unlock(hub);
	if (error < 0) {
		free(handle);
		hub_reply_err(req, error);
		return;
	}
	fi->fh = (uintptr_t)handle;
	/* The listing begins with the first READDIR: many open a directory only to name it. */
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
	int error = dir_stream_new(&options, &fresh);

	if (error < 0)
		return error;
	hub_lock(hub);
	handle->stream = fresh;
	handle->reached = off;
	hub_unlock(hub);
	if (old)
		dir_stream_close(old);
	dir_stream_start(fresh);
	return 0;
}

static void read_directory(fuse_req_t req, struct dir_read read, const struct fuse_file_info *fi)
{
	struct dir_handle *handle = handle_of(fi);
	struct hub *hub = handle->hub;

	/* The kernel reads an open directory once at a time; a second reader would be a stranger. */
	hub_lock(hub);
	bool busy = handle->parked.req != NULL;

	hub_unlock(hub);
	int error = busy ? -EBUSY : stream_for(handle, read.off);

	if (error < 0)
		hub_reply_err(req, error);
	else
		serve(handle, read, false);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	read_directory(req, (struct dir_read){.req = req, .size = size, .off = (uint64_t)off}, fi);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	read_directory(req, (struct dir_read){.req = req, .size = size, .off = (uint64_t)off, .plus = true}, fi);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dir_handle *handle = handle_of(fi);

	hub_lock(handle->hub);
	struct dir_stream *stream = handle->stream;

	handle->stream = NULL;
	hub_unlock(handle->hub);
	if (stream)
		dir_stream_close(stream);
	handle_unref(handle);
	hub_reply_err(req, 0);
}
