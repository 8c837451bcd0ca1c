/* Uploads in parts: create, upload part, copy part, abort.  Completion and lists are in op_complete.c. */
#include "tests/s3d/meta.h"
#include "tests/s3d/multipart.h"
#include "tests/s3d/object.h"
#include "tests/s3d/reply.h"

struct upload *multipart_find(struct req *req)
{
	struct upload *upload =
		upload_find(&req->server->store, req->b->name, req->key, req_param(req, "uploadId"));

	if (!upload)
		reply_error(req, "NoSuchUpload");
	return upload;
}

void op_create_upload(struct req *req)
{
	struct content content = {.key = req->key};
	struct upload *upload = NULL;
	const char *code = meta_of_request(req, &content.attrs);
	struct buf *b;

	if (!code)
		code = meta_tags(req, &content.tags);
	if (!code && !(upload = upload_new(&req->server->store, req->b->name, &content)))
		code = "InternalError";
	if (code) {
		reply_error(req, code);
	} else {
		b = reply_xml(req, "InitiateMultipartUploadResult");
		xml_text(b, "Bucket", span_of(req->b->name));
		xml_text(b, "Key", req->key);
		xml_text(b, "UploadId", span_of(upload->id));
		buf_str(b, "</InitiateMultipartUploadResult>");
		meta_show_encryption(req, content.attrs);
	}
	attrs_unref(content.attrs);
	attrs_unref(content.tags);
}

/* The upload and number this part is for; false when refused. */
static bool part_target(struct req *req, struct upload **ret, uint64_t *ret_number)
{
	struct upload *upload = multipart_find(req);
	uint64_t number;

	if (!upload)
		return false;
	if (req_param_number(req, "partNumber", &number) < 0 || number < 1 || number > PART_NUMBER_MAX) {
		reply_error_says(req, "InvalidArgument",
			"Part number must be an integer between 1 and 10000, inclusive");
		return false;
	}
	*ret = upload;
	*ret_number = number;
	return true;
}

void op_upload_part(struct req *req)
{
	uint64_t number, size = req->body.len;
	struct upload *upload;
	struct part *part;
	struct body *body;
	struct object shown = {0};
	const char *code;

	if (!part_target(req, &upload, &number))
		return;
	code = meta_check_upload(req);
	if (code) {
		reply_error(req, code);
		return;
	}
	body = body_of_buf(&req->body);
	if (!body || upload_put_part(upload, (unsigned)number, body, &part) < 0) {
		reply_error(req, "InternalError");
		return;
	}
	req->server->stats.object_in += size;
	memcpy(shown.md5, part->md5, MD5_LEN);
	req->reply.status = 200;
	reply_etag(req, "ETag", &shown);
	meta_show_encryption(req, upload->attrs);
}

/* bytes=first-last, both given and within the source (AWS: InvalidArgument otherwise). */
static const char *part_range(const struct req *req, uint64_t size, uint64_t *ret_first, uint64_t *ret_n)
{
	struct span text = req_header(req, "x-amz-copy-source-range"), unit = span_of("bytes="), first, last;
	uint64_t a, b;
	const char *dash;

	*ret_first = 0;
	*ret_n = size;
	if (!text.p)
		return NULL;
	if (!span_starts(text, unit) || !(dash = memchr(text.p, '-', text.n)))
		return "InvalidArgument";
	first = (struct span){text.p + unit.n, (size_t)(dash - text.p) - unit.n};
	last = (struct span){dash + 1, (size_t)(text.p + text.n - dash - 1)};
	if (number_of(first, &a) < 0 || number_of(last, &b) < 0 || b < a || b >= size)
		return "InvalidArgument";
	*ret_first = a;
	*ret_n = b - a + 1;
	return NULL;
}

static const char *copy_part(struct req *req, struct upload *upload, unsigned number, struct part **ret)
{
	struct copy_source source = {0};
	const char *code = copy_source_find(req, &source);
	struct body *body;
	uint64_t first, n;

	if (!code)
		code = part_range(req, body_size(source.object->body), &first, &n);
	if (!code && n > OBJECT_PUT_MAX)
		code = "InvalidRequest";
	if (!code) {
		body = body_slice(source.object->body, first, n);
		if (!body || upload_put_part(upload, number, body, ret) < 0)
			code = "InternalError";
	}
	copy_source_release(&source);
	return code;
}

void op_copy_part(struct req *req)
{
	struct upload *upload;
	struct part *part;
	uint64_t number;
	const char *code;
	struct buf *b;

	if (!part_target(req, &upload, &number))
		return;
	code = copy_part(req, upload, (unsigned)number, &part);
	if (code) {
		reply_error(req, code);
		return;
	}
	b = reply_xml(req, "CopyPartResult");
	xml_time(b, "LastModified", part->mtime);
	xml_etag(b, req, part->md5, 0);
	buf_str(b, "</CopyPartResult>");
}

void op_abort(struct req *req)
{
	struct upload *upload = multipart_find(req);

	if (!upload)
		return;
	upload_remove(&req->server->store, upload);
	req->reply.status = 204;
}
