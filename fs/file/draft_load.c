/*
 * Loading: the bytes that a draft stands for (those of its object, or the copied part of its source) are
 * fetched into its staging file, in pieces, several at once, all on one worker.  A shared claim on the object
 * that is read makes unlink, rename and overwriting by this mount wait until the load is done.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/object/fetch.h"
#include "engine/base/log.h"
#include "fs/core/key_hold.h"
#include "fs/core/place.h"
#include "fs/file/draft_internal.h"
#include "fs/file/handle.h"
#include "fs/host/staging_room.h"

enum {
	STREAMS = 8, /* of one load */
	TAGS_MAX = 16384, /* AWS: 10 tags of 128 + 256 characters, encoded */
	PIECE = 8 << 20, /* bytes of one GET */
};

struct load_stream {
	struct load *load;
	struct fetch fetch;
	uint64_t at; /* the offset of the next bytes */
};

struct load {
	struct hub *hub;
	struct node *node; /* referenced: the node with the draft */
	struct node *source; /* referenced: the node of the object that is read */
	struct worker *worker;
	struct task task;
	struct key_hold hold; /* of the object that is read */
	struct place place;
	char etag[ETAG_MAX + 1];
	int fd; /* owned until the draft takes it */
	void (*ended)(struct hub *hub, struct node *node);
	uint64_t size, next; /* bytes wanted, bytes requested so far */
	unsigned streams, active;
	int error;
	bool object; /* the source is the node's own object, which is edited */
	bool overwrites; /* as the draft says */
	bool keeps; /* the object's headers, tags and storage class are kept too */
	bool missing; /* an empty object that is gone by now */
	struct headers headers;
	struct buf tags;
	unsigned tag_count;
	char storage_class[STORAGE_CLASS_MAX + 1];
	struct call call; /* for requests other than a fetch */
	struct s3_answer answer; /* of the first failure */
	struct load_stream stream[STREAMS];
};

static struct load *load_of(struct key_hold *hold)
{
	return (struct load *)((char *)hold - offsetof(struct load, hold));
}

static int draft_load_locate(struct key_hold *hold, bool *ret_changed)
{
	struct load *load = load_of(hold);
	struct place now;
	int error = load->source->gone ? -ESTALE : node_place(load->source, &now);

	if (error < 0)
		return error;
	*ret_changed = !place_same_key(&now, &load->place);
	load->place = now;
	return 0;
}

static int draft_load_add(struct key_hold *hold, struct claim *claim)
{
	const struct place *place = &load_of(hold)->place;

	return claim_add(claim, place->account, place_bucket(place), place_key(place), false, false);
}

static void load_free(struct load *load)
{
	struct hub *hub = load->hub;

	key_hold_release(&load->hold, 0);
	load->ended(hub, load->node);
	hub_lock(hub);
	node_unref(hub->nodes, load->source);
	node_unref(hub->nodes, load->node);
	hub_unlock(hub);
	headers_release(&load->headers);
	buf_release(&load->tags);
	free(load);
	hub_unpark(hub);
}

static void draft_load_finish(struct load *load)
{
	struct hub *hub = load->hub;
	struct node *node = load->node;
	struct draft *old = NULL;

	if (load->error < 0) {
		log_call(LOG_LEVEL_ERROR, &(struct log_call){.what = "fetch for editing",
						  .bucket = place_bucket(&load->place),
						  .key = place_key(&load->place),
						  .error = load->error,
						  .answer = &load->answer});
		close(load->fd);
	}
	hub_lock(hub);
	struct draft *draft = node->draft;
	struct draft_wait *waits = draft_take_waits(draft);

	if (load->error == 0)
		draft_source_drop(hub, draft);
	if (load->error == 0 && load->keeps) {
		struct attrs attrs;

		attrs_read(&attrs, &load->headers);
		if (node_keeps_attrs(node))
			node_set_attrs(node, &attrs);
		draft_keep(draft, &load->headers);
	}
	draft_loaded(draft, load->error, load->fd, load->size);
	if (load->error == 0 && load->object && !draft->overwrites)
		draft_based(draft, load->missing ? "" : load->etag);
	if (load->error < 0 && draft->content == DRAFT_OBJECT)
		old = draft_detach(hub, node);
	else
		draft_check(draft);
	hub_unlock(hub);
	draft_trash(old);
	draft_run_waits(waits, DRAFT_LOADING, load->error);
	load_free(load);
}

