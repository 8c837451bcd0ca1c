/* S3's pages for a dir_stream, and the entries that they become.  Everything here is on the worker's thread. */
#include "engine/base/clock.h"
#include "fs/core/notify.h"
#include "fs/core/place.h"
#include "fs/dir/dir_stream_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "fs/dir/dir_answer.h"

/* Pages asked for before anything was consumed; one is under way at a time. */
enum { STREAM_CREDITS = 2 };

/* ---- names that this mount made; hub.lock held ---- */

static int note_local(struct dir_stream *stream, uint64_t ino)
{
	if (stream->local_count == stream->local_size) {
		size_t size = stream->local_size ? 2 * stream->local_size : 16;
		uint64_t *grown = realloc(stream->local, size * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		stream->local = grown;
		stream->local_size = size;
	}
	stream->local[stream->local_count++] = ino;
	return 0;
}

static int compare_ino(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static bool is_local(const struct node *node)
{
	return node->local || node->draft;
}

/* Names that were made here, and that S3 does not have yet, come after all that were listed. */
static int append_local(struct dir_stream *stream)
{
	if (stream->local_count > 1)
		qsort(stream->local, stream->local_count, sizeof(*stream->local), compare_ino);
	for (struct node *node = stream->directory->children; node; node = node->child_next) {
		if (!is_local(node))
			continue;
		if (stream->local_count > 0 && bsearch(&node->ino, stream->local, stream->local_count,
						       sizeof(*stream->local), compare_ino))
			continue;
		if (dir_stream_append(stream, node) < 0)
			return -ENOMEM;
		node_ref(node);
		stream->shown++;
	}
	return 0;
}

/* A listing of nothing, not even a marker: a directory that is no more.  A view's or bucket's root always is.
 */
static bool vanished(struct dir_stream *stream)
{
	struct hub *hub = stream->options.hub;
	struct node *node = stream->directory;
	struct place place;

	if (stream->shown > 0 || stream->marker || node->kind != NODE_DIR || !node->parent || node->gone ||
		node->pins > 0 || node->local)
		return false;
	if (node_place(node, &place) < 0 || !str_eq(place_key(&place), place_key(&stream->place)))
		return false;
	return !claims_busy(hub->claims, place.account, place_bucket(&place), place_key(&place), true);
}

/* ---- pages that came; worker's thread, no lock ---- */

static void dir_stream_list_changed(struct dir_stream *stream)
{
	struct hub *hub = stream->options.hub;

	hub_lock(hub);
	bool call = !stream->closed && stream->options.on_change;

	if (call && stream->options.hold)
		stream->options.hold(stream->options.user);
	hub_unlock(hub);
	if (call)
		stream->options.on_change(stream->options.user);
}

static void log_listing(const struct dir_stream *stream, enum log_level level, struct str key, int error,
	const struct s3_answer *answer, const char *consequence)
{
	log_call(level, &(struct log_call){
				.what = "list",
				.bucket = place_bucket(&stream->place),
				.key = key,
				.error = error,
				.answer = answer,
				.consequence = consequence,
			});
}

static void dir_stream_list_show(struct dir_stream *stream, const struct seen *seen)
{
	struct hub *hub = stream->options.hub;
	struct node *node = NULL;

	hub_lock(hub);
	int error = seen_apply(hub, &stream->watch, seen, &node);

	stream->shown++;
	if (error == 0 && is_local(node))
		error = note_local(stream, node->ino);
	if (error == 0 && stream->options.pages_max == 0)
		error = dir_stream_append(stream, node);
	else if (error == 0)
		node_unref(hub->nodes, node);
	if (error < 0 && error != -ENOENT) {
		if (node)
			node_unref(hub->nodes, node);
		stream->emit_error = error;
	}
	hub_unlock(hub);
}

static void show_entry(struct dir_stream *stream, struct str name, const struct page_entry *entry)
{
	dir_stream_list_show(stream, &(struct seen){
					     .name = name,
					     .kind = entry->is_prefix ? NODE_DIR : NODE_FILE,
					     .size = entry->size,
					     .mtime = entry->mtime,
					     .etag = entry->etag,
					     .storage_class = entry->storage_class,
					     .asked_ms = stream->asked_ms,
				     });
}

/* An object that is known here by its name beside a directory is shown as that. */
static bool known_beside(
	const struct dir_stream *stream, struct str part, struct odd_text *buf, struct str *ret)
{
	struct hub *hub = stream->options.hub;
	struct odd_text plain_buf;
	struct str plain;

	if (!odd_name(part, &plain_buf, &plain))
		return false;
	hub_lock(hub);
	bool beside = nodes_beside(hub->nodes, stream->directory, plain, buf, ret);

	hub_unlock(hub);
	return beside;
}

/* fs/core/odd_name.h; false: it has no name in this view, and is left out. */
static bool dir_stream_list_name_of(const struct dir_stream *stream, enum merge_event event,
	const struct page_entry *entry, struct odd_text *buf, struct str *name)
{
	if (stream->place.view->odd_keys != ODD_KEYS_ESCAPE)
		return event == MERGE_ENTRY;
	if (event == MERGE_HIDDEN)
		return odd_name_beside(*name, buf, name);
	if (!entry->is_prefix && known_beside(stream, *name, buf, name))
		return true;
	return odd_name(*name, buf, name);
}

static void leave_out(struct dir_stream *stream, enum merge_event event, const struct page_entry *entry)
{
	bool hidden = event == MERGE_HIDDEN;

	stream->odd = true;
	if (!hidden)
		stream->shown++;
	if (log_once(hidden ? "hidden" : "unshowable", place_bucket(&stream->place), entry->key))
		log_listing(stream, LOG_LEVEL_WARNING, entry->key, 0, NULL,
			hidden ? "the object is hidden by the directory of the same name"
			       : "not shown: no file can have this name");
}

static void on_entry(void *user, enum merge_event event, struct str name, const struct page_entry *entry)
{
	struct dir_stream *stream = user;
	struct odd_text buf;

	if (event == MERGE_MARKER) {
		stream->marker = true;
		stream->marker_plain =
			entry->size == 0 &&
			(entry->storage_class.len == 0 || str_eq(entry->storage_class, STR("STANDARD")));
	} else if (dir_stream_list_name_of(stream, event, entry, &buf, &name)) {
		show_entry(stream, name, entry);
	} else {
		leave_out(stream, event, entry);
	}
}

/* The last entry is here. */
static int complete(struct dir_stream *stream)
{
	struct hub *hub = stream->options.hub;
	int error;

	dir_merge_end(&stream->merge);
	error = stream->emit_error;
	hub_lock(hub);
	if (error == 0)
		error = append_local(stream);
	if (error == 0 && vanished(stream)) {
		notify_entry(hub, stream->directory->parent->ino,
			str_n(stream->directory->name, stream->directory->name_len));
		nodes_detach(hub->nodes, stream->directory);
		error = -ENOENT;
	} else if (error == 0) {
		if (stream->directory->kind == NODE_DIR) {
			dir_set_marker(stream->directory, stream->marker);
			if (stream->marker && stream->marker_plain)
				dir_set_marker_plain(stream->directory);
		}
		dir_watch_listed(hub, &stream->watch);
	}
	hub_unlock(hub);
	return error;
}

/* Tells the end and gives up the listing's own reference. */
static void ended(struct dir_stream *stream, int error)
{
	struct hub *hub = stream->options.hub;

	if (error == 0)
		error = complete(stream);
	hub_lock(hub);
	stream->state = STREAM_ENDED;
	stream->error = error;
	stream->head = stream->directory->children;
	dir_watch_end(hub, &stream->watch);
	hub_unlock(hub);
	dir_stream_list_changed(stream);
	dir_stream_unref(stream);
}

static void dir_stream_list_on_page(void *user, struct page *page)
{
	struct dir_stream *stream = user;
	struct hub *hub = stream->options.hub;

	/* A page is asked for when the one before has come, which is after that one was asked for: two steps
	 * back is sure. */
	stream->asked_ms = stream->next_asked_ms;
	stream->next_asked_ms = clock_ms();
	stream->pages++;
	if (dir_merge_page(&stream->merge, page) < 0)
		stream->emit_error = -ENOMEM;
	stream->too_long = stream->options.pages_max > 0 && stream->pages >= stream->options.pages_max &&
			   page->truncated;
	hub_lock(hub);
	bool stop = stream->closed || stream->emit_error < 0 || stream->too_long;
	bool full = stream->base + stream->count >= stream->consumed + STREAM_AHEAD;

	if (full && !stop)
		stream->owed++;
	hub_unlock(hub);
	if (stop) {
		page_free(page);
		lister_cancel(stream->lister);
		return;
	}
	if (full)
		page_free(page);
	else
		lister_recycle(stream->lister, page);
	dir_stream_list_changed(stream);
}

static void dir_stream_list_on_listed(void *user, int error, const struct s3_answer *answer)
{
	struct dir_stream *stream = user;

	stream->lister = NULL;
	if (stream->emit_error < 0)
		error = stream->emit_error;
	else if (stream->too_long)
		error = -E2BIG;
	else if (error == -EUCLEAN) {
		/* The lister has logged it: a program that reads on to the end is told that the listing is not whole. */
		dir_merge_end(&stream->merge);
		error = -EIO;
	} else if (error < 0 && error != -ECANCELED)
		log_listing(stream, LOG_LEVEL_ERROR, place_key(&stream->place), error, answer, NULL);
	ended(stream, error);
}

static void ask_buckets(struct dir_stream *stream);

/* After a page that was shown: the next, or the end. */
static void dir_stream_list_buckets_go_on(struct dir_stream *stream)
{
	const struct page *page = stream->page;
	struct hub *hub = stream->options.hub;
	bool moved = page->token.len > 0 && !str_eq(page->token, str_of(stream->token));
	char *token = moved ? str_dup(page->token) : NULL;

	hub_lock(hub);
	bool closed = stream->closed;

	hub_unlock(hub);
	if (closed || !page->truncated || !token) {
		ended(stream, !page->truncated ? 0 : closed ? -ECANCELED : moved ? -ENOMEM : -EBADMSG);
		free(token);
		return;
	}
	free(stream->token);
	stream->token = token;
	ask_buckets(stream);
}

static void on_buckets(struct call *call, const struct s3_answer *answer)
{
	struct dir_stream *stream = call->user;

	stream->calling = false;
	if (call->error < 0 && call->error != -ECANCELED)
		log_listing(stream, LOG_LEVEL_ERROR, STR_NONE, call->error, answer, NULL);
	for (unsigned i = 0; call->error == 0 && i < stream->page->count; i++) {
		const struct page_entry *entry = &stream->page->entries[i];

		if (endpoint_bucket_ok(entry->key))
			dir_stream_list_show(stream, &(struct seen){
							     .name = entry->key,
							     .kind = NODE_BUCKET,
							     .mtime = entry->mtime,
							     .asked_ms = stream->asked_ms,
						     });
		else if ((stream->odd = true) && log_once("unshowable", entry->key, STR_NONE))
			log_listing(stream, LOG_LEVEL_WARNING, entry->key, 0, NULL,
				"not shown: no bucket can have this name");
	}
	if (call->error < 0)
		ended(stream, call->error);
	else
		dir_stream_list_buckets_go_on(stream);
}

/* ---- on the worker ---- */

static void ask_buckets(struct dir_stream *stream)
{
	call_init(&stream->call);
	stream->call.request.op = S3_LIST_BUCKETS;
	stream->call.request.token = stream->token ? str_of(stream->token) : STR_NONE;
	stream->call.account = stream->place.account;
	stream->call.sinks.page = stream->page;
	stream->call.on_done = on_buckets;
	stream->call.user = stream;
	stream->calling = true;
	call_start(stream->worker, &stream->call);
}

static int start_buckets(struct dir_stream *stream)
{
	int error = page_new(&stream->page);

	if (error == 0)
		ask_buckets(stream);
	return error;
}

static int start_listing(struct dir_stream *stream)
{
	unsigned pages_max = stream->options.pages_max;
	struct lister_options options = {
		.account = stream->place.account,
		.bucket = place_bucket(&stream->place),
		.prefix = place_key(&stream->place),
		.delimiter = STR("/"),
		.streams = 1,
		.credits = pages_max ? pages_max : STREAM_CREDITS,
		.on_page = dir_stream_list_on_page,
		.on_done = dir_stream_list_on_listed,
		.user = stream,
	};

	return lister_start(stream->worker, &options, &stream->lister);
}

static void dir_stream_list_start(struct dir_stream *stream)
{
	stream->merge =
		(struct dir_merge){.prefix_len = stream->place.key_len, .emit = on_entry, .user = stream};
	stream->asked_ms = stream->next_asked_ms = clock_ms();
	int error = stream->directory->kind == NODE_SERVICE ? start_buckets(stream) : start_listing(stream);

	if (error < 0)
		ended(stream, error);
}

void dir_stream_run(struct task *task, struct worker *worker)
{
	struct dir_stream *stream = (struct dir_stream *)((char *)task - offsetof(struct dir_stream, task));
	struct hub *hub = stream->options.hub;

	hub_lock(hub);
	bool begin = stream->want_start, closed = stream->closed;
	unsigned owed = stream->owed;

	stream->posted = stream->want_start = false;
	stream->owed = 0;
	hub_unlock(hub);
	if (begin && closed)
		ended(stream, -ECANCELED);
	else if (begin)
		dir_stream_list_start(stream);
	else if (closed && stream->lister)
		lister_cancel(stream->lister);
	else if (closed && stream->calling)
		call_cancel(&stream->call);
	else if (owed > 0 && stream->lister)
		lister_credit(stream->lister, owed);
	dir_stream_unref(stream);
}
