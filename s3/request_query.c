#include <errno.h>
#include "s3/request_internal.h"

/* Parameters are added in the order of their names, so that the query is canonical without being sorted (AWS,
 * "Create a canonical request": by code point of the encoded name, so upper case before lower). */
static void add_name(struct builder *builder, const char *name)
{
	struct buf *query = &builder->wire->query;

	if (query->len)
		buf_add_char(query, '&');
	buf_add_text(query, name);
	buf_add_char(query, '=');
}

static void add_text(struct builder *builder, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	add_name(builder, name);
	key_encode(&builder->wire->query, value, false);
}

static void add_number(struct builder *builder, const char *name, unsigned value)
{
	add_name(builder, name);
	buf_add_uint(&builder->wire->query, value);
}

static unsigned page_size(const struct s3_request *request)
{
	return request->max_keys ? request->max_keys : 1000;
}

static void add_listing(struct builder *builder)
{
	const struct s3_request *r = builder->request;

	add_text(builder, "continuation-token", r->token);
	add_text(builder, "delimiter", r->delimiter);
	add_text(builder, "encoding-type", STR("url"));
	add_number(builder, "list-type", 2);
	add_number(builder, "max-keys", page_size(r));
	add_text(builder, "prefix", r->prefix);
	add_text(builder, "start-after", r->start_after);
}

static void add_upload_listing(struct builder *builder)
{
	const struct s3_request *r = builder->request;

	add_text(builder, "delimiter", r->delimiter);
	add_text(builder, "encoding-type", STR("url"));
	add_text(builder, "key-marker", r->start_after);
	add_number(builder, "max-uploads", page_size(r));
	add_text(builder, "prefix", r->prefix);
	add_text(builder, "upload-id-marker", r->token);
	add_name(builder, "uploads");
}

int build_query(struct builder *builder)
{
	const struct s3_request *r = builder->request;

	switch (r->op) {
	case S3_LIST_BUCKETS:
		/* AWS refuses an account of over 10,000 buckets the list without them; others know
		 * neither. */
		add_text(builder, "continuation-token", r->token);
		if (builder->target->endpoint->aws)
			add_number(builder, "max-buckets", page_size(r));
		break;
	case S3_LIST_OBJECTS:
		add_listing(builder);
		break;
	case S3_LIST_UPLOADS:
		add_upload_listing(builder);
		break;
	case S3_CREATE_UPLOAD:
		add_name(builder, "uploads");
		break;
	case S3_DELETE_OBJECTS:
		add_name(builder, "delete");
		break;
	case S3_GET_TAGGING:
		add_name(builder, "tagging");
		break;
	case S3_HEAD_BUCKET:
		if (!r->ask_why)
			break;
		add_number(builder, "list-type", 2);
		add_number(builder, "max-keys", 1);
		break;
	default:
		if (builder->flags & NEED_PART)
			add_number(builder, "partNumber", r->part_number);
		if (builder->flags & NEED_UPLOAD)
			add_text(builder, "uploadId", r->upload_id);
		if (builder->flags & TAKES_VERSION)
			add_text(builder, "versionId", r->version_id);
	}
	return builder->wire->query.error;
}