static void load_fail(struct load *load, int error, const struct s3_answer *answer)
{
	if (error == 0 || load->error < 0)
		return;
	load->error = error;
	load->answer = *answer;
}

/* ---- the metadata that the object keeps ---- */

static void draft_load_on_tags(struct call *call, const struct s3_answer *answer)
{
	struct load *load = call->user;
	int error = call->error;

	/* The object has no tags any more, or the service has no tags. */
	if (error == -ENOENT || (error == -EOPNOTSUPP && load->place.view->tags != COPY_TAGS_REQUIRED))
		error = 0;
	else if (error == 0 && load->tags.len > 0)
		error = headers_set(&load->headers, STR("x-amz-tagging"), buf_str(&load->tags));
	load_fail(load, error, answer);
	draft_load_finish(load);
}

static void draft_load_ask(struct load *load, enum s3_op op)
{
	call_init(&load->call);
	load->call.request.op = op;
	load->call.request.bucket = place_bucket(&load->place);
	load->call.request.key = place_key(&load->place);
	load->call.account = load->place.account;
	load->call.user = load;
}

static void finish_kept(struct load *load)
{
	if (load->error == 0 && load->keeps)
		load->error = draft_kept_headers(&load->headers, load->storage_class);
	if (load->error < 0 || !load->keeps || load->tag_count == 0 ||
		load->place.view->tags == COPY_TAGS_NO) {
		draft_load_finish(load);
		return;
	}
	draft_load_ask(load, S3_GET_TAGGING);
	load->call.sinks.tags = &load->tags;
	load->call.on_done = draft_load_on_tags;
	call_start(load->worker, &load->call);
}

static void draft_load_on_head(struct call *call, const struct s3_answer *answer)
{
	struct load *load = call->user;

	snprintf(load->storage_class, sizeof(load->storage_class), "%s", answer->storage_class);
	/* The empty object is gone meanwhile: no content is lost. */
	load->missing = call->error == -ENOENT;
	if (load->missing)
		load->keeps = false;
	else if (call->error == 0 && !load->overwrites &&
		 (answer->size > 0 || (load->etag[0] && strcmp(load->etag, answer->etag) != 0)))
		load_fail(load, -ESTALE, answer); /* another client has written to it */
	else
		load_fail(load, call->error, answer);
	if (call->error == 0)
		memcpy(load->etag, answer->etag, sizeof(load->etag));
	load->tag_count = answer->tag_count;
	finish_kept(load);
}

/* ---- its bytes ---- */

static void stream_next(struct load_stream *stream);

static void draft_load_on_fetched(struct fetch *fetch, const struct s3_answer *answer)
{
	struct load_stream *stream = fetch->user;
	struct load *load = stream->load;
	int error = fetch->error;

	/* The service sent fewer bytes than its own size said. */
	if (error == 0 && fetch->got < fetch->length)
		error = -EIO;
	load->active--;
	load_fail(load, error, answer);
	if (fetch->headers) {
		load->tag_count = answer->tag_count;
		snprintf(load->storage_class, sizeof(load->storage_class), "%s", answer->storage_class);
	}
	/* The first piece decides the version that the other pieces must have. */
	if (error == 0 && load->etag[0] == '\0')
		memcpy(load->etag, answer->etag, sizeof(load->etag));
	if (load->error == 0)
		stream_next(stream);
	if (load->active == 0)
		finish_kept(load);
}

static int draft_load_on_data(struct fetch *fetch, const char *data, size_t len)
{
	struct load_stream *stream = fetch->user;

	int error = staging_write(stream->load->fd, data, len, stream->at);

	if (error < 0)
		return error;
	stream->at += len;
	return 0;
}

