/*
 * The course of one answer:
 *
 *   answer_parser_begin    everything is reset; body == BODY_UNKNOWN
 *   answer_parser_header   answer_header.c fills the answer
 *   first byte of a body,  status, op and headers decide which body this is (start_body), whether it may be
 *   or the end             one at all
 *   BODY_DATA              goes to on_data, never more than Content-Length or the asked range has
 *   BODY_XML, BODY_MAYBE,  go through xml; the root element chooses the reader (answer_document)
 *   BODY_FAILURE
 *   BODY_IGNORED           an error text past its bound, or a proxy's: the status alone speaks, for a while
 *   answer_parser_end      a needed document must be whole, and its reader content with it
 *
 * `error` is the first failure; nothing is read after it.
 */
#include "s3/answer.h"

#include <errno.h>
#include <stdlib.h>

#include "s3/answer_internal.h"

enum {
	LIST_BYTES_MAX = 16 << 20, /* 1,000 keys of 1,024 bytes, each percent-encoded, have 3 MiB */
	XML_BYTES_MAX = 1 << 20,
	ERROR_BYTES_MAX = 64 << 10,
};

static const char *const element_names[EL_COUNT] = {
	[EL_KEY] = "Key",
	[EL_LAST_MODIFIED] = "LastModified",
	[EL_ETAG] = "ETag",
	[EL_SIZE] = "Size",
	[EL_STORAGE_CLASS] = "StorageClass",
	[EL_CONTENTS] = "Contents",
	[EL_PREFIX] = "Prefix",
	[EL_COMMON_PREFIXES] = "CommonPrefixes",
	[EL_DELETED] = "Deleted",
	[EL_ERROR] = "Error",
	[EL_CODE] = "Code",
	[EL_MESSAGE] = "Message",
	[EL_REQUEST_ID] = "RequestId",
	[EL_REGION] = "Region",
	[EL_COPY_OBJECT_RESULT] = "CopyObjectResult",
	[EL_COPY_PART_RESULT] = "CopyPartResult",
	[EL_DELETE_RESULT] = "DeleteResult",
	[EL_LIST_BUCKET_RESULT] = "ListBucketResult",
	[EL_IS_TRUNCATED] = "IsTruncated",
	[EL_NEXT_TOKEN] = "NextContinuationToken",
	[EL_ENCODING_TYPE] = "EncodingType",
	[EL_INITIATE_RESULT] = "InitiateMultipartUploadResult",
	[EL_UPLOAD_ID] = "UploadId",
	[EL_COMPLETE_RESULT] = "CompleteMultipartUploadResult",
	[EL_LIST_BUCKETS_RESULT] = "ListAllMyBucketsResult",
	[EL_BUCKETS] = "Buckets",
	[EL_BUCKET] = "Bucket",
	[EL_NAME] = "Name",
	[EL_CREATION_DATE] = "CreationDate",
	[EL_TOKEN] = "ContinuationToken",
	[EL_LIST_UPLOADS_RESULT] = "ListMultipartUploadsResult",
	[EL_UPLOAD] = "Upload",
	[EL_INITIATED] = "Initiated",
	[EL_NEXT_KEY_MARKER] = "NextKeyMarker",
	[EL_NEXT_UPLOAD_MARKER] = "NextUploadIdMarker",
	[EL_TAGGING] = "Tagging",
	[EL_TAG_SET] = "TagSet",
	[EL_TAG] = "Tag",
	[EL_VALUE] = "Value",
};

/* ---- the xml handler ---- */

static int on_root(struct answer_parser *parser, int root)
{
	if (root == EL_ERROR)
		parser->document = &answer_error_document;
	else if (parser->body == BODY_XML && root != XML_OTHER)
		parser->document = answer_document_for(parser->request->op, (enum answer_element)root);
	/* A page of a proxy, say: that it came with 200 does not make it S3's word. */
	return !parser->document ? -EBADMSG : 0;
}

static int on_open(void *user, struct xml *xml)
{
	struct answer_parser *parser = user;
	if (xml_depth(xml) == 1)
		return on_root(parser, xml_name(xml, 1));
	return !parser->document->open ? 0 : parser->document->open(parser);
}

static int on_close(void *user, struct xml *xml, const struct xml_text *text)
{
	struct answer_parser *parser = user;
	return xml_depth(xml) == 1 ? 0 : parser->document->close(parser, text);
}

static const struct xml_handler handler = {.on_open = on_open, .on_close = on_close};

/* ---- life-cycle ---- */

int answer_parser_new(struct answer_parser **ret)
{
	struct answer_parser *parser = calloc(1, sizeof(*parser));
	if (!parser)
		return -ENOMEM;
	buf_init(&parser->key, XML_TEXT_MAX);
	buf_init(&parser->value, XML_TEXT_MAX);
	int error = xml_new(element_names, EL_COUNT, &handler, parser, &parser->xml);
	if (error != 0) {
		free(parser);
		return error;
	}
	*ret = parser;
	return 0;
}

