#include <errno.h>

#include "s3/answer_internal.h"
#include "s3/when.h"

/* ---- <Error> ---- */

static int error_close(struct answer_parser *parser, const struct xml_text *text)
{
	struct s3_answer *answer = parser->answer;
	if (xml_depth(parser->xml) != 2 || !text->text.data)
		return 0;
	switch (xml_name(parser->xml, 2)) {
	case EL_CODE:
		answer_cut(text->text, answer->error.code, sizeof(answer->error.code));
		break;
	case EL_MESSAGE:
		answer_cut(text->text, answer->error.message, sizeof(answer->error.message));
		break;
	case EL_REQUEST_ID:
		if (answer->request_id[0] == '\0')
			answer_cut(text->text, answer->request_id, sizeof(answer->request_id));
		break;
	case EL_REGION:
		if (answer->region[0] == '\0' && answer_region_ok(text->text))
			answer_cut(text->text, answer->region, sizeof(answer->region));
		break;
	default:
		break;
	}
	return 0;
}

static int error_end(struct answer_parser *parser)
{
	/* An error that comes with 200 and has no name must not look like a success. */
	struct s3_error *error = &parser->answer->error;
	if (error->code[0] == '\0' && answer_is_success(parser->answer))
		answer_cut(STR("UnknownError"), error->code, sizeof(error->code));
	return 0;
}

const struct answer_document answer_error_document = {.close = error_close, .end = error_end};

/* ---- CopyObjectResult, CopyPartResult, CompleteMultipartUploadResult ---- */

static int etag_close(struct answer_parser *parser, const struct xml_text *text)
{
	struct s3_answer *answer = parser->answer;
	if (xml_depth(parser->xml) != 2)
		return 0;
	int error = 0;
	if (xml_name(parser->xml, 2) == EL_ETAG) {
		error = answer_text(text);
		/* An undo recognises the copy by this ETag: one that can't be used in a request is none. */
		if (error == 0)
			error = answer_take(text->text, answer->etag, sizeof(answer->etag));
		parser->has_etag = answer->etag[0] != '\0';
	} else if (xml_name(parser->xml, 2) == EL_LAST_MODIFIED) {
		if (answer_text(text) != 0 || when_parse(text->text, &answer->mtime, NULL) != 0)
			answer->mtime = 0;
	}
	return error;
}

static int copy_end(struct answer_parser *parser)
{
	return parser->has_etag ? 0 : -EBADMSG;
}

static const struct answer_document copy_document = {.close = etag_close, .end = copy_end};
/* Ceph 16 answers a completed upload with an empty ETag (measured). */
static const struct answer_document complete_document = {.close = etag_close};

/* ---- InitiateMultipartUploadResult ---- */

static int initiate_close(struct answer_parser *parser, const struct xml_text *text)
{
	if (xml_depth(parser->xml) != 2 || xml_name(parser->xml, 2) != EL_UPLOAD_ID)
		return 0;
	int error = answer_text(text);
	if (error != 0)
		return error;
	return answer_take(text->text, parser->answer->upload_id, sizeof(parser->answer->upload_id));
}

static int initiate_end(struct answer_parser *parser)
{
	return parser->answer->upload_id[0] != '\0' ? 0 : -EBADMSG;
}

static const struct answer_document initiate_document = {.close = initiate_close, .end = initiate_end};

/* ---- DeleteResult ---- */

static int delete_open(struct answer_parser *parser)
{
	if (xml_depth(parser->xml) != 2)
		return 0;
	parser->has_key = false;
	buf_clear(&parser->key);
	parser->code[0] = '\0';
	return 0;
}

static int delete_field(struct answer_parser *parser, const struct xml_text *text)
{
	switch (xml_name(parser->xml, 3)) {
	case EL_KEY:
		/* Lost, or there twice: no key of the set.  The one that was meant stays without a result,
		 * and so has failed. */
		if (answer_text(text) != 0 || parser->has_key) {
			parser->has_key = true;
			buf_clear(&parser->key);
			return 0;
		}
		parser->has_key = true;
		return buf_add_str(&parser->key, text->text);
	case EL_CODE:
		if (text->text.data)
			answer_cut(text->text, parser->code, sizeof(parser->code));
		return 0;
	default:
		return 0;
	}
}

