#include "tests/s3d/cond.h"

#include <stdio.h>
#include <time.h>

bool cond_etag(struct span value, const struct object *object)
{
	struct buf etag = {0};
	bool match = false;

	object_etag(object, &etag);
	while (value.n && !match && !etag.failed) {
		const char *comma = memchr(value.p, ',', value.n);
		struct span one = {value.p, comma ? (size_t)(comma - value.p) : value.n};

		value.n -= one.n + (comma != NULL);
		value.p += one.n + (comma != NULL);
		while (one.n && (one.p[0] == ' ' || one.p[0] == '"'))
			one.p++, one.n--;
		while (one.n && (one.p[one.n - 1] == ' ' || one.p[one.n - 1] == '"'))
			one.n--;
		match = span_is(one, "*") || span_is(one, etag.p);
	}
	buf_release(&etag);
	return match;
}

static struct span header(const struct req *req, const char *prefix, const char *name)
{
	char full[64];

	snprintf(full, sizeof(full), "%s%s", prefix, name);
	return req_header(req, full);
}

/* A header's date; false when there is none or it can't be read (then it is ignored, RFC 9110 13.1.3). */
static bool header_time(const struct req *req, const char *prefix, const char *name, time_t *ret)
{
	struct span value = header(req, prefix, name);
	struct tm tm = {0};

	if (!value.p || !strptime(value.p, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return false;
	*ret = timegm(&tm);
	return true;
}

unsigned cond_read(const struct req *req, const struct object *object, const char *prefix)
{
	struct span match = header(req, prefix, "if-match"), none = header(req, prefix, "if-none-match");
	time_t when;

	if (match.p && !cond_etag(match, object))
		return 412;
	if (!match.p && header_time(req, prefix, "if-unmodified-since", &when) &&
		(time_t)object->mtime > when)
		return 412;
	if (none.p && cond_etag(none, object))
		return 304;
	if (!none.p && header_time(req, prefix, "if-modified-since", &when) && (time_t)object->mtime <= when)
		return 304;
	return 0;
}

const char *cond_write(const struct req *req, const struct object *object)
{
	struct span match = req_header(req, "if-match"), none = req_header(req, "if-none-match");

	if (!req->server->config.conditional_put)
		return NULL;
	if (none.p && !span_is(none, "*"))
		return "NotImplemented";
	if (none.p && object)
		return "PreconditionFailed";
	if (match.p && !object)
		return "NoSuchKey";
	return match.p && !cond_etag(match, object) ? "PreconditionFailed" : NULL;
}
