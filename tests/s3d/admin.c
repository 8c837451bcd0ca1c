#include "tests/s3d/admin.h"
#include "tests/s3d/http.h"
#include "tests/s3d/inspect.h"
#include "tests/s3d/reply.h"
#include "tests/s3d/seed.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static void say(struct req *req, unsigned status, const char *text)
{
	req->reply.status = status;
	reply_header(req, "Content-Type", "text/plain");
	buf_str(&req->reply.text, text);
	buf_char(&req->reply.text, '\n');
}

/* The outcome of a change. */
static void say_result(struct req *req, int r)
{
	if (r == 0)
		say(req, 200, "ok");
	else if (r == -ENOENT)
		say(req, 404, "no such name");
	else
		say(req, r == -EINVAL ? 400 : 500, r == -EINVAL ? "can't be understood" : strerror(-r));
}

/* Takes the text. */
static void say_json(struct req *req, char *text)
{
	req->reply.status = text ? 200 : 500;
	reply_header(req, "Content-Type", "application/json");
	if (text)
		buf_str(&req->reply.text, text);
	free(text);
}

static void do_stats(struct req *req)
{
	say_json(req, stats_json(req->server));
}

static void do_reset(struct req *req)
{
	stats_reset(req->server);
	say(req, 200, "ok");
}

static void do_get_fault(struct req *req)
{
	say_json(req, inspect_faults(&req->server->faults));
}

static void do_clear_fault(struct req *req)
{
	say_json(req, inspect_faults(&req->server->faults));
	faults_clear(&req->server->faults);
	http_release_stalled(req->server);
}

static void do_release(struct req *req)
{
	http_release_waiting(req->server);
	say(req, 200, "ok");
}

/* Each line of the body through `add`. */
static void add_lines(struct req *req, int (*add)(struct faults *, const char *))
{
	char *save = NULL;
	int r = 0;

	if (!req->body.p) {
		say_result(req, -EINVAL);
		return;
	}
	for (char *line = strtok_r(req->body.p, "\r\n", &save); line && r == 0;
		line = strtok_r(NULL, "\r\n", &save))
		r = add(&req->server->faults, line);
	say_result(req, r);
}

static void do_add_fault(struct req *req)
{
	add_lines(req, fault_add);
}

static void do_add_hook(struct req *req)
{
	add_lines(req, hook_add);
}

static void do_clear_hook(struct req *req)
{
	hooks_clear(&req->server->faults);
	say(req, 200, "ok");
}

static char *text_of(struct span s)
{
	return strndup(s.p ? s.p : "", s.n);
}

static void do_set(struct req *req)
{
	int r = req->param_count ? 0 : -EINVAL;

	for (unsigned i = 0; i < req->param_count && r == 0; i++) {
		char *name = text_of(req->params[i].name), *value = text_of(req->params[i].value);

		r = name && value ? server_set(req->server, name, value) : -ENOMEM;
		free(name);
		free(value);
	}
	say_result(req, r);
}

/* meta=NAME:VALUE, content-type=, storage-class= */
static int seed_attrs(const struct req *req, struct attrs **ret)
{
	struct span type = req_param(req, "content-type"), class = req_param(req, "storage-class");
	struct buf blob = {0};

	attrs_add(&blob, span_of("content-type"), type.p ? type : span_of("text/plain"));
	for (unsigned i = 0; i < req->param_count; i++) {
		struct span value = req->params[i].value;
		const char *colon = memchr(value.p, ':', value.n);

		if (!span_is(req->params[i].name, "meta") || !colon)
			continue;
		buf_str(&blob, "x-amz-meta-");
		attrs_add(&blob, (struct span){value.p, (size_t)(colon - value.p)},
			(struct span){colon + 1, (size_t)(value.p + value.n - colon - 1)});
	}
	if (class.p && !span_is(class, "STANDARD"))
		attrs_add(&blob, span_of("x-amz-storage-class"), class);
	return attrs_intern(&blob, ret);
}

static void do_seed(struct req *req)
{
	struct seed seed = {.bucket = req_param(req, "bucket"),
		.prefix = req_param(req, "prefix"),
		.region = req_param(req, "region"),
		.random = span_is(req_param(req, "random"), "1"),
		.depth = 1};
	bool bad = req_param_number(req, "count", &seed.count) == -EINVAL ||
		   req_param_number(req, "size", &seed.size) == -EINVAL ||
		   req_param_number(req, "dirs", &seed.dirs) == -EINVAL ||
		   req_param_number(req, "depth", &seed.depth) == -EINVAL;
	int r = bad ? -EINVAL : seed_attrs(req, &seed.attrs);

	if (r == 0)
		r = seed_run(req->server, &seed);
	attrs_unref(seed.attrs);
	say_result(req, r);
}

