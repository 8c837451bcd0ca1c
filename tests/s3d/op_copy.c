/* CopyObject, and what it shares with UploadPartCopy. */
#include "tests/s3d/auth.h"
#include "tests/s3d/cond.h"
#include "tests/s3d/meta.h"
#include "tests/s3d/object.h"
#include "tests/s3d/reply.h"

#include <stdlib.h>

/* [/]bucket/key[?versionId=], percent-encoded; a + means a space here, as AWS reads it. */
static const char *parse_source(struct req *req, struct copy_source *source)
{
	struct span text = req_header(req, "x-amz-copy-source");
	const char *question = memchr(text.p, '?', text.n), *slash;
	size_t n;

	if (question && memmem(question, text.n - (size_t)(question - text.p), "versionId=", 10))
		return "NotImplemented";
	if (question)
		text.n = (size_t)(question - text.p);
	source->name = malloc(text.n + 1);
	if (!source->name)
		return "InternalError";
	n = uri_decode(source->name, text, true);
	source->bucket = (struct span){source->name, n};
	if (n && source->name[0] == '/')
		source->bucket = (struct span){source->name + 1, n - 1};
	slash = memchr(source->bucket.p, '/', source->bucket.n);
	if (!slash || slash == source->bucket.p || slash + 1 == source->name + n)
		return "InvalidArgument";
	source->key = (struct span){slash + 1, (size_t)(source->name + n - slash - 1)};
	source->bucket.n = (size_t)(slash - source->bucket.p);
	return NULL;
}

const char *copy_source_find(struct req *req, struct copy_source *source)
{
	const char *code = parse_source(req, source);
	struct bucket *bucket;

	if (code)
		return code;
	bucket = store_bucket(&req->server->store, source->bucket);
	if (!bucket)
		return "NoSuchBucket";
	if (!auth_allows(req, source->bucket))
		return "AccessDenied";
	source->object = bucket_find(bucket, source->key);
	if (!source->object)
		return "NoSuchKey";
	if (req->server->config.strict_parts && source->object->parts &&
		req_header(req, "x-amz-copy-source-if-match").p)
		return "PreconditionFailed";
	if (req->server->config.conditional_copy && cond_read(req, source->object, "x-amz-copy-source-"))
		return "PreconditionFailed";
	return object_is_archived(source->object) ? "InvalidObjectState" : NULL;
}

void copy_source_release(struct copy_source *source)
{
	free(source->name);
	*source = (struct copy_source){0};
}

static bool replaces(const struct req *req, const char *header)
{
	return span_is(req_header(req, header), "REPLACE");
}

static bool is_pointless(const struct req *req, const struct copy_source *source)
{
	return span_cmp(source->bucket, req->bucket) == 0 && span_cmp(source->key, req->key) == 0 &&
	       !replaces(req, "x-amz-metadata-directive") && !meta_has_placement(req);
}

/* Attributes and tags of the new object; references in content. */
static const char *prepare(struct req *req, const struct copy_source *source, struct content *content)
{
	const char *code;

	if (replaces(req, "x-amz-metadata-directive"))
		code = meta_of_request(req, &content->attrs);
	else
		code = meta_of_copy(req, source->object->attrs, &content->attrs);
	if (code)
		return code;
	if (replaces(req, "x-amz-tagging-directive"))
		return meta_tags(req, &content->tags);
	content->tags = attrs_ref(source->object->tags);
	return NULL;
}

static const char *copy(
	struct req *req, const struct copy_source *source, struct content *content, struct object **ret)
{
	const struct object *from = source->object;
	const char *code;

	if (body_size(from->body) > OBJECT_PUT_MAX || is_pointless(req, source))
		return "InvalidRequest";
	code = cond_write(req, bucket_find(req->b, req->key));
	if (!code)
		code = prepare(req, source, content);
	if (code)
		return code;
	content->body = body_ref(from->body);
	/* The copy is one part: an ETag md5-N becomes the MD5 of the whole, and so does one that is no MD5. */
	content->md5 = from->parts || attrs_are_sealed(from->attrs) ? NULL : from->md5;
	return bucket_put(&req->server->store, req->b, content, ret) < 0 ? "InternalError" : NULL;
}

void op_copy(struct req *req)
{
	struct content content = {.key = req->key};
	struct copy_source source = {0};
	struct object *object = NULL;
	uint64_t source_version = 0;
	const char *code = copy_source_find(req, &source);
	struct buf *b;

	if (!code) {
		source_version = source.object->version;
		code = copy(req, &source, &content, &object);
	}
	if (code) {
		reply_error_says(req, code,
			strcmp(code, "InvalidRequest") != 0 ? error_message(code)
			: is_pointless(req, &source) ? "This copy request is illegal because it is trying to "
						       "copy an object to itself without "
						       "changing the object's metadata, storage class, "
						       "website redirect location or "
						       "encryption attributes."
						     : "The specified copy source is larger than the maximum "
						       "allowable size for a copy "
						       "source: 5368709120");
	} else {
		b = reply_xml(req, "CopyObjectResult");
		xml_modified(b, req, object);
		xml_etag(b, req, object->md5, object->parts);
		buf_str(b, "</CopyObjectResult>");
		reply_version(req, "x-amz-version-id", object->version);
		reply_version(req, "x-amz-copy-source-version-id", source_version);
		meta_show_encryption(req, content.attrs);
	}
	copy_source_release(&source);
	body_unref(content.body);
	attrs_unref(content.attrs);
	attrs_unref(content.tags);
}
