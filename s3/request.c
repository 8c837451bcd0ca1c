#include <errno.h>
#include "s3/parts.h"
#include "s3/request_internal.h"
#include "s3/when.h"

enum {
	URL_MAX = 64 << 10, /* path and query of 3 bytes for one */
	LINES_MAX = 64 << 10, /* struct headers, a session token, a copy source */
	BODY_MAX = 8 << 20, /* DELETE_SET_MAX keys of KEY_MAX, the worst of their references */
};

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OBJECT (NEED_BUCKET | NEED_KEY)
#define PART (OBJECT | NEED_UPLOAD | NEED_PART)

struct op_info {
	const char *name, *method;
	unsigned flags;
};

static const struct op_info ops[S3_OP_COUNT] = {
	[S3_LIST_BUCKETS] = {"ListBuckets", "GET", 0},
	[S3_HEAD_BUCKET] = {"HeadBucket", "HEAD", NEED_BUCKET},
	[S3_LIST_OBJECTS] = {"ListObjectsV2", "GET", NEED_BUCKET},
	[S3_HEAD_OBJECT] = {"HeadObject", "HEAD", OBJECT | TAKES_VERSION | TAKES_MATCH},
	[S3_GET_OBJECT] = {"GetObject", "GET", OBJECT | TAKES_VERSION | TAKES_MATCH},
	[S3_PUT_OBJECT] = {"PutObject", "PUT", OBJECT | SENDS_UPLOAD | TAKES_MATCH | TAKES_NONE},
	[S3_COPY_OBJECT] = {"CopyObject", "PUT", OBJECT | NEED_SOURCE | TAKES_MATCH | TAKES_NONE},
	[S3_CREATE_UPLOAD] = {"CreateMultipartUpload", "POST", OBJECT},
	[S3_UPLOAD_PART] = {"UploadPart", "PUT", PART | SENDS_UPLOAD},
	[S3_COPY_PART] = {"UploadPartCopy", "PUT", PART | NEED_SOURCE},
	[S3_COMPLETE_UPLOAD] = {"CompleteMultipartUpload", "POST",
		OBJECT | NEED_UPLOAD | TAKES_MATCH | TAKES_NONE},
	[S3_ABORT_UPLOAD] = {"AbortMultipartUpload", "DELETE", OBJECT | NEED_UPLOAD},
	[S3_LIST_UPLOADS] = {"ListMultipartUploads", "GET", NEED_BUCKET},
	[S3_DELETE_OBJECT] = {"DeleteObject", "DELETE", OBJECT | TAKES_VERSION | TAKES_MATCH},
	[S3_DELETE_OBJECTS] = {"DeleteObjects", "POST", NEED_BUCKET},
	[S3_GET_TAGGING] = {"GetObjectTagging", "GET", OBJECT},
};

const char *s3_op_name(enum s3_op op)
{
	return (unsigned)op < S3_OP_COUNT ? ops[op].name : "unknown";
}

bool s3_op_is_head(enum s3_op op)
{
	return op == S3_HEAD_BUCKET || op == S3_HEAD_OBJECT;
}

void s3_wire_init(struct s3_wire *wire)
{
	*wire = (struct s3_wire){.method = ""};
	buf_init(&wire->url, URL_MAX);
	buf_init(&wire->lines, LINES_MAX);
	buf_init(&wire->body, BODY_MAX);
	buf_init(&wire->path, URL_MAX);
	buf_init(&wire->query, URL_MAX);
	buf_init(&wire->host, ENDPOINT_HOST_MAX + BUCKET_MAX + 8);
	buf_init(&wire->scratch, LINES_MAX);
}

void s3_wire_release(struct s3_wire *wire)
{
	buf_release(&wire->url);
	buf_release(&wire->lines);
	buf_release(&wire->body);
	buf_release(&wire->path);
	buf_release(&wire->query);
	buf_release(&wire->host);
	buf_release(&wire->scratch);
}

static void wire_clear(struct s3_wire *wire)
{
	buf_clear(&wire->url);
	buf_clear(&wire->lines);
	buf_clear(&wire->body);
	buf_clear(&wire->path);
	buf_clear(&wire->query);
	buf_clear(&wire->host);
	buf_clear(&wire->scratch);
	wire->upload = false;
	wire->body_length = 0;
}

/* Can s stand in a header line, and is it of at most max bytes?  STR_NONE can. */
static bool fits_line(struct str s, size_t max)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c < ' ' || c == 0x7f || c == '"')
			return false;
	}
	return s.len <= max;
}

static int check_key(struct str key)
{
	return key.len > KEY_MAX ? -ENAMETOOLONG : key.len == 0 ? -EINVAL : 0;
}

static int check_body(const struct s3_request *r)
{
	if (r->body_md5.data && (r->body_md5.len != MD5_BASE64 || !fits_line(r->body_md5, MD5_BASE64)))
		return -EINVAL;
	if (!r->body_sha256.data)
		return 0;
	if (r->body_sha256.len != SHA256_HEX)
		return -EINVAL;
	for (size_t i = 0; i < SHA256_HEX; i++) {
		if (!memchr("0123456789abcdef", r->body_sha256.data[i], 16))
			return -EINVAL;
	}
	return 0;
}