static int delete_close(struct answer_parser *parser, const struct xml_text *text)
{
	if (xml_depth(parser->xml) == 3)
		return delete_field(parser, text);
	if (xml_depth(parser->xml) != 2 || parser->key.len == 0 || !parser->sinks.deletes)
		return 0;
	struct str code = STR_NONE;
	switch (xml_name(parser->xml, 2)) {
	case EL_DELETED:
		break;
	case EL_ERROR:
		code = parser->code[0] != '\0' ? str_of(parser->code) : STR("UnknownError");
		break;
	default:
		return 0;
	}
	/* A key that is not in the set (one that was written with a raw CR, say) belongs to no entry; a key
	 * that was asked for and is not answered has failed. */
	delete_set_result(parser->sinks.deletes, buf_str(&parser->key), code);
	return 0;
}

static const struct answer_document delete_document = {.open = delete_open, .close = delete_close};

/* ---- Tagging ---- */

static int tag_open(struct answer_parser *parser)
{
	if (!answer_at(parser, 3, EL_TAG_SET))
		return 0;
	parser->has_key = false;
	parser->has_value = false;
	buf_clear(&parser->key);
	buf_clear(&parser->value);
	return 0;
}

static int tag_field(struct answer_parser *parser, const struct xml_text *text)
{
	int name = xml_name(parser->xml, 4);
	if (name != EL_KEY && name != EL_VALUE)
		return 0;
	bool *has = name == EL_KEY ? &parser->has_key : &parser->has_value;
	int error = *has ? -EBADMSG : answer_text(text);
	if (error != 0)
		return error;
	*has = true;
	return buf_add_str(name == EL_KEY ? &parser->key : &parser->value, text->text);
}

static int tag_close(struct answer_parser *parser, const struct xml_text *text)
{
	if (answer_at(parser, 4, EL_TAG) && xml_name(parser->xml, 2) == EL_TAG_SET)
		return tag_field(parser, text);
	if (!answer_at(parser, 3, EL_TAG_SET) || xml_name(parser->xml, 3) != EL_TAG)
		return 0;
	if (!parser->has_key || parser->key.len == 0)
		return -EBADMSG;
	struct buf *tags = parser->sinks.tags;
	if (!tags)
		return 0;
	if (tags->len > 0)
		buf_add_char(tags, '&');
	key_encode(tags, buf_str(&parser->key), false);
	buf_add_char(tags, '=');
	key_encode(tags, buf_str(&parser->value), false);
	return tags->error == -EOVERFLOW ? -EBADMSG : tags->error;
}

static const struct answer_document tag_document = {.open = tag_open, .close = tag_close};

/* ---- which document has which reader ---- */

const struct answer_document *answer_document_for(enum s3_op op, enum answer_element root)
{
	switch (op) {
	case S3_LIST_BUCKETS:
		return root == EL_LIST_BUCKETS_RESULT ? &answer_buckets_document : NULL;
	case S3_LIST_OBJECTS:
		return root == EL_LIST_BUCKET_RESULT ? &answer_objects_document : NULL;
	case S3_LIST_UPLOADS:
		return root == EL_LIST_UPLOADS_RESULT ? &answer_uploads_document : NULL;
	case S3_COPY_OBJECT:
	case S3_COPY_PART:
		/* servers exist that name one like the other */
		return root == EL_COPY_OBJECT_RESULT || root == EL_COPY_PART_RESULT ? &copy_document : NULL;
	case S3_CREATE_UPLOAD:
		return root == EL_INITIATE_RESULT ? &initiate_document : NULL;
	case S3_COMPLETE_UPLOAD:
		return root == EL_COMPLETE_RESULT ? &complete_document : NULL;
	case S3_DELETE_OBJECTS:
		return root == EL_DELETE_RESULT ? &delete_document : NULL;
	case S3_GET_TAGGING:
		return root == EL_TAGGING ? &tag_document : NULL;
	default:
		return NULL;
	}
}
