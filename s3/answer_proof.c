/*
 * Is an answer the word of S3?  answer.h has the table of proofs.
 *
 * Servers that were looked at: AWS, Ceph, MinIO, Swift and SeaweedFS mark each answer with x-amz-request-id;
 * Cloudflare R2 and Garage do not, so that a DELETE of theirs is known by its 204 alone, and Garage's refusal
 * of a HEAD by its Content-Type.  Ingresses and portals answer 404 with text, 200 or a redirect with a page.
 */
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "s3/answer_internal.h"

static const struct str marks[] = {
	{"x-amz-", 6},
	{"x-goog-", 7},
	{"x-guploader-", 12},
	{"x-rgw-", 6},
	{"x-oss-", 6},
	{"x-cos-", 6},
	{"x-obs-", 6},
	{"x-minio-", 8},
};

bool answer_is_mark(struct str name)
{
	if (name.len < 2 || (name.data[0] | 0x20) != 'x' || name.data[1] != '-')
		return false;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (name.len > marks[i].len && strncasecmp(name.data, marks[i].data, marks[i].len) == 0)
			return true;
	}
	return false;
}

/* Content-Type without its parameters. */
static bool type_is(const struct answer_parser *parser, const char *type)
{
	size_t len = strcspn(parser->type, "; ");
	return strlen(type) == len && strncasecmp(parser->type, type, len) == 0;
}

static bool proves_success(const struct answer_parser *parser)
{
	const struct s3_answer *answer = parser->answer;
	switch (parser->request->op) {
	case S3_HEAD_BUCKET:
		return parser->marked || !type_is(parser, "text/html");
	case S3_HEAD_OBJECT:
	case S3_GET_OBJECT:
		return parser->marked || parser->has_etag_header;
	case S3_PUT_OBJECT:
	case S3_UPLOAD_PART:
		return parser->has_etag_header;
	case S3_DELETE_OBJECT:
	case S3_ABORT_UPLOAD:
		return parser->marked || answer->status == 204;
	default:
		return true; /* its document has been read */
	}
}

static bool proves_refusal(const struct answer_parser *parser)
{
	const struct s3_answer *answer = parser->answer;
	if (answer->error.code[0] != '\0')
		return true;
	if (s3_op_is_head(parser->request->op) && !parser->request->ask_why)
		return parser->marked || type_is(parser, "application/xml") || type_is(parser, "text/xml");
	return parser->marked && answer->status != 404;
}

static void explain(struct answer_parser *parser)
{
	const struct s3_answer *answer = parser->answer;
	struct s3_error *error = &parser->answer->error;
	int type_len = (int)strcspn(parser->type, "; ");
	if (error->message[0] != '\0')
		return;
	snprintf(error->message, sizeof(error->message), "answered %d by something that is no S3%s%.*s%s%s%s",
		answer->status, type_len > 0 ? " (" : "", type_len, parser->type, type_len > 0 ? ")" : "",
		parser->location[0] != '\0' ? ", a redirect to " : "", parser->location);
}

void answer_explain_page(struct answer_parser *parser)
{
	if (!parser->marked && type_is(parser, "text/html"))
		explain(parser);
}

int answer_prove(struct answer_parser *parser)
{
	struct s3_answer *answer = parser->answer;
	bool success = answer_is_success(answer);
	/* A GET that asked for the words of a refusal may find no refusal any more; of an object without a
	 * byte the first one can't be had (416). */
	if (parser->request->ask_why && (success || answer->status == 416))
		return -EBADMSG;
	if (!success) {
		answer->of_s3 = proves_refusal(parser);
		if (s3_answer_is_foreign(answer))
			explain(parser);
		return 0;
	}
	/* An <Error> for all that its status says. */
	answer->of_s3 = answer->error.code[0] != '\0' || proves_success(parser);
	return answer->of_s3 ? 0 : -EBADMSG;
}
