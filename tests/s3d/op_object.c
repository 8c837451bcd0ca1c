/* GetObject, HeadObject, PutObject, DeleteObject. */
#include "tests/s3d/cond.h"
#include "tests/s3d/meta.h"
#include "tests/s3d/object.h"
#include "tests/s3d/reply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int version_of(struct span text, uint64_t *ret)
{
	char *end;
	char copy[18];

	if (span_is(text, "null")) {
		*ret = 0;
		return 0;
	}
	if (text.n != 17 || text.p[0] != 'v')
		return -EINVAL;
	memcpy(copy, text.p + 1, 16);
	copy[16] = '\0';
	*ret = strtoull(copy, &end, 16);
	return *end ? -EINVAL : 0;
}

bool object_is_archived(const struct object *object)
{
	const char *storage_class = object_storage_class(object);

	return strcmp(storage_class, "GLACIER") == 0 || strcmp(storage_class, "DEEP_ARCHIVE") == 0;
}

enum range { RANGE_NONE, RANGE_PART, RANGE_BAD };

/* One range of bytes; several, or what can't be read, are ignored as AWS does. */
static enum range parse_range(struct span text, uint64_t size, uint64_t *ret_first, uint64_t *ret_n)
{
	struct span unit = span_of("bytes="), first, last;
	const char *dash;
	uint64_t a, b;

	if (!text.p || !span_starts(text, unit))
		return RANGE_NONE;
	first = (struct span){text.p + unit.n, text.n - unit.n};
	dash = memchr(first.p, '-', first.n);
	if (!dash)
		return RANGE_NONE;
	last = (struct span){dash + 1, (size_t)(first.p + first.n - dash - 1)};
	first.n = (size_t)(dash - first.p);
	if (first.n == 0) {
		if (number_of(last, &b) < 0)
			return RANGE_NONE;
		if (b == 0 || size == 0)
			return RANGE_BAD;
		*ret_n = b < size ? b : size;
		*ret_first = size - *ret_n;
		return RANGE_PART;
	}
	if (number_of(first, &a) < 0 || (last.n && number_of(last, &b) < 0) || (last.n && b < a))
		return RANGE_NONE;
	if (a >= size)
		return RANGE_BAD;
	*ret_first = a;
	*ret_n = last.n && b < size ? b - a + 1 : size - a;
	return RANGE_PART;
}

static struct object *find_object(struct req *req)
{
	struct span text = req_param(req, "versionId");
	struct object *object;
	uint64_t version;

	if (!text.p) {
		object = bucket_find(req->b, req->key);
		if (!object)
			reply_error(req, "NoSuchKey");
		return object;
	}
	if (version_of(text, &version) < 0) {
		reply_error_says(req, "InvalidArgument", "Invalid version id specified");
		return NULL;
	}
	object = bucket_find_version(req->b, req->key, version);
	if (!object || !object->body) {
		reply_error(req, object ? "MethodNotAllowed" : "NoSuchVersion");
		return NULL;
	}
	return object;
}

static void show_object(struct req *req, const struct object *object)
{
	char count[8];

	meta_show(req, object);
	reply_etag(req, "ETag", object);
	reply_time(req, "Last-Modified", object->mtime + req->server->config.late_heads);
	reply_header(req, "Accept-Ranges", "bytes");
	reply_version(req, "x-amz-version-id", object->version);
	if (object->tags) {
		snprintf(count, sizeof(count), "%zu", attrs_count(object->tags));
		reply_header(req, "x-amz-tagging-count", count);
	}
}

void op_get(struct req *req)
{
	struct object *object = find_object(req);
	uint64_t first = 0, n;
	enum range range;
	char text[80];
	unsigned status;

	if (!object)
		return;
	status = cond_read(req, object, "");
	if (status == 412) {
		reply_error(req, "PreconditionFailed");
		return;
	}
	show_object(req, object);
	if (status == 304) {
		reply_error(req, "NotModified");
		return;
	}
	if (req->op == OP_GET && object_is_archived(object)) {
		reply_error(req, "InvalidObjectState");
		return;
	}
	n = body_size(object->body);
	range = parse_range(req_header(req, "range"), n, &first, &n);
	if (range == RANGE_BAD) {
		reply_error(req, "InvalidRange");
		return;
	}
	if (range == RANGE_PART) {
		snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, first + n - 1,
			body_size(object->body));
		reply_header(req, "Content-Range", text);
	}
	req->reply.status = range == RANGE_PART ? 206 : 200;
	req->reply.body = body_ref(object->body);
	req->reply.offset = first;
	req->reply.length = n;
}

/* Stores the request's body; takes nothing. */
static const char *put(struct req *req, struct content *content, struct object **ret)
{
	const char *code = meta_of_request(req, &content->attrs);

	if (code)
		return code;
	code = meta_tags(req, &content->tags);
	if (code)
		return code;
	content->body = body_of_buf(&req->body);
	if (!content->body || bucket_put(&req->server->store, req->b, content, ret) < 0)
		return "InternalError";
	return NULL;
}

void op_put(struct req *req)
{
	struct content content = {.key = req->key};
	struct object *object = NULL;
	uint64_t size = req->body.len;
	const char *code = meta_check_upload(req);

	if (!code)
		code = cond_write(req, bucket_find(req->b, req->key));
	if (!code)
		code = put(req, &content, &object);
	if (code) {
		reply_error(req, code);
	} else {
		req->server->stats.object_in += size;
		req->reply.status = 200;
		reply_etag(req, "ETag", object);
		reply_version(req, "x-amz-version-id", object->version);
		meta_show_encryption(req, content.attrs);
	}
	body_unref(content.body);
	attrs_unref(content.attrs);
	attrs_unref(content.tags);
}

const char *delete_one(
	struct req *req, struct span key, const struct deletion *how, struct object **ret_marker)
{
	struct object *object = bucket_find(req->b, key);
	uint64_t version;
	bool was_marker;

	*ret_marker = NULL;
	if (how->etag.p && object && object->parts && req->server->config.strict_parts)
		return "PreconditionFailed";
	if (how->etag.p && req->server->config.conditional_delete &&
		(!object || !cond_etag(how->etag, object)))
		return object ? "PreconditionFailed" : "NoSuchKey";
	if (how->version.p) {
		if (version_of(how->version, &version) < 0)
			return "InvalidArgument";
		/* A version that is not there counts as deleted. */
		bucket_delete_version(req->b, key, version, &was_marker);
		return NULL;
	}
	return bucket_delete(&req->server->store, req->b, key, ret_marker) < 0 ? "InternalError" : NULL;
}

void op_delete(struct req *req)
{
	struct deletion how = {.etag = req_header(req, "if-match"), .version = req_param(req, "versionId")};
	struct object *marker;
	uint64_t version;
	const char *code = delete_one(req, req->key, &how, &marker);

	if (code) {
		reply_error(req, code);
		return;
	}
	req->reply.status = 204;
	if (marker) {
		reply_version(req, "x-amz-version-id", marker->version);
		reply_header(req, "x-amz-delete-marker", "true");
	} else if (how.version.p) {
		/* Lent bytes without an end: read again rather than printed. */
		if (version_of(how.version, &version) == 0)
			reply_version(req, "x-amz-version-id", version);
	}
}