void answer_parser_free(struct answer_parser *parser)
{
	if (!parser)
		return;
	xml_free(parser->xml);
	buf_release(&parser->key);
	buf_release(&parser->value);
	free(parser);
}

static void clear_sinks(const struct answer_parser *parser)
{
	const struct s3_sinks *sinks = &parser->sinks;
	switch (parser->request->op) {
	case S3_LIST_BUCKETS:
	case S3_LIST_OBJECTS:
	case S3_LIST_UPLOADS:
		if (sinks->page)
			page_clear(sinks->page);
		break;
	case S3_DELETE_OBJECTS:
		if (sinks->deletes)
			delete_set_retry(sinks->deletes);
		break;
	case S3_HEAD_OBJECT:
	case S3_GET_OBJECT:
		if (sinks->headers)
			headers_clear(sinks->headers);
		break;
	case S3_GET_TAGGING:
		if (sinks->tags)
			buf_clear(sinks->tags);
		break;
	default:
		break;
	}
}

/* Not an assignment: the texts have 3 KiB of bytes behind their end, and every answer begins twice. */
static void clear_answer(struct s3_answer *answer)
{
	answer->status = 0;
	answer->of_s3 = false;
	answer->error.code[0] = '\0';
	answer->error.message[0] = '\0';
	answer->request_id[0] = '\0';
	answer->region[0] = '\0';
	answer->date = 0;
	answer->retry_after = -1;
	answer->etag[0] = '\0';
	answer->etag_is_opaque = false;
	answer->version_id[0] = '\0';
	answer->storage_class[0] = '\0';
	answer->size = 0;
	answer->content_length = UINT64_MAX;
	answer->range_start = 0;
	answer->mtime = 0;
	answer->tag_count = 0;
	answer->tag_count_known = false;
	answer->upload_id[0] = '\0';
}

void answer_parser_begin(struct answer_parser *parser, const struct s3_request *request,
	struct s3_answer *answer, const struct s3_sinks *sinks)
{
	clear_answer(answer);
	parser->request = request;
	parser->answer = answer;
	parser->sinks = sinks ? *sinks : (struct s3_sinks){0};
	parser->document = NULL;
	parser->body = BODY_UNKNOWN;
	parser->error = 0;
	parser->received = 0;
	parser->has_content_range = false;
	parser->marked = false;
	parser->type[0] = '\0';
	parser->location[0] = '\0';
	parser->retry_at = 0;
	parser->has_etag = false;
	parser->has_etag_header = false;
	parser->entry = NULL;
	parser->encoded = false;
	xml_begin(parser->xml);
	clear_sinks(parser);
}

/* ---- bodies ---- */

static bool is_listing(enum s3_op op)
{
	/* The answer to DeleteObjects names every key, and has an error text for each in the worst case. */
	return op == S3_LIST_BUCKETS || op == S3_LIST_OBJECTS || op == S3_LIST_UPLOADS ||
	       op == S3_DELETE_OBJECTS;
}

static enum answer_body success_body(enum s3_op op)
{
	switch (op) {
	case S3_HEAD_BUCKET:
	case S3_HEAD_OBJECT:
		return BODY_NONE;
	case S3_GET_OBJECT:
		return BODY_DATA;
	case S3_PUT_OBJECT:
	case S3_UPLOAD_PART:
	case S3_ABORT_UPLOAD:
	case S3_DELETE_OBJECT:
		return BODY_MAYBE;
	default:
		return BODY_XML;
	}
}

/* The headers are complete: may a body follow, and which? */
static int start_body(struct answer_parser *parser)
{
	const struct s3_answer *answer = parser->answer;
	if (answer->status < 200)
		return -EBADMSG;
	if (answer_is_success(answer))
		parser->body = success_body(parser->request->op);
	else
		parser->body = BODY_FAILURE;
	return answer_headers_end(parser);
}

static int take_data(struct answer_parser *parser, const char *data, size_t len)
{
	const struct s3_request *request = parser->request;
	const struct s3_answer *answer = parser->answer;
	if (answer->content_length != UINT64_MAX && parser->received > answer->content_length)
		return -EBADMSG;
	if (request->range_length > 0 && parser->received > request->range_length)
		return -EBADMSG;
	return !parser->sinks.on_data ? 0 : parser->sinks.on_data(parser->sinks.user, data, len);
}

static int take_xml(struct answer_parser *parser, const char *data, size_t len)
{
	uint64_t max = is_listing(parser->request->op) ? LIST_BYTES_MAX : XML_BYTES_MAX;
	if (parser->received > max)
		return -EBADMSG;
	return xml_feed(parser->xml, data, len);
}

