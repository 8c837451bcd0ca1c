/* CompleteMultipartUpload, ListParts, ListMultipartUploads. */
#include "tests/s3d/cond.h"
#include "tests/s3d/meta.h"
#include "tests/s3d/multipart.h"
#include "tests/s3d/reply.h"
#include "tests/s3d/xml.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE_MAX 1000

/* The parts named, checked; bodies (lent) in *ret_bodies, MD5 of their MD5s in digest. */
static const char *check_parts(const struct upload *upload, const struct complete_part *named, size_t count,
	struct body **bodies, struct buf *digests)
{
	for (size_t i = 1; i < count; i++)
		if (named[i].number <= named[i - 1].number)
			return "InvalidPartOrder";
	for (size_t i = 0; i < count; i++) {
		const struct part *part = upload_part(upload, named[i].number);
		struct buf etag = {0};
		bool same;

		if (!part)
			return "InvalidPart";
		buf_hex(&etag, part->md5, MD5_LEN);
		same = !etag.failed && strcmp(etag.p, named[i].etag) == 0;
		buf_release(&etag);
		if (!same)
			return "InvalidPart";
		if (i + 1 < count && body_size(part->body) < PART_SIZE_MIN)
			return "EntityTooSmall";
		bodies[i] = part->body;
		buf_put(digests, part->md5, MD5_LEN);
	}
	return digests->failed ? "InternalError" : NULL;
}

static const char *complete(struct req *req, struct upload *upload, struct object **ret)
{
	struct complete_part *named = NULL;
	struct body **bodies = NULL;
	struct buf digests = {0};
	unsigned char md5[MD5_LEN];
	struct content content = {.key = req->key, .attrs = upload->attrs, .tags = upload->tags, .md5 = md5};
	size_t count;
	const char *code = cond_write(req, bucket_find(req->b, req->key));
	int r;

	if (code)
		return code;
	r = xml_complete((struct span){req->body.p, req->body.len}, &named, &count);
	if (r < 0)
		return r == -ENOMEM ? "InternalError" : "MalformedXML";
	bodies = calloc(count, sizeof(struct body *));
	code = bodies ? check_parts(upload, named, count, bodies, &digests) : "InternalError";
	if (code)
		goto out;
	hash_md5((struct span){digests.p, digests.len}, md5);
	content.parts = (unsigned)count;
	content.body = body_concat(bodies, count);
	code = content.body && bucket_put(&req->server->store, req->b, &content, ret) == 0 ? NULL
											   : "InternalError";
out:
	body_unref(content.body);
	buf_release(&digests);
	free(bodies);
	free(named);
	return code;
}

void op_complete(struct req *req)
{
	struct upload *upload = multipart_find(req);
	struct object *object;
	const char *code;
	struct buf *b;

	if (!upload)
		return;
	code = complete(req, upload, &object);
	if (code) {
		reply_error(req, code);
		return;
	}
	upload_remove(&req->server->store, upload);
	b = reply_xml(req, "CompleteMultipartUploadResult");
	xml_text(b, "Location", (struct span){req->raw, strcspn(req->raw, "?")});
	xml_text(b, "Bucket", span_of(req->b->name));
	xml_text(b, "Key", req->key);
	xml_etag(b, req, object->md5, object->parts);
	buf_str(b, "</CompleteMultipartUploadResult>");
	reply_version(req, "x-amz-version-id", object->version);
	meta_show_encryption(req, object->attrs);
}

void op_list_parts(struct req *req)
{
	struct upload *upload = multipart_find(req);
	uint64_t max = PAGE_MAX, marker = 0, shown = 0, last = 0;
	size_t i = 0;
	struct buf *b;

	if (!upload)
		return;
	if (req_param_number(req, "max-parts", &max) == -EINVAL ||
		req_param_number(req, "part-number-marker", &marker) == -EINVAL) {
		reply_error(req, "InvalidArgument");
		return;
	}
	if (max > PAGE_MAX)
		max = PAGE_MAX;
	b = reply_xml(req, "ListPartsResult");
	xml_text(b, "Bucket", span_of(req->b->name));
	xml_text(b, "Key", req->key);
	xml_text(b, "UploadId", span_of(upload->id));
	xml_number(b, "PartNumberMarker", marker);
	xml_number(b, "MaxParts", max);
	while (i < upload->part_count && upload->parts[i].number <= marker)
		i++;
	for (; i < upload->part_count && shown < max; i++, shown++) {
		const struct part *part = &upload->parts[i];

		buf_str(b, "<Part>");
		xml_number(b, "PartNumber", part->number);
		xml_time(b, "LastModified", part->mtime);
		xml_etag(b, req, part->md5, 0);
		xml_number(b, "Size", body_size(part->body));
		buf_str(b, "</Part>");
		last = part->number;
	}
	xml_text(b, "IsTruncated", span_of(i < upload->part_count ? "true" : "false"));
	if (i < upload->part_count)
		xml_number(b, "NextPartNumberMarker", last);
	buf_str(b, "</ListPartsResult>");
}

