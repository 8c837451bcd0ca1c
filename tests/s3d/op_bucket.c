/* Operations on buckets as such. */
#include "tests/s3d/auth.h"
#include "tests/s3d/reply.h"
#include "tests/s3d/xml.h"

#include <errno.h>

void op_list_buckets(struct req *req)
{
	const struct store *store = &req->server->store;
	struct buf *b = reply_xml(req, "ListAllMyBucketsResult");

	buf_str(b, "<Owner><ID>s3d</ID><DisplayName>s3d</DisplayName></Owner><Buckets>");
	for (size_t i = 0; i < store->bucket_count; i++) {
		const struct bucket *bucket = store->buckets[i];

		if (!auth_allows(req, span_of(bucket->name)))
			continue;
		buf_str(b, "<Bucket>");
		xml_text(b, "Name", span_of(bucket->name));
		xml_time(b, "CreationDate", bucket->created);
		buf_str(b, "</Bucket>");
	}
	buf_str(b, "</Buckets></ListAllMyBucketsResult>");
}

void op_create_bucket(struct req *req)
{
	struct buf region = {0};
	struct bucket *bucket;
	int r = 0;

	if (req->body.len)
		r = xml_location((struct span){req->body.p, req->body.len}, &region);
	if (r == 0)
		r = store_create(
			&req->server->store, req->bucket, (struct span){region.p, region.len}, &bucket);
	else if (r == -EINVAL)
		r = -EBADMSG;
	buf_release(&region);
	if (r < 0) {
		reply_error(req, r == -EEXIST	 ? "BucketAlreadyOwnedByYou"
				 : r == -EINVAL	 ? "InvalidBucketName"
				 : r == -EBADMSG ? "MalformedXML"
						 : "InternalError");
		return;
	}
	req->reply.status = 200;
	reply_header(req, "Location", req->raw);
}

void op_delete_bucket(struct req *req)
{
	if (store_remove(&req->server->store, req->b) < 0)
		reply_error(req, "BucketNotEmpty");
	else
		req->reply.status = 204;
}

void op_head_bucket(struct req *req)
{
	req->reply.status = 200;
	reply_header(req, "x-amz-bucket-region", server_region(req->server, req->b));
}

void op_get_location(struct req *req)
{
	const char *region = server_region(req->server, req->b);
	struct buf *b = reply_xml(req, "LocationConstraint");

	/* AWS answers an empty element for us-east-1. */
	if (strcmp(region, "us-east-1") != 0)
		buf_xml(b, span_of(region));
	buf_str(b, "</LocationConstraint>");
}

void op_get_versioning(struct req *req)
{
	struct buf *b = reply_xml(req, "VersioningConfiguration");

	if (req->server->store.versioning)
		xml_text(b, "Status", span_of("Enabled"));
	buf_str(b, "</VersioningConfiguration>");
}