static int check(const struct s3_request *r, unsigned flags)
{
	int error = 0;

	if ((flags & NEED_BUCKET) && !endpoint_bucket_ok(r->bucket))
		return -EINVAL;
	if (flags & NEED_KEY)
		error = check_key(r->key);
	if (!error && (flags & NEED_SOURCE))
		error = endpoint_bucket_ok(r->source_bucket) ? check_key(r->source_key) : -EINVAL;
	if (!error && (flags & SENDS_UPLOAD))
		error = check_body(r);
	if (error)
		return error;
	if ((flags & NEED_UPLOAD) && (r->upload_id.len == 0 || r->upload_id.len > UPLOAD_ID_MAX))
		return -EINVAL;
	if ((flags & NEED_PART) && (r->part_number == 0 || r->part_number > PARTS_MAX))
		return -EINVAL;
	if ((flags & TAKES_VERSION) && r->version_id.len > VERSION_ID_MAX)
		return -EINVAL;
	if ((flags & TAKES_MATCH) && !fits_line(r->if_match, ETAG_MAX))
		return -EINVAL;
	if ((flags & NEED_SOURCE) && !fits_line(r->source_if_match, ETAG_MAX))
		return -EINVAL;
	if (r->op == S3_LIST_OBJECTS || r->op == S3_LIST_UPLOADS) {
		if (r->max_keys > 1000)
			return -EINVAL;
		if (r->prefix.len > KEY_MAX)
			return -ENAMETOOLONG;
	}
	return 0;
}

static int build_url(struct builder *builder)
{
	const struct endpoint *endpoint = builder->target->endpoint;
	bool in_bucket = builder->flags & NEED_BUCKET;
	struct str bucket = in_bucket ? builder->request->bucket : STR_NONE;
	struct str key = builder->flags & NEED_KEY ? builder->request->key : STR_NONE;
	struct s3_wire *wire = builder->wire;
	int error = endpoint_host(endpoint, bucket, &wire->host);

	if (!error)
		error = endpoint_path(endpoint, bucket, key, &wire->path);
	if (!error)
		error = build_query(builder);
	if (error)
		return error;
	buf_add_text(&wire->url, endpoint->tls ? "https://" : "http://");
	buf_add_str(&wire->url, buf_str(&wire->host));
	buf_add_str(&wire->url, buf_str(&wire->path));
	if (wire->query.len) {
		buf_add_char(&wire->url, '?');
		buf_add_str(&wire->url, buf_str(&wire->query));
	}
	return wire->url.error;
}

/* The payload's hash, or the words that stand for none. */
static int payload(struct builder *builder, char own[SHA256_HEX + 1], struct str *ret)
{
	const struct s3_wire *wire = builder->wire;

	if (wire->body.len) {
		*ret = str_n(own, SHA256_HEX);
		return signer_sha256(builder->signer, wire->body.data, wire->body.len, own);
	}
	if (wire->body_length == 0)
		*ret = STR(EMPTY_SHA256);
	else
		*ret = builder->request->body_sha256.data ? builder->request->body_sha256
							  : STR("UNSIGNED-PAYLOAD");
	return 0;
}

/* Signs every line there is, and Host. */
static int sign_lines(struct builder *builder, struct str hash, int64_t now)
{
	struct sign_header headers[BUILD_LINES_MAX + 1];
	struct s3_wire *wire = builder->wire;
	struct sign_input input = {
		.method = str_of(wire->method),
		.path = buf_str(&wire->path),
		.query = buf_str(&wire->query),
		.headers = headers,
		.header_count = builder->count + 1,
		.payload = hash,
		.region = builder->target->region,
		.service = STR("s3"),
		.now = now,
	};

	headers[0] = (struct sign_header){STR("host"), buf_str(&wire->host)};
	for (unsigned i = 0; i < builder->count; i++) {
		const struct build_line *line = &builder->lines[i];

		headers[i + 1].name = str_n(wire->lines.data + line->name, line->name_len);
		headers[i + 1].value = str_n(wire->lines.data + line->value, line->value_len);
	}
	return signer_sign(builder->signer, builder->target->credentials, &input, &wire->scratch);
}

static int authorize(struct builder *builder, int64_t now)
{
	const struct credentials *credentials = builder->target->credentials;
	char own[SHA256_HEX + 1], stamp[17];
	struct str hash;
	int error;

	if (credentials->anonymous)
		return 0;
	error = payload(builder, own, &hash);
	if (error)
		return error;
	when_amz(now, stamp);
	line_add(builder, STR("x-amz-content-sha256"), hash);
	line_add(builder, STR("x-amz-date"), str_n(stamp, 16));
	if (credentials->token[0])
		line_add(builder, STR("x-amz-security-token"), str_of(credentials->token));
	if (!builder->error)
		builder->error = sign_lines(builder, hash, now);
	if (!builder->error)
		line_add(builder, STR("authorization"), buf_str(&builder->wire->scratch));
	return builder->error;
}

int s3_wire_build(struct s3_wire *wire, const struct s3_request *request, const struct s3_target *target,
	struct signer *signer, int64_t now)
{
	struct builder builder; /* its lines are left as they are: 9 KB that nothing reads before it writes */
	int error;

	wire_clear(wire);
	if ((unsigned)request->op >= S3_OP_COUNT)
		return -EINVAL;
	builder.wire = wire;
	builder.request = request;
	builder.target = target;
	builder.signer = signer;
	builder.flags = ops[request->op].flags;
	builder.error = 0;
	builder.count = 0;
	error = check(request, builder.flags);
	if (error)
		return error;
	wire->method = ops[request->op].method;
	if (request->ask_why && s3_op_is_head(request->op))
		wire->method = "GET";
	error = build_url(&builder);
	if (!error)
		error = build_body(&builder);
	if (!error)
		error = build_headers(&builder);
	if (!error)
		error = authorize(&builder, now);
	return error;
}

const char *s3_wire_line(const struct s3_wire *wire, size_t *at)
{
	const char *line;

	if (*at >= wire->lines.len)
		return NULL;
	line = wire->lines.data + *at;
	*at += strlen(line) + 1;
	return line;
}
