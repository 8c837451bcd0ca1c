#include "tests/s3d/send.h"
#include "tests/s3d/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <stdlib.h>

#define READ_BLOCK ((size_t)64 << 10)

/*
 * An answer that is produced while it is sent: bodies that don't lie in memory, answers cut short, copies
 * that send white space first.  Owns text and body.
 */
struct source {
	struct req *req; /* for slow copies only: lives as long as the response is being sent */
	struct body *body;
	char *text;
	uint64_t offset;
	uint64_t text_n;
	uint64_t cut; /* how much is really sent */
	unsigned pause_ms;
	enum { SOURCE_PLAIN, SOURCE_SPACE, SOURCE_PAUSE, SOURCE_RESULT } state;
};

static void source_free(void *arg)
{
	struct source *source = arg;

	body_unref(source->body);
	free(source->text);
	free(source);
}

static void wake(struct timer *timer)
{
	struct req *req = (struct req *)((char *)timer - offsetof(struct req, timer));

	req->server->stats.suspended--;
	MHD_resume_connection(req->conn);
}

/* White space first, a pause, then the result: what AWS does with copies that take long. */
static ssize_t slow_read(struct source *source, uint64_t at, char *out, size_t max)
{
	static const char space[] = "\n\n ";
	struct req *req = source->req;
	size_t n;

	if (source->state == SOURCE_SPACE) {
		source->state = SOURCE_PAUSE;
		n = sizeof(space) - 1 < max ? sizeof(space) - 1 : max;
		memcpy(out, space, n);
		source->offset = n;
		return (ssize_t)n;
	}
	if (source->state == SOURCE_PAUSE) {
		source->state = SOURCE_RESULT;
		req->timer.fire = wake;
		if (timer_arm(&req->server->pace, &req->timer, now_us() + source->pause_ms * 1000ull) == 0) {
			req->server->stats.suspended++;
			MHD_suspend_connection(req->conn);
			return 0;
		}
	}
	at -= source->offset;
	if (at >= source->text_n)
		return MHD_CONTENT_READER_END_OF_STREAM;
	n = source->text_n - at < max ? (size_t)(source->text_n - at) : max;
	memcpy(out, source->text + at, n);
	return (ssize_t)n;
}

static ssize_t source_read(void *arg, uint64_t at, char *out, size_t max)
{
	struct source *source = arg;

	if (source->state != SOURCE_PLAIN)
		return slow_read(source, at, out, max);
	if (at >= source->cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (max > source->cut - at)
		max = (size_t)(source->cut - at);
	if (source->body)
		return (ssize_t)body_read(source->body, source->offset + at, out, max);
	if (at >= source->text_n)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (max > source->text_n - at)
		max = (size_t)(source->text_n - at);
	memcpy(out, source->text + at, max);
	return (ssize_t)max;
}

static void unref_body(void *arg)
{
	body_unref(arg);
}

static struct MHD_Response *respond_slow(struct req *req, struct source *source)
{
	source->req = req;
	source->state = SOURCE_SPACE;
	source->pause_ms = req->server->config.slow_copy_ms;
	return MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, READ_BLOCK, source_read, source, source_free);
}

/* Through a reader: what can't be given as one piece of memory, or is spoilt. */
static struct MHD_Response *respond_read(struct req *req)
{
	struct reply *reply = &req->reply;
	uint64_t size = reply->body ? reply->length : reply->text.len;
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	*source = (struct source){.body = reply->body,
		.text = reply->text.p,
		.text_n = reply->text.len,
		.offset = reply->offset,
		.cut = size};
	reply->body = NULL;
	reply->text = (struct buf){0};
	if (req->op == OP_COPY && req->server->config.slow_copy_space && reply->status == 200)
		return respond_slow(req, source);
	if (req->verdict.action == FAULT_TRUNCATE) {
		source->cut = size / 2;
		size += !size;
	} else if (req->verdict.action == FAULT_LENGTH) {
		size += 17;
	}
	return MHD_create_response_from_callback(size, READ_BLOCK, source_read, source, source_free);
}

static struct MHD_Response *respond(struct req *req)
{
	struct reply *reply = &req->reply;
	const char *flat = reply->body ? body_flat(reply->body) : NULL;
	struct MHD_Response *response;
	bool slow = req->op == OP_COPY && req->server->config.slow_copy_space && reply->status == 200;

	if (slow || req->verdict.action == FAULT_TRUNCATE || req->verdict.action == FAULT_LENGTH ||
		(reply->body && !flat))
		return respond_read(req);
	if (reply->body) {
		response = MHD_create_response_from_buffer_with_free_callback_cls((size_t)reply->length,
			(void *)(uintptr_t)(flat + reply->offset), unref_body, reply->body);
		if (response)
			reply->body = NULL;
		return response;
	}
	response = MHD_create_response_from_buffer(reply->text.len, reply->text.p,
		reply->text.p ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (response)
		reply->text = (struct buf){0};
	return response;
}

static void make_garbage(struct req *req)
{
	uint64_t seed = req->serial * 0x9e3779b97f4a7c15u;

	reply_clear(&req->reply);
	req->reply.status = 200;
	for (int i = 0; i < 700; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		buf_char(&req->reply.text, (char)(seed >> 56));
	}
}

static void add_headers(struct req *req, struct MHD_Response *response)
{
	const struct buf *headers = &req->reply.headers;
	char id[33];

	for (size_t i = 0; i < headers->len;) {
		const char *name = headers->p + i, *value = attrs_value(name);

		MHD_add_response_header(response, name, value);
		i = (size_t)(value + strlen(value) + 1 - headers->p);
	}
	if (req->verdict.action == FAULT_FOREIGN)
		return;
	MHD_add_response_header(response, "Server", "s3d");
	if (!req->server->config.marks)
		return;
	snprintf(id, sizeof(id), "%016" PRIX64, req->serial);
	MHD_add_response_header(response, "x-amz-request-id", id);
	reply_host_id(req, id);
	MHD_add_response_header(response, "x-amz-id-2", id);
}

enum MHD_Result send_reply(struct req *req)
{
	struct reply *reply = &req->reply;
	struct MHD_Response *response;
	enum MHD_Result r;

	if (req->server->config.clock_ahead)
		reply_time(req, "Date", (uint32_t)(time(NULL) + req->server->config.clock_ahead));
	if (reply->text.failed || reply->headers.failed || reply->extra.failed)
		return MHD_NO;
	if (req->verdict.action == FAULT_GARBAGE)
		make_garbage(req);
	if (req->op == OP_GET && reply->body)
		req->server->stats.object_out +=
			req->verdict.action == FAULT_TRUNCATE ? reply->length / 2 : reply->length;
	response = respond(req);
	if (!response)
		return MHD_NO;
	add_headers(req, response);
	req->phase = REQ_ANSWERED;
	r = MHD_queue_response(req->conn, reply->status, response);
	MHD_destroy_response(response);
	return r;
}
