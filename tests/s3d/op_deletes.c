/* DeleteObjects: up to 1,000 keys, a result for each. */
#include "tests/s3d/meta.h"
#include "tests/s3d/object.h"
#include "tests/s3d/reply.h"
#include "tests/s3d/xml.h"

#include <errno.h>

#define KEYS_MAX 1000

static void put_error(struct buf *b, struct span key, const char *code, const char *message)
{
	buf_str(b, "<Error>");
	xml_text(b, "Key", key);
	xml_text(b, "Code", span_of(code));
	xml_text(b, "Message", span_of(message));
	buf_str(b, "</Error>");
}

static void put_deleted(
	struct req *req, struct buf *b, const struct delete_key *key, const struct object *marker)
{
	buf_str(b, "<Deleted>");
	xml_text(b, "Key", span_of(key->key));
	if (key->version)
		xml_text(b, "VersionId", span_of(key->version));
	if (marker) {
		buf_str(b, "<DeleteMarker>true</DeleteMarker>");
		buf_printf(b, "<DeleteMarkerVersionId>v%016llx</DeleteMarkerVersionId>",
			(unsigned long long)marker->version);
	}
	buf_str(b, "</Deleted>");
}

static const char *code_of(const struct verdict *verdict)
{
	if (*verdict->code)
		return verdict->code;
	return verdict->status == 403	? "AccessDenied"
	       : verdict->status == 503 ? "SlowDown"
					: "InternalError";
}

static void delete_key(struct req *req, struct buf *b, const struct delete_key *key, bool quiet)
{
	struct deletion how = {.etag = span_of(key->etag), .version = span_of(key->version)};
	struct span name = span_of(key->key);
	struct verdict verdict = fault_decide(&req->server->faults, OP_DELETES_KEY, req->bucket, name);
	struct object *marker = NULL;
	const char *code;

	if (verdict.action == FAULT_STATUS)
		code = code_of(&verdict);
	else if (name.n > KEY_MAX_BYTES)
		code = "KeyTooLongError";
	else
		code = delete_one(req, name, &how, &marker);
	if (code)
		put_error(b, name, code, error_message(code));
	else if (!quiet)
		put_deleted(req, b, key, marker);
}

/* Does some key's condition break the schema? */
static bool too_new(const struct req *req, const struct delete_list *list)
{
	for (size_t i = 0; i < list->count && req->server->config.strict_deletes; i++)
		if (list->keys[i].etag)
			return true;
	return false;
}

void op_deletes(struct req *req)
{
	struct delete_list list = {0};
	const char *code;
	struct buf *b;
	bool given;
	int r;

	code = meta_check_digests(req, &given);
	if (!given) {
		reply_error_says(
			req, "InvalidRequest", "Missing required header for this request: Content-MD5");
		return;
	}
	if (code) {
		reply_error(req, code);
		return;
	}
	r = xml_delete((struct span){req->body.p, req->body.len}, KEYS_MAX, &list);
	if (r < 0 || too_new(req, &list)) {
		reply_error(req, r == -ENOMEM ? "InternalError" : "MalformedXML");
	} else {
		b = reply_xml(req, "DeleteResult");
		for (size_t i = 0; i < list.count; i++)
			delete_key(req, b, &list.keys[i], list.quiet);
		buf_str(b, "</DeleteResult>");
	}
	delete_list_release(&list);
}