/* Puts an object of this body (taken; NULL: no memory) where bucket= and key= say. */
static int put_object(struct req *req, struct body *body)
{
	struct bucket *bucket = store_bucket(&req->server->store, req_param(req, "bucket"));
	struct content content = {.key = req_param(req, "key"), .body = body};
	struct object *object;
	int r = -EINVAL;

	if (!bucket)
		r = -ENOENT;
	else if (!body)
		r = -ENOMEM;
	else if (content.key.n && content.key.n <= KEY_MAX_BYTES)
		r = bucket_put(&req->server->store, bucket, &content, &object);
	body_unref(body);
	return r;
}

static void do_sparse(struct req *req)
{
	uint64_t size;

	say_result(
		req, req_param_number(req, "size", &size) < 0 ? -EINVAL : put_object(req, body_zero(size)));
}

static void do_overwrite(struct req *req)
{
	struct span text = req_param(req, "text");
	struct buf copy = {0};

	buf_put(&copy, text.p, text.n);
	say_result(req, put_object(req, body_of_buf(&copy)));
}

/* As if it had been made so many seconds earlier. */
static void do_age(struct req *req)
{
	struct bucket *bucket = store_bucket(&req->server->store, req_param(req, "bucket"));
	struct object *object = bucket ? bucket_find(bucket, req_param(req, "key")) : NULL;
	uint64_t seconds;

	if (object && req_param_number(req, "seconds", &seconds) == 0)
		object->mtime -= (uint32_t)seconds;
	say_result(req, object ? 0 : -ENOENT);
}

static void do_remove(struct req *req)
{
	struct bucket *bucket = store_bucket(&req->server->store, req_param(req, "bucket"));
	struct object *marker;

	say_result(req, bucket ? bucket_delete(&req->server->store, bucket, req_param(req, "key"), &marker)
			       : -ENOENT);
}

static void do_object(struct req *req)
{
	struct bucket *bucket = store_bucket(&req->server->store, req_param(req, "bucket"));
	struct object *object = bucket ? bucket_find(bucket, req_param(req, "key")) : NULL;

	if (object)
		say_json(req, inspect_object(req->server, bucket, object));
	else
		say(req, 404, "no such object");
}

static void do_keys(struct req *req)
{
	struct bucket *bucket = store_bucket(&req->server->store, req_param(req, "bucket"));

	if (!bucket) {
		say(req, 404, "no such bucket");
		return;
	}
	req->reply.status = 200;
	reply_header(req, "Content-Type", "text/plain");
	inspect_keys(bucket, req_param(req, "prefix"), &req->reply.text);
}

static void do_uploads(struct req *req)
{
	say_json(req, inspect_uploads(&req->server->store));
}

static void do_quit(struct req *req)
{
	req->server->quit = true;
	say(req, 200, "ok");
}

static const struct {
	const char *method;
	const char *path;
	void (*run)(struct req *req);
} table[] = {
	{"GET", "/_s3d/stats", do_stats},
	{"POST", "/_s3d/reset", do_reset},
	{"GET", "/_s3d/fault", do_get_fault},
	{"POST", "/_s3d/fault", do_add_fault},
	{"DELETE", "/_s3d/fault", do_clear_fault},
	{"POST", "/_s3d/hook", do_add_hook},
	{"DELETE", "/_s3d/hook", do_clear_hook},
	{"POST", "/_s3d/set", do_set},
	{"POST", "/_s3d/release", do_release},
	{"POST", "/_s3d/seed", do_seed},
	{"POST", "/_s3d/sparse", do_sparse},
	{"POST", "/_s3d/overwrite", do_overwrite},
	{"POST", "/_s3d/age", do_age},
	{"DELETE", "/_s3d/object", do_remove},
	{"GET", "/_s3d/object", do_object},
	{"GET", "/_s3d/keys", do_keys},
	{"GET", "/_s3d/uploads", do_uploads},
	{"POST", "/_s3d/quit", do_quit},
};

void admin_run(struct req *req)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(req->method, table[i].method) == 0 && span_is(req->path, table[i].path)) {
			table[i].run(req);
			return;
		}
	say(req, 404, "no such thing: see s3d --help");
}
