/* Object tagging. */
#include "tests/s3d/reply.h"
#include "tests/s3d/xml.h"

#include <errno.h>

static struct object *tagged_object(struct req *req)
{
	struct object *object = NULL;

	if (!req->server->config.tagging)
		reply_error(req, "NotImplemented");
	else if (!(object = bucket_find(req->b, req->key)))
		reply_error(req, "NoSuchKey");
	return object;
}

void op_get_tagging(struct req *req)
{
	struct object *object = tagged_object(req);
	struct buf *b;

	if (!object)
		return;
	b = reply_xml(req, "Tagging");
	buf_str(b, "<TagSet>");
	for (const char *name = attrs_next(object->tags, NULL); name; name = attrs_next(object->tags, name)) {
		buf_str(b, "<Tag>");
		xml_text(b, "Key", span_of(name));
		xml_text(b, "Value", span_of(attrs_value(name)));
		buf_str(b, "</Tag>");
	}
	buf_str(b, "</TagSet></Tagging>");
	reply_version(req, "x-amz-version-id", object->version);
}

void op_put_tagging(struct req *req)
{
	struct object *object = tagged_object(req);
	struct attrs *tags = NULL;
	struct buf blob = {0};
	int r;

	if (!object)
		return;
	r = xml_tagging((struct span){req->body.p, req->body.len}, &blob);
	if (r < 0) {
		buf_release(&blob);
		reply_error(req, r == -ENOMEM ? "InternalError" : "MalformedXML");
		return;
	}
	if (attrs_intern(&blob, &tags) < 0) {
		reply_error(req, "InternalError");
		return;
	}
	object_set_tags(object, tags);
	req->reply.status = 200;
	reply_version(req, "x-amz-version-id", object->version);
}

void op_delete_tagging(struct req *req)
{
	struct object *object = tagged_object(req);

	if (!object)
		return;
	object_set_tags(object, NULL);
	req->reply.status = 204;
}
