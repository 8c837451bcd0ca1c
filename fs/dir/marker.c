#include "fs/dir/marker.h"

#include <errno.h>

#include "engine/base/clock.h"
#include "fs/core/place.h"

enum marker_plan marker_plan(const struct node *directory, const struct node *child)
{
	struct place place;

	if (node_place(directory, &place) < 0 || place.key_len == 0 || dir_marker(directory) == 1)
		return MARKER_NOT;
	if (dir_has_other(directory, child))
		return MARKER_NOT;
	return dir_whole(directory, clock_ms()) ? MARKER_FIRST : MARKER_AFTER;
}

static void marker_finish(struct marker *marker, int error, const struct s3_answer *answer)
{
	headers_release(&marker->headers);
	page_free(marker->page);
	marker->page = NULL;
	marker->on_done(marker, error, answer);
}

static void learn(struct marker *marker, bool exists)
{
	if (!marker->directory)
		return;
	hub_lock(marker->hub);
	dir_set_marker(marker->directory, exists);
	if (exists && node_keeps_attrs(marker->directory))
		node_set_attrs(marker->directory, marker->attrs); /* NULL: asked for */
	if (exists && marker->directory->local) {
		marker->directory->local = false;
		marker->directory->attr.fetched_ms = clock_ms();
		dir_landed(marker->directory);
	}
	hub_unlock(marker->hub);
}

void marker_end(struct marker *marker, int error, const struct s3_answer *answer)
{
	if (error == 0)
		learn(marker, true);
	marker_finish(marker, error, answer);
}

static void on_written(struct call *call, const struct s3_answer *answer)
{
	struct marker *marker = call->user;

	marker_end(marker, call->error, answer);
}

static void marker_prepare(
	struct marker *marker, void (*on_done)(struct call *call, const struct s3_answer *answer))
{
	call_init(&marker->call);
	marker->call.account = marker->place.account;
	marker->call.request.bucket = place_bucket(&marker->place);
	marker->call.on_done = on_done;
	marker->call.user = marker;
}

/* on_done comes on the worker's thread, without an answer. */
static void on_no_memory(struct call *call, const struct s3_answer *answer)
{
	marker_finish(call->user, -ENOMEM, answer);
}

void marker_write(struct marker *marker)
{
	headers_init(&marker->headers);
	/* The type is what other tools put there, and recognise a directory by. */
	bool memory =
		headers_add(&marker->headers, STR("content-type"), STR("application/x-directory")) == 0 &&
		view_add_headers(marker->place.view, &marker->headers) == 0 &&
		(!marker->attrs || attrs_write(marker->attrs, S_IFDIR, &marker->headers) == 0);

	marker_prepare(marker, memory ? on_written : on_no_memory);
	marker->call.request.headers = &marker->headers;
	marker->call.request.op = memory ? S3_PUT_OBJECT : S3_HEAD_BUCKET;
	marker->call.request.key = place_key(&marker->place);
	marker->call.body_data = "";
	call_post(marker->worker, &marker->call);
}

static void marker_on_listed(struct call *call, const struct s3_answer *answer)
{
	struct marker *marker = call->user;

	if (call->error < 0) {
		marker_finish(marker, call->error, answer);
		return;
	}
	if (marker->page->count + marker->page->left_out == 0) {
		marker_write(marker);
		return;
	}
	if (marker->page->count > 0)
		learn(marker, str_eq(marker->page->entries[0].key, place_key(&marker->place)));
	marker_finish(marker, 0, answer);
}

/* The first keys at and below the directory. */
static void marker_list(struct marker *marker, unsigned keys,
	void (*on_done)(struct call *call, const struct s3_answer *answer))
{
	struct page *page = NULL;
	bool memory = page_new(&page) == 0;

	marker_prepare(marker, memory ? on_done : on_no_memory);
	if (page)
		page->lenient = true;
	marker->page = page;
	marker->call.request.op = S3_LIST_OBJECTS;
	marker->call.request.prefix = place_key(&marker->place);
	marker->call.request.max_keys = keys;
	marker->call.sinks.page = page;
	call_post(marker->worker, &marker->call);
}

void marker_ensure(struct marker *marker)
{
	marker_list(marker, 1, marker_on_listed);
}

static void on_removed(struct call *call, const struct s3_answer *answer)
{
	struct marker *marker = call->user;

	if (call->error == 0)
		learn(marker, false);
	marker_finish(marker, call->error, answer);
}

/* It has become more than a sign that there is a directory: it keeps a mode, an owner or times. */
static bool keeps_attrs(const struct marker *marker)
{
	hub_lock(marker->hub);
	const struct attrs *attrs = marker->directory ? marker->directory->attr.attrs : NULL;
	bool keeps = attrs && attrs->has;

	hub_unlock(marker->hub);
	return keeps;
}

static void on_spare(struct call *call, const struct s3_answer *answer)
{
	struct marker *marker = call->user;
	struct str key = place_key(&marker->place);

	if (call->error == 0 && keeps_attrs(marker)) {
		marker_finish(marker, 0, answer);
		return;
	}
	/* "dir/" sorts before all that begins so. */
	if (call->error < 0 || marker->page->count < 2 || !str_eq(marker->page->entries[0].key, key)) {
		marker_finish(marker, call->error, answer);
		return;
	}
	marker_prepare(marker, on_removed);
	marker->call.request.op = S3_DELETE_OBJECT;
	marker->call.request.key = key;
	call_post(marker->worker, &marker->call);
}

void marker_spare(struct marker *marker)
{
	marker_list(marker, 2, on_spare);
}
