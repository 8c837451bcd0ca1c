#include "fs/core/place.h"
#include "fs/dir/dir_stream_internal.h"

#include <errno.h>
#include <stdlib.h>

/* ---- references, and the worker's mailbox ---- */

static void free_stream(struct dir_stream *stream)
{
	struct hub *hub = stream->options.hub;

	hub_lock(hub);
	dir_watch_end(hub, &stream->watch);
	for (size_t i = 0; i < stream->count; i++)
		node_unref(hub->nodes, stream->entries[i]);
	node_unref(hub->nodes, stream->directory);
	hub_unlock(hub);
	dir_merge_clear(&stream->merge);
	page_free(stream->page);
	free(stream->token);
	free(stream->entries);
	free(stream->local);
	free(stream);
}

void dir_stream_unref(struct dir_stream *stream)
{
	hub_lock(stream->options.hub);
	bool last = --stream->refs == 0;

	hub_unlock(stream->options.hub);
	if (last)
		free_stream(stream);
}

/* hub.lock held. */
static void dir_stream_post(struct dir_stream *stream)
{
	if (stream->posted)
		return;
	stream->posted = true;
	stream->refs++;
	worker_post(stream->worker, &stream->task);
}

/* ---- entries; hub.lock held ---- */

int dir_stream_append(struct dir_stream *stream, struct node *node)
{
	if (stream->count == stream->size) {
		size_t size = stream->size ? 2 * stream->size : 256;
		struct node **grown = realloc(stream->entries, size * sizeof(struct node *));

		if (!grown)
			return -ENOMEM;
		stream->entries = grown;
		stream->size = size;
	}
	stream->entries[stream->count++] = node;
	return 0;
}

/* ---- the owner's side ---- */

int dir_stream_new(const struct dir_stream_options *options, struct dir_stream **ret)
{
	struct hub *hub = options->hub;
	struct dir_stream *stream = calloc(1, sizeof(*stream));
	int error = 0;

	if (!stream)
		return -ENOMEM;
	stream->options = *options;
	stream->worker = engine_pick(hub->engine);
	stream->task.run = dir_stream_run;
	stream->refs = 1;
	hub_lock(hub);
	if (options->directory->kind == NODE_SERVICE) {
		struct view *view = node_view(options->directory);

		stream->place.view = view;
		stream->place.account = view ? view->account : NULL;
		error = view ? 0 : -EPERM;
	} else {
		error = node_place(options->directory, &stream->place);
	}
	if (error == 0 && options->directory->gone)
		error = -ENOENT;
	if (error == 0)
		stream->directory = node_ref(options->directory);
	hub_unlock(hub);
	if (error < 0) {
		free(stream);
		return error;
	}
	*ret = stream;
	return 0;
}

void dir_stream_start(struct dir_stream *stream)
{
	struct hub *hub = stream->options.hub;

	hub_lock(hub);
	stream->state = STREAM_RUNNING;
	stream->want_start = true;
	stream->refs++;
	dir_watch_begin(hub, stream->directory, &stream->watch);
	dir_stream_post(stream);
	hub_unlock(hub);
}

void dir_stream_close(struct dir_stream *stream)
{
	struct hub *hub = stream->options.hub;

	hub_lock(hub);
	stream->closed = true;
	if (stream->state == STREAM_RUNNING)
		dir_stream_post(stream);
	hub_unlock(hub);
	dir_stream_unref(stream);
}

bool dir_stream_adopt(struct dir_stream *stream, const struct dir_stream_options *options)
{
	if (stream->state == STREAM_ENDED &&
		(stream->error < 0 || stream->head != stream->directory->children))
		return false;
	stream->options.hold = options->hold;
	stream->options.on_change = options->on_change;
	stream->options.user = options->user;
	return true;
}

bool dir_stream_ended(const struct dir_stream *stream)
{
	return stream->state == STREAM_ENDED;
}

int dir_stream_error(const struct dir_stream *stream)
{
	return stream->error;
}

bool dir_stream_odd(const struct dir_stream *stream)
{
	return stream->odd;
}

struct node *dir_stream_directory(const struct dir_stream *stream)
{
	return stream->directory;
}

bool dir_stream_reaches(const struct dir_stream *stream, uint64_t index)
{
	return index >= stream->base;
}

struct node *dir_stream_entry(struct dir_stream *stream, uint64_t index, bool *ret_skip)
{
	*ret_skip = false;
	if (index < stream->base || index - stream->base >= stream->count)
		return NULL;
	struct node *node = stream->entries[index - stream->base];

	if (node->gone || node->parent != stream->directory) {
		*ret_skip = true;
		return NULL;
	}
	return node;
}

void dir_stream_consume(struct dir_stream *stream, uint64_t index)
{
	struct hub *hub = stream->options.hub;
	size_t drop = 0;

	if (index > stream->consumed)
		stream->consumed = index;
	if (stream->consumed > stream->base + 2 * STREAM_BEHIND)
		drop = stream->consumed - STREAM_BEHIND - stream->base;
	if (drop > stream->count)
		drop = stream->count;
	if (drop > 0) {
		for (size_t i = 0; i < drop; i++)
			node_unref(hub->nodes, stream->entries[i]);
		stream->count -= drop;
		stream->base += drop;
		memmove(stream->entries, stream->entries + drop, stream->count * sizeof(struct node *));
	}
	if (stream->owed > 0 && stream->base + stream->count < stream->consumed + STREAM_AHEAD)
		dir_stream_post(stream);
}