static struct span upload_key(const struct upload *upload)
{
	return (struct span){upload->key.p, upload->key.len};
}

static int upload_cmp(const void *a, const void *b)
{
	const struct upload *x = *(struct upload *const *)a, *y = *(struct upload *const *)b;
	int c = span_cmp(upload_key(x), upload_key(y));

	return c ? c : strcmp(x->id, y->id);
}

/* Whether an upload lies behind key-marker and upload-id-marker. */
static bool behind(const struct req *req, const struct upload *upload)
{
	struct span key = req_param(req, "key-marker"), id = req_param(req, "upload-id-marker");
	int c;

	if (!key.p || !key.n)
		return true;
	c = span_cmp(upload_key(upload), key);
	return c > 0 || (c == 0 && id.n && span_cmp(span_of(upload->id), id) > 0);
}

/* Uploads of this bucket below the prefix, behind the markers, in order; free() *ret. */
static int gather(const struct req *req, struct upload ***ret, size_t *ret_count)
{
	struct span prefix = req_param(req, "prefix");
	struct upload **list, *upload;
	size_t count = 0;

	for (upload = req->server->store.uploads; upload; upload = upload->next)
		count++;
	list = calloc(count + 1, sizeof(struct upload *));
	if (!list)
		return -ENOMEM;
	count = 0;
	for (upload = req->server->store.uploads; upload; upload = upload->next)
		if (strcmp(upload->bucket, req->b->name) == 0 && span_starts(upload_key(upload), prefix) &&
			behind(req, upload))
			list[count++] = upload;
	qsort(list, count, sizeof(struct upload *), upload_cmp);
	*ret = list;
	*ret_count = count;
	return 0;
}

static void put_key(struct req *req, struct buf *b, const char *element, struct span key)
{
	if (span_is(req_param(req, "encoding-type"), "url") && req->server->config.encoding_type) {
		buf_printf(b, "<%s>", element);
		buf_uri(b, key, "/");
		buf_printf(b, "</%s>", element);
	} else {
		xml_text(b, element, key);
	}
}

void op_list_uploads(struct req *req)
{
	uint64_t max = PAGE_MAX;
	struct upload **list;
	size_t count, shown;
	struct buf *b;

	if (req_param_number(req, "max-uploads", &max) == -EINVAL || gather(req, &list, &count) < 0) {
		reply_error(req, "InvalidArgument");
		return;
	}
	shown = max < PAGE_MAX ? (size_t)max : PAGE_MAX;
	shown = shown < count ? shown : count;
	b = reply_xml(req, "ListMultipartUploadsResult");
	xml_text(b, "Bucket", span_of(req->b->name));
	xml_number(b, "MaxUploads", max < PAGE_MAX ? max : PAGE_MAX);
	xml_text(b, "IsTruncated", span_of(shown < count ? "true" : "false"));
	if (shown && shown < count) {
		put_key(req, b, "NextKeyMarker", upload_key(list[shown - 1]));
		xml_text(b, "NextUploadIdMarker", span_of(list[shown - 1]->id));
	}
	for (size_t i = 0; i < shown; i++) {
		buf_str(b, "<Upload>");
		put_key(req, b, "Key", upload_key(list[i]));
		xml_text(b, "UploadId", span_of(list[i]->id));
		xml_text(b, "StorageClass",
			span_of(attrs_get(list[i]->attrs, "x-amz-storage-class")
					? attrs_get(list[i]->attrs, "x-amz-storage-class")
					: "STANDARD"));
		xml_time(b, "Initiated", list[i]->initiated);
		buf_str(b, "</Upload>");
	}
	buf_str(b, "</ListMultipartUploadsResult>");
	free(list);
}
