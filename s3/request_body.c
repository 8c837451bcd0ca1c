#include <errno.h>
#include "s3/parts.h"
#include "s3/request_internal.h"

static int add_parts(struct buf *body, const struct s3_part *parts, size_t count)
{
	unsigned last = 0;

	if (count == 0 || count > PARTS_MAX)
		return -EINVAL;
	buf_add_text(body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (size_t i = 0; i < count; i++) {
		const struct s3_part *part = &parts[i];
		int error;

		if (part->number <= last || part->number > PARTS_MAX || part->etag[0] == '\0')
			return -EINVAL;
		last = part->number;
		buf_add_text(body, "<Part><ETag>&quot;");
		error = key_xml(body, str_of(part->etag));
		if (error)
			return error;
		buf_add_text(body, "&quot;</ETag>");
		if (part->sha256[0])
			buf_addf(body, "<ChecksumSHA256>%s</ChecksumSHA256>", part->sha256);
		buf_add_text(body, "<PartNumber>");
		buf_add_uint(body, part->number);
		buf_add_text(body, "</PartNumber></Part>");
	}
	return buf_add_text(body, "</CompleteMultipartUpload>");
}

int build_body(struct builder *builder)
{
	const struct s3_request *request = builder->request;
	struct s3_wire *wire = builder->wire;
	int error = 0;

	if (builder->flags & SENDS_UPLOAD) {
		wire->upload = true;
		wire->body_length = request->body_length;
		return 0;
	}
	if (request->op == S3_COMPLETE_UPLOAD)
		error = add_parts(&wire->body, request->parts, request->part_count);
	else if (request->op == S3_DELETE_OBJECTS)
		error = request->body.len ? buf_add_str(&wire->body, request->body) : -EINVAL;
	wire->body_length = wire->body.len;
	return error;
}
