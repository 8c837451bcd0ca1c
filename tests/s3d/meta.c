#include "tests/s3d/meta.h"
#include "tests/s3d/object.h"
#include "tests/s3d/reply.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

/* AWS: "user-defined metadata is limited to 2 KB", names and values. */
#define METADATA_MAX 2048
#define TAGS_MAX 10
#define ATTRS_MAX REQ_HEADERS_MAX

static bool starts_with(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

static bool is_placement(const char *name)
{
	return strcasecmp(name, "x-amz-storage-class") == 0 || strcasecmp(name, "x-amz-acl") == 0 ||
	       strcasecmp(name, "x-amz-website-redirect-location") == 0 ||
	       starts_with(name, "x-amz-server-side-encryption") || starts_with(name, "x-amz-grant-");
}

static bool is_content(const char *name)
{
	static const char *const names[] = {"content-type", "cache-control", "content-disposition",
		"content-encoding", "content-language", "expires"};

	if (starts_with(name, "x-amz-meta-"))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static const char *check_class(struct span value)
{
	static const char *const names[] = {"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",
		"INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR", "OUTPOSTS",
		"EXPRESS_ONEZONE"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (span_is(value, names[i]))
			return NULL;
	return "InvalidStorageClass";
}

static int pair_cmp(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return strcasecmp(x->name.p, y->name.p);
}

/* The default is left away, and a customer's key itself is no attribute. */
static bool is_default(const struct pair *pair)
{
	const char *name = pair->name.p;

	return (strcasecmp(name, "x-amz-storage-class") == 0 && span_is(pair->value, "STANDARD")) ||
	       (strcasecmp(name, "x-amz-acl") == 0 && span_is(pair->value, "private")) ||
	       strcasecmp(name, "x-amz-server-side-encryption-customer-key") == 0;
}

/* Sorted by name and in lower case, so that equal sets intern to one. */
static int add_sorted(struct pair *pairs, size_t count, struct attrs **ret)
{
	struct buf blob = {0};

	qsort(pairs, count, sizeof(*pairs), pair_cmp);
	for (size_t i = 0; i < count; i++) {
		size_t at = blob.len;

		attrs_add(&blob, pairs[i].name, pairs[i].value);
		for (size_t k = 0; !blob.failed && k < pairs[i].name.n; k++)
			blob.p[at + k] = (char)tolower((unsigned char)blob.p[at + k]);
	}
	return attrs_intern(&blob, ret);
}

/* The request's own placement, and content if asked for; returns how many, or an S3 code. */
static const char *take_headers(const struct req *req, bool content, struct pair *pairs, size_t *count)
{
	size_t metadata = 0;

	for (unsigned i = 0; i < req->header_count; i++) {
		const struct pair *header = &req->headers[i];
		const char *name = header->name.p;

		if (!is_placement(name) && !(content && is_content(name)))
			continue;
		if (strcasecmp(name, "x-amz-storage-class") == 0 && check_class(header->value))
			return "InvalidStorageClass";
		if (starts_with(name, "x-amz-meta-"))
			metadata += header->name.n - strlen("x-amz-meta-") + header->value.n;
		if (!is_default(header) && *count < ATTRS_MAX)
			pairs[(*count)++] = *header;
	}
	return metadata > METADATA_MAX ? "MetadataTooLarge" : NULL;
}

const char *meta_of_request(const struct req *req, struct attrs **ret)
{
	struct pair pairs[ATTRS_MAX + 1];
	size_t count = 0;
	const char *code = take_headers(req, true, pairs, &count);

	if (code)
		return code;
	if (!req_header(req, "content-type").p)
		pairs[count++] = (struct pair){span_of("content-type"), span_of("binary/octet-stream")};
	return add_sorted(pairs, count, ret) < 0 ? "InternalError" : NULL;
}

static bool attrs_have_placement(const struct attrs *attrs)
{
	for (const char *name = attrs_next(attrs, NULL); name; name = attrs_next(attrs, name))
		if (is_placement(name))
			return true;
	return false;
}

bool meta_has_placement(const struct req *req)
{
	for (unsigned i = 0; i < req->header_count; i++)
		if (is_placement(req->headers[i].name.p))
			return true;
	return false;
}

const char *meta_of_copy(const struct req *req, struct attrs *source, struct attrs **ret)
{
	struct pair pairs[2 * ATTRS_MAX];
	size_t count = 0;
	const char *code;

	if (!meta_has_placement(req) && !attrs_have_placement(source)) {
		*ret = attrs_ref(source);
		return NULL;
	}
	code = take_headers(req, false, pairs, &count);
	if (code)
		return code;
	for (const char *name = attrs_next(source, NULL); name && count < 2 * ATTRS_MAX;
		name = attrs_next(source, name))
		if (!is_placement(name))
			pairs[count++] = (struct pair){span_of(name), span_of(attrs_value(name))};
	return add_sorted(pairs, count, ret) < 0 ? "InternalError" : NULL;
}

const char *meta_tags(const struct req *req, struct attrs **ret)
{
	struct span text = req_header(req, "x-amz-tagging");
	struct buf blob = {0}, decoded = {0};
	size_t count = 0;

	if (!text.p) {
		*ret = NULL;
		return NULL;
	}
	if (!req->server->config.tagging)
		return "NotImplemented";
	buf_reserve(&decoded, text.n);
	while (text.n && !decoded.failed) {
		const char *end = memchr(text.p, '&', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;
		const char *equals = memchr(text.p, '=', n);
		size_t name_n = equals ? (size_t)(equals - text.p) : n;
		size_t a = uri_decode(decoded.p, (struct span){text.p, name_n}, true), b = 0;

		if (equals)
			b = uri_decode(decoded.p + a, (struct span){equals + 1, n - name_n - 1}, true);
		if (!a || ++count > TAGS_MAX || memchr(decoded.p, '\0', a + b)) {
			buf_release(&blob);
			buf_release(&decoded);
			return "InvalidTag";
		}
		attrs_add(&blob, (struct span){decoded.p, a}, (struct span){decoded.p + a, b});
		text.p += n + (end != NULL);
		text.n -= n + (end != NULL);
	}
	blob.failed |= decoded.failed;
	buf_release(&decoded);
	return attrs_intern(&blob, ret) < 0 ? "InternalError" : NULL;
}

void meta_show(struct req *req, const struct object *object)
{
	for (const char *name = attrs_next(object->attrs, NULL); name; name = attrs_next(object->attrs, name))
		if (!starts_with(name, "x-amz-acl") && !starts_with(name, "x-amz-grant-"))
			reply_header(req, name, attrs_value(name));
}

void meta_show_encryption(struct req *req, const struct attrs *attrs)
{
	for (const char *name = attrs_next(attrs, NULL); name; name = attrs_next(attrs, name))
		if (starts_with(name, "x-amz-server-side-encryption"))
			reply_header(req, name, attrs_value(name));
}

static const char *compare(struct span header, const unsigned char *have, size_t n)
{
	unsigned char want[SHA256_LEN];

	if (base64_decode(header, want, sizeof(want)) != (int)n)
		return "InvalidDigest";
	return memcmp(want, have, n) == 0 ? NULL : "BadDigest";
}

static void big_endian(uint32_t v, unsigned char out[4])
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(v >> (24 - 8 * i));
}

const char *meta_check_digests(const struct req *req, bool *ret_given)
{
	struct span md5 = req_header(req, "content-md5"), sha256 = req_header(req, "x-amz-checksum-sha256"),
		    crc32 = req_header(req, "x-amz-checksum-crc32"),
		    crc32c = req_header(req, "x-amz-checksum-crc32c");
	struct span body = {req->body.p, req->body.len};
	unsigned char digest[SHA256_LEN];
	const char *code = NULL;

	*ret_given = md5.p || sha256.p || crc32.p || crc32c.p || req_header(req, "x-amz-checksum-sha1").p ||
		     req_header(req, "x-amz-checksum-crc64nvme").p;
	if (md5.p) {
		hash_md5(body, digest);
		code = compare(md5, digest, MD5_LEN);
	}
	if (!code && sha256.p) {
		hash_sha256(body, digest);
		code = compare(sha256, digest, SHA256_LEN);
	}
	if (!code && crc32.p) {
		big_endian(hash_crc32(0, body), digest);
		code = compare(crc32, digest, 4);
	}
	if (!code && crc32c.p) {
		big_endian(hash_crc32c(0, body), digest);
		code = compare(crc32c, digest, 4);
	}
	return code;
}

const char *meta_check_upload(const struct req *req)
{
	bool given = false;
	const char *code =
		req->body.len > OBJECT_PUT_MAX ? "EntityTooLarge" : meta_check_digests(req, &given);

	return !code && !given && req->server->config.object_lock ? "InvalidRequest" : code;
}
