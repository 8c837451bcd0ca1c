#include <errno.h>
#include "s3/request_internal.h"

void line_begin(struct builder *builder, struct str name)
{
	struct buf *lines = &builder->wire->lines;
	struct build_line *line = &builder->lines[builder->count];

	if (builder->count == BUILD_LINES_MAX) {
		builder->error = -EOVERFLOW;
		return;
	}
	line->name = lines->len;
	line->name_len = (unsigned)name.len;
	buf_add_str(lines, name);
	buf_add(lines, ": ", 2);
	line->value = lines->len;
}

void line_end(struct builder *builder)
{
	struct buf *lines = &builder->wire->lines;
	struct build_line *line = &builder->lines[builder->count];

	if (!builder->error)
		builder->error = lines->error;
	if (builder->error)
		return;
	line->value_len = (unsigned)(lines->len - line->value);
	if (line->value_len == 0) {
		/* libcurl takes "name:" as the wish to leave a header out, and "name;" as one without a
		 * value. */
		lines->len -= 2;
		buf_add_char(lines, ';');
	}
	builder->error = buf_add_char(lines, '\0');
	builder->count++;
}

void line_add(struct builder *builder, struct str name, struct str value)
{
	line_begin(builder, name);
	buf_add_str(&builder->wire->lines, value);
	line_end(builder);
}

/* An ETag with its quotes, when there is one. */
static void add_etag(struct builder *builder, struct str name, struct str etag)
{
	struct buf *lines = &builder->wire->lines;

	if (!etag.data)
		return;
	line_begin(builder, name);
	buf_add_char(lines, '"');
	buf_add_str(lines, etag);
	buf_add_char(lines, '"');
	line_end(builder);
}

static void add_range(struct builder *builder, struct str name)
{
	const struct s3_request *r = builder->request;
	struct buf *lines = &builder->wire->lines;

	if (r->range_length == 0)
		return;
	if (r->range_length - 1 > UINT64_MAX - r->range_start) {
		builder->error = -EINVAL;
		return;
	}
	line_begin(builder, name);
	buf_add(lines, "bytes=", 6);
	buf_add_uint(lines, r->range_start);
	buf_add_char(lines, '-');
	buf_add_uint(lines, r->range_start + r->range_length - 1);
	line_end(builder);
}

/* AWS, CopyObject: the source's path, encoded. */
static void add_source(struct builder *builder)
{
	const struct s3_request *r = builder->request;
	struct buf *lines = &builder->wire->lines;

	line_begin(builder, STR("x-amz-copy-source"));
	buf_add_char(lines, '/');
	key_encode(lines, r->source_bucket, false);
	buf_add_char(lines, '/');
	key_encode(lines, r->source_key, true);
	line_end(builder);
	add_etag(builder, STR("x-amz-copy-source-if-match"), r->source_if_match);
	if (r->op == S3_COPY_PART)
		add_range(builder, STR("x-amz-copy-source-range"));
}

/* Does the builder, or the sender of the request, make this header? */
static bool is_own(struct str name)
{
	static const char *const names[] = {"host", "authorization", "x-amz-date", "x-amz-content-sha256",
		"x-amz-security-token", "content-length", "transfer-encoding"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_eq(name, str_of(names[i])))
			return true;
	}
	return false;
}

static void add_given(struct builder *builder)
{
	struct str name, value;
	size_t at = 0;

	while (headers_next(builder->request->headers, &at, &name, &value)) {
		if (is_own(name)) {
			builder->error = -EINVAL;
			return;
		}
		line_add(builder, name, value);
	}
}

/* AWS, "Downloading objects from Requester Pays buckets"; once, if the caller gave it as well. */
static void add_payer(struct builder *builder)
{
	const struct headers *given = builder->request->headers;
	const struct str name = STR("x-amz-request-payer");

	if (!builder->target->request_payer || !(builder->flags & NEED_BUCKET))
		return;
	if (!given || !headers_get(given, name).data)
		line_add(builder, name, STR("requester"));
}

/* One digest in a header of its own, which a bucket with Object Lock and DeleteObjects demand.  MD5 is the
 * one that each service knows; OpenSSL may have none (FIPS). */
static void add_sum(struct builder *builder, struct str md5, const char *sha256)
{
	char sum[SHA256_BASE64 + 1];

	if (md5.data) {
		line_add(builder, STR("content-md5"), md5);
	} else if (sha256) {
		sign_sha256_base64(sha256, sum);
		line_add(builder, STR("x-amz-checksum-sha256"), str_of(sum));
	}
}

/* Of bytes that are here. */
static void add_sum_of(struct builder *builder, const char *data, size_t len)
{
	char md5[MD5_BASE64 + 1], sha256[SHA256_HEX + 1];
	int error = signer_md5(builder->signer, data, len, md5);
	bool has_md5 = error == 0;

	if (error == -EOPNOTSUPP)
		error = signer_sha256(builder->signer, data, len, sha256);
	if (error)
		builder->error = error;
	else
		add_sum(builder, has_md5 ? str_of(md5) : STR_NONE, sha256);
}

/* Of bytes that the caller sends. */
static void add_upload_sum(struct builder *builder)
{
	const struct s3_request *r = builder->request;

	if (r->body_length == 0)
		add_sum_of(builder, "", 0);
	else
		add_sum(builder, r->body_md5, r->sum_sha256 ? r->body_sha256.data : NULL);
}

/* The body's own headers. */
static void add_body_headers(struct builder *builder)
{
	const struct s3_request *r = builder->request;
	struct s3_wire *wire = builder->wire;

	if (r->op == S3_CREATE_UPLOAD) {
		/* libcurl would call it a form, and that would become the object's type.  This is the type
		 * that S3 itself falls back to. */
		if (!r->headers || !headers_get(r->headers, STR("content-type")).data)
			line_add(builder, STR("content-type"), STR("binary/octet-stream"));
		if (r->sum_sha256)
			line_add(builder, STR("x-amz-checksum-algorithm"), STR("SHA256"));
		return;
	}
	if (builder->flags & SENDS_UPLOAD)
		add_upload_sum(builder);
	if (wire->body.len == 0)
		return;
	line_add(builder, STR("content-type"), STR("application/xml"));
	if (r->op == S3_DELETE_OBJECTS && !builder->error)
		add_sum_of(builder, wire->body.data, wire->body.len);
}

int build_headers(struct builder *builder)
{
	const struct s3_request *r = builder->request;

	if (r->headers)
		add_given(builder);
	add_payer(builder);
	add_body_headers(builder);
	if (r->op == S3_GET_OBJECT)
		add_range(builder, STR("range"));
	else if (r->op == S3_HEAD_OBJECT && r->ask_why)
		line_add(builder, STR("range"), STR("bytes=0-0"));
	if (builder->flags & NEED_SOURCE)
		add_source(builder);
	if (builder->flags & TAKES_MATCH)
		add_etag(builder, STR("if-match"), r->if_match);
	if ((builder->flags & TAKES_NONE) && r->if_none_match_any)
		line_add(builder, STR("if-none-match"), STR("*"));
	return builder->error;
}
