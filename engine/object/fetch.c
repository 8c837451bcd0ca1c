#include "engine/object/fetch.h"

#include <errno.h>

/* How often a transfer that was cut goes on where it was; each time with a call's own retries, and only after
 * it brought something. */
enum { RESUMES_MAX = 8 };

static void fetch_done(struct call *call, const struct s3_answer *answer);

/* Also bytes past the range, from a server that knows no ranges: the transfer ends there. */
static int fetch_take(void *user, const char *data, size_t len)
{
	struct fetch *fetch = user;
	size_t left = fetch->length - fetch->got;
	size_t take_len = len < left ? len : left;
	int error = 0;
	if (fetch->data)
		memcpy(fetch->data + fetch->got, data, take_len);
	else if (take_len > 0)
		error = fetch->on_data(fetch, data, take_len);
	if (error != 0) {
		fetch->refused = error;
		return error;
	}
	fetch->got += take_len;
	return len > left ? -EFBIG : 0;
}

static void fetch_prepare(struct fetch *fetch)
{
	struct call *call = &fetch->call;
	call_init(call);
	call->request.op = S3_GET_OBJECT;
	call->request.bucket = fetch->bucket;
	call->request.key = fetch->key;
	call->request.if_match = fetch->etag.len > 0 ? fetch->etag : STR_NONE;
	call->request.range_start = fetch->start + fetch->got;
	call->request.range_length = fetch->length - fetch->got;
	call->account = fetch->account;
	call->sinks.on_data = fetch_take;
	call->sinks.headers = fetch->headers;
	call->sinks.user = fetch;
	call->flags = fetch->call_flags;
	call->on_done = fetch_done;
	call->user = fetch;
	fetch->before = fetch->got;
}

static bool may_resume(const struct fetch *fetch, const struct call *call, const struct s3_answer *answer)
{
	/* Without the ETag the rest could be of another object. */
	return call->error != -ECANCELED && fetch->refused == 0 && fetch->etag.len > 0 &&
	       fetch->got > fetch->before && answer->status < 300 && fetch->resumed < RESUMES_MAX;
}

static int outcome(const struct fetch *fetch, const struct call *call, const struct s3_answer *answer)
{
	if (fetch->refused != 0)
		return fetch->refused;
	if (call->error == 0 || fetch->got == fetch->length)
		return 0;
	if (call->error == -EINVAL && answer->status == 416)
		return 0; /* starts at the object's end or behind it */
	if (fetch->etag.len > 0 && s3_answer_says_gone(answer))
		return -ESTALE;
	return call->error;
}

static void fetch_done(struct call *call, const struct s3_answer *answer)
{
	struct fetch *fetch = call->user;
	fetch->error = outcome(fetch, call, answer);
	if (fetch->error != 0 && may_resume(fetch, call, answer)) {
		struct worker *worker = fetch->worker;
		fetch->resumed++;
		fetch_prepare(fetch);
		call_start(worker, call);
		return;
	}
	fetch->on_done(fetch, answer);
}

static void fetch_begin(struct worker *worker, struct fetch *fetch)
{
	fetch->worker = worker;
	fetch->error = 0;
	fetch->got = 0;
	fetch->resumed = 0;
	fetch->refused = 0;
	fetch_prepare(fetch);
}

void fetch_start(struct worker *worker, struct fetch *fetch)
{
	fetch_begin(worker, fetch);
	call_start(worker, &fetch->call);
}

void fetch_post(struct worker *worker, struct fetch *fetch)
{
	fetch_begin(worker, fetch);
	call_post(worker, &fetch->call);
}