/* Fails only for want of memory, or for a body without end: a text that is no error document says nothing. */
static int take_failure(struct answer_parser *parser, const char *data, size_t len)
{
	uint64_t before = parser->received - len;
	bool whole = parser->received <= ERROR_BYTES_MAX;
	if (parser->received > XML_BYTES_MAX)
		return -EBADMSG;
	int error = xml_feed(parser->xml, data, whole ? len : (size_t)(ERROR_BYTES_MAX - before));
	if (error == -ENOMEM)
		return error;
	if (error != 0 || !whole)
		parser->body = BODY_IGNORED;
	return 0;
}

/* MinIO of 2019 knows no ?tagging and answers with the object itself.  Its ETag tells that answer from a
 * proxy's page: the service has no tags, and the request is not tried again. */
static int without_tags(const struct answer_parser *parser, int error)
{
	bool object = parser->request->op == S3_GET_TAGGING && parser->has_etag_header &&
		      answer_is_success(parser->answer);
	return error == -EBADMSG && object ? -EOPNOTSUPP : error;
}

static int take_body(struct answer_parser *parser, const char *data, size_t len)
{
	if (parser->error != 0 || len == 0)
		return parser->error;
	if (parser->body == BODY_UNKNOWN)
		parser->error = start_body(parser);
	if (parser->error != 0)
		return parser->error;
	parser->received += len;
	switch (parser->body) {
	case BODY_DATA:
		parser->error = take_data(parser, data, len);
		break;
	case BODY_XML:
	case BODY_MAYBE:
		parser->error = take_xml(parser, data, len);
		break;
	case BODY_FAILURE:
		parser->error = take_failure(parser, data, len);
		break;
	case BODY_IGNORED:
		parser->error = parser->received > XML_BYTES_MAX ? -EBADMSG : 0;
		break;
	default:
		parser->error = -EBADMSG;
		break;
	}
	if (parser->error == -EBADMSG)
		answer_explain_page(parser);
	return parser->error;
}

int answer_parser_body(struct answer_parser *parser, const char *data, size_t len)
{
	parser->error = without_tags(parser, take_body(parser, data, len));
	return parser->error;
}

/* ---- the end ---- */

static int end_data(struct answer_parser *parser)
{
	struct s3_answer *answer = parser->answer;
	if (answer->content_length != UINT64_MAX && parser->received != answer->content_length)
		return -EBADMSG;
	if (answer->content_length == UINT64_MAX && !parser->has_content_range)
		answer->size = parser->received;
	/* Fewer bytes than asked for are right only where the object ends. */
	uint64_t left = answer->size - answer->range_start;
	uint64_t wanted = parser->request->range_length;
	if (wanted == 0 || wanted > left)
		wanted = left;
	return parser->received == wanted ? 0 : -EBADMSG;
}

static int end_xml(struct answer_parser *parser)
{
	int error = xml_end(parser->xml);
	if (error != 0)
		return error;
	return !parser->document->end ? 0 : parser->document->end(parser);
}

/* A success without a document, or an <Error> for all its status says. */
static int end_maybe(struct answer_parser *parser)
{
	return xml_any(parser->xml) ? end_xml(parser) : 0;
}

static int end_failure(struct answer_parser *parser)
{
	return xml_any(parser->xml) && end_xml(parser) == -ENOMEM ? -ENOMEM : 0;
}

int answer_parser_end(struct answer_parser *parser)
{
	if (parser->error == 0 && parser->body == BODY_UNKNOWN)
		parser->error = start_body(parser);
	if (parser->error != 0)
		return parser->error;
	switch (parser->body) {
	case BODY_DATA:
		parser->error = end_data(parser);
		break;
	case BODY_XML:
		parser->error = without_tags(parser, end_xml(parser));
		break;
	case BODY_MAYBE:
		parser->error = end_maybe(parser);
		break;
	case BODY_FAILURE:
		parser->error = end_failure(parser);
		break;
	default:
		break;
	}
	if (parser->error == 0)
		parser->error = answer_prove(parser);
	if (parser->error == -EBADMSG)
		answer_explain_page(parser);
	return parser->error;
}

/* ---- shared ---- */

bool answer_is_success(const struct s3_answer *answer)
{
	return answer->status >= 200 && answer->status <= 299;
}

bool answer_at(const struct answer_parser *parser, unsigned depth, enum answer_element parent)
{
	return xml_depth(parser->xml) == depth && xml_name(parser->xml, depth - 1) == (int)parent;
}

int answer_text(const struct xml_text *text)
{
	return !text->text.data || text->lost ? -EBADMSG : 0;
}