/* The next piece, if there is one. */
static void stream_next(struct load_stream *stream)
{
	struct load *load = stream->load;
	uint64_t left = load->size - load->next;

	if (left == 0)
		return;
	stream->at = load->next;
	stream->fetch = (struct fetch){
		.account = load->place.account,
		.bucket = place_bucket(&load->place),
		.key = place_key(&load->place),
		.etag = load->etag[0] ? str_of(load->etag) : STR_NONE,
		.start = load->next,
		.length = left < PIECE ? (size_t)left : PIECE,
		.on_data = draft_load_on_data,
		.headers = load->keeps && load->next == 0 ? &load->headers : NULL,
		.on_done = draft_load_on_fetched,
		.user = stream,
	};
	load->next += stream->fetch.length;
	load->active++;
	fetch_start(load->worker, &stream->fetch);
}

static void draft_load_run(struct task *task, struct worker *worker)
{
	struct load *load = (struct load *)((char *)task - offsetof(struct load, task));

	for (unsigned i = 0; i < load->streams; i++)
		stream_next(&load->stream[i]);
	if (load->size > 0)
		return;
	draft_load_ask(load, S3_HEAD_OBJECT);
	load->call.sinks.headers = &load->headers;
	load->call.on_done = draft_load_on_head;
	call_start(worker, &load->call);
}

static void draft_load_start(struct load *load)
{
	load->task = (struct task){.run = draft_load_run};
	worker_post(load->worker, &load->task);
}

/* For a load that ends before its first request: it ends on a worker, like every other load. */
static void draft_load_run_failed(struct task *task, struct worker *worker)
{
	draft_load_finish((struct load *)((char *)task - offsetof(struct load, task)));
}

static void fail_soon(struct load *load, int error)
{
	load->error = error;
	load->task = (struct task){.run = draft_load_run_failed};
	worker_post(load->worker, &load->task);
}

static void draft_load_ready(struct key_hold *hold, int error)
{
	struct load *load = load_of(hold);

	if (error < 0)
		fail_soon(load, error);
	else
		draft_load_start(load);
}

static const struct key_hold_kind draft_load_kind = {
	.locate = draft_load_locate, .add = draft_load_add, .ready = draft_load_ready};

int draft_load(struct hub *hub, struct node *node, uint64_t keep, int fd,
	void (*ended)(struct hub *hub, struct node *node))
{
	struct draft *draft = node->draft;
	uint64_t size = draft->size < keep ? draft->size : keep;

	/* A write appends to an empty object: there are no bytes to fetch, but the object may have
	 * metadata, unless it is gone. */
	if (size == 0 && (draft->content != DRAFT_OBJECT || draft->size > 0 || node->gone)) {
		draft_source_drop(hub, draft);
		draft_loaded(draft, 0, fd, 0);
		draft_check(draft);
		return 1;
	}
	struct load *load = calloc(1, sizeof(*load));

	if (!load)
		return -ENOMEM;
	load->hub = hub;
	load->node = node;
	load->worker = engine_pick(hub->engine);
	load->source = draft->content == DRAFT_COPY ? draft->source.node : node;
	load->fd = fd;
	load->ended = ended;
	load->size = size;
	load->object = load->keeps = draft->content == DRAFT_OBJECT;
	load->overwrites = draft->overwrites;
	headers_init(&load->headers);
	buf_init(&load->tags, TAGS_MAX);
	memcpy(load->etag, draft->source.etag, sizeof(load->etag));
	/* Without an ETag, parallel pieces could be of several versions of the object. */
	load->streams = load->etag[0] ? STREAMS : 1;
	for (unsigned i = 0; i < STREAMS; i++)
		load->stream[i].load = load;
	load->hold = (struct key_hold){.kind = &draft_load_kind, .hub = hub};
	int taken = key_hold_take(&load->hold);

	if (taken < 0) {
		key_hold_release(&load->hold, 0);
		free(load);
		return taken;
	}
	node_ref(node);
	node_ref(load->source);
	hub_park(hub);
	draft->activity = DRAFT_LOADING;
	draft_check(draft);
	if (taken == 1)
		draft_load_start(load);
	return 0;
}
