#include <errno.h>
#include <strings.h>

#include "s3/answer_internal.h"
#include "s3/when.h"

static bool is_object_op(enum s3_op op)
{
	return op == S3_HEAD_OBJECT || op == S3_GET_OBJECT;
}

/* RFC 9112, 4: "HTTP/1.1 200 OK"; HTTP/2 as curl writes it, "HTTP/2 200 ". */
static bool parse_status(struct str line, int *ret)
{
	if (!str_has_prefix(line, STR("HTTP/")))
		return false;
	const char *space = memchr(line.data, ' ', line.len);
	int status = 0;
	size_t len = space ? (size_t)(line.data + line.len - space) : 0;
	if (len < 4 || (len > 4 && !strchr(" \r\n", space[4])))
		return true;
	for (int i = 1; i <= 3; i++) {
		if (space[i] < '0' || space[i] > '9')
			return true;
		status = status * 10 + space[i] - '0';
	}
	*ret = status;
	return true;
}

/* RFC 9110, 14.4: "bytes 0-9/100"; the "bytes *" form of 416, with the total only, says nothing that is used.
 */
static int parse_content_range(struct str value, uint64_t *ret_start, uint64_t *ret_end, uint64_t *ret_total)
{
	if (!str_has_prefix(value, STR("bytes ")))
		return -EBADMSG;
	value = str_skip(value, 6);
	const char *dash = memchr(value.data, '-', value.len);
	const char *slash = memchr(value.data, '/', value.len);
	if (!dash || !slash || dash > slash)
		return -EBADMSG;
	const char *end = value.data + value.len;
	if (answer_uint(str_n(value.data, (size_t)(dash - value.data)), ret_start) != 0 ||
		answer_uint(str_n(dash + 1, (size_t)(slash - dash - 1)), ret_end) != 0 ||
		answer_uint(str_n(slash + 1, (size_t)(end - slash - 1)), ret_total) != 0)
		return -EBADMSG;
	return *ret_start <= *ret_end && *ret_end < *ret_total ? 0 : -EBADMSG;
}

/* ---- one function a header: 0, or -EBADMSG where a wrong value must not be passed over ---- */

static int on_content_length(struct answer_parser *parser, struct str value)
{
	return answer_uint(value, &parser->answer->content_length);
}

static int on_content_range(struct answer_parser *parser, struct str value)
{
	struct s3_answer *answer = parser->answer;
	uint64_t start, end, total;
	if (answer->status != 206)
		return 0;
	int error = parse_content_range(value, &start, &end, &total);
	if (error != 0)
		return error;
	const struct s3_request *request = parser->request;
	uint64_t asked = request->range_length > 0 ? request->range_start : 0;
	if (start != asked || (request->range_length > 0 && end - start >= request->range_length))
		return -EBADMSG;
	answer->range_start = start;
	answer->size = total;
	parser->has_content_range = true;
	return 0;
}

/* Fields that the answer is good without: a value that can't be used in a request is none, a time that can't
 * be read is unknown. */

static int on_etag(struct answer_parser *parser, struct str value)
{
	struct s3_answer *answer = parser->answer;
	bool odd = answer_take(value, answer->etag, sizeof(answer->etag)) != 0;
	if (odd)
		answer->etag[0] = '\0';
	parser->has_etag_header = odd || answer->etag[0] != '\0';
	return 0;
}

static int on_last_modified(struct answer_parser *parser, struct str value)
{
	if (when_parse(value, &parser->answer->mtime, NULL) != 0)
		parser->answer->mtime = 0;
	return 0;
}

static int on_version_id(struct answer_parser *parser, struct str value)
{
	struct s3_answer *answer = parser->answer;
	if (answer_take(value, answer->version_id, sizeof(answer->version_id)) != 0)
		answer->version_id[0] = '\0';
	return 0;
}

static int on_storage_class(struct answer_parser *parser, struct str value)
{
	struct s3_answer *answer = parser->answer;
	if (answer_take(value, answer->storage_class, sizeof(answer->storage_class)) != 0)
		answer->storage_class[0] = '\0';
	return 0;
}

/* AWS, Object: "objects encrypted by SSE-C or SSE-KMS have ETags that are not an MD5 digest". */
static int on_encryption(struct answer_parser *parser, struct str value)
{
	if (str_has_prefix(value, STR("aws:kms")))
		parser->answer->etag_is_opaque = true;
	return 0;
}

static int on_customer_key(struct answer_parser *parser, struct str value)
{
	parser->answer->etag_is_opaque = true;
	return 0;
}

static int on_tag_count(struct answer_parser *parser, struct str value)
{
	struct s3_answer *answer = parser->answer;
	uint64_t count;
	if (answer_uint(value, &count) != 0)
		return 0;
	/* past the number that AWS allows (10) only whether there are any matters */
	answer->tag_count = count < 10000 ? (unsigned)count : 10000;
	answer->tag_count_known = true;
	return 0;
}

static int on_request_id(struct answer_parser *parser, struct str value)
{
	answer_cut(value, parser->answer->request_id, sizeof(parser->answer->request_id));
	return 0;
}

static int on_region(struct answer_parser *parser, struct str value)
{
	if (answer_region_ok(value))
		answer_cut(value, parser->answer->region, sizeof(parser->answer->region));
	return 0;
}

static int on_date(struct answer_parser *parser, struct str value)
{
	int64_t date;
	if (when_parse(value, &date, NULL) == 0)
		parser->answer->date = date;
	return 0;
}

static int on_location(struct answer_parser *parser, struct str value)
{
	answer_cut(value, parser->location, sizeof(parser->location));
	return 0;
}

static int on_retry_after(struct answer_parser *parser, struct str value)
{
	uint64_t seconds;
	int64_t date;
	if (answer_uint(value, &seconds) == 0)
		parser->answer->retry_after = seconds < 86400 ? (int64_t)seconds : 86400;
	else if (when_parse(value, &date, NULL) == 0)
		parser->retry_at = date;
	return 0;
}

static const struct {
	struct str name;
	int (*take)(struct answer_parser *parser, struct str value);
	bool success; /* read from a success only */
} known[] = {
	{{"content-length", 14}, on_content_length, false},
	{{"content-range", 13}, on_content_range, true},
	{{"etag", 4}, on_etag, true},
	{{"last-modified", 13}, on_last_modified, true},
	{{"x-amz-version-id", 16}, on_version_id, true},
	{{"x-amz-storage-class", 19}, on_storage_class, true},
	{{"x-amz-tagging-count", 19}, on_tag_count, true},
	{{"x-amz-server-side-encryption", 28}, on_encryption, true},
	{{"x-amz-server-side-encryption-customer-algorithm", 47}, on_customer_key, true},
	{{"x-amz-request-id", 16}, on_request_id, false},
	{{"x-amz-bucket-region", 19}, on_region, false},
	{{"date", 4}, on_date, false},
	{{"retry-after", 11}, on_retry_after, false},
	{{"location", 8}, on_location, false},
};

/* The last letters tell most names of one length apart. */
static bool is_named(struct str name, struct str lower)
{
	size_t last = lower.len - 1;
	return name.len == lower.len && (name.data[last] | 0x20) == lower.data[last] &&
	       strncasecmp(name.data, lower.data, last) == 0;
}

/* Gives a header of the object to the sink for headers. */
static int keep_header(struct answer_parser *parser, struct str name, struct str value)
{
	if (!answer_is_success(parser->answer) || !parser->sinks.headers ||
		!is_object_op(parser->request->op))
		return 0;
	if (!headers_is_object(name) && !(parser->sinks.encryption && headers_is_encryption(name)))
		return 0;
	/* A header that is left out would be lost in a copy made by hand. */
	int error = headers_add(parser->sinks.headers, name, value);
	return error == 0 || error == -ENOMEM ? error : -EBADMSG;
}

static int take_header(struct answer_parser *parser, struct str name, struct str value)
{
	bool success = answer_is_success(parser->answer);
	parser->marked = parser->marked || answer_is_mark(name);
	if (is_named(name, STR("content-type")))
		answer_cut(value, parser->type, sizeof(parser->type)); /* it may be the object's, too */
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!is_named(name, known[i].name))
			continue;
		int error = success || !known[i].success ? known[i].take(parser, value) : 0;
		/* The kind of encryption says something of the ETag, and is a header that a copy keeps. */
		return error == 0 && headers_is_encryption(name) ? keep_header(parser, name, value) : error;
	}
	return keep_header(parser, name, value);
}

static void start_over(struct answer_parser *parser, int status)
{
	answer_parser_begin(parser, parser->request, parser->answer, &(struct s3_sinks){0});
	parser->answer->status = status;
}

static struct str answer_header_trim(struct str s)
{
	while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
		s = str_skip(s, 1);
	while (s.len > 0 && strchr(" \t\r\n", s.data[s.len - 1]) && s.data[s.len - 1] != '\0')
		s.len--;
	return s;
}

void answer_parser_header(struct answer_parser *parser, const char *text, size_t len)
{
	/* Nothing in the trailers after a body is used. */
	if (parser->body != BODY_UNKNOWN)
		return;
	struct str line = str_n(text, len);
	int status = 0;
	if (parse_status(line, &status)) {
		struct s3_sinks sinks = parser->sinks;
		start_over(parser, status);
		parser->sinks = sinks;
		if (sinks.headers && is_object_op(parser->request->op))
			headers_clear(sinks.headers);
		return;
	}
	const char *colon = memchr(text, ':', len);
	if (!colon || parser->error != 0)
		return;
	size_t name_len = (size_t)(colon - text);
	parser->error =
		take_header(parser, str_n(text, name_len), answer_header_trim(str_skip(line, name_len + 1)));
}

/* 206 must be the range that was asked for; 200 to a request for a range is the whole object, which is as
 * good only where the range is that. */
static int check_range(struct answer_parser *parser)
{
	const struct s3_request *request = parser->request;
	struct s3_answer *answer = parser->answer;
	if (answer->status == 206)
		return parser->has_content_range ? 0 : -EBADMSG;
	if (answer->status != 200 || (request->range_length > 0 && request->range_start > 0))
		return -EBADMSG;
	if (answer->content_length != UINT64_MAX)
		answer->size = answer->content_length;
	return request->range_length > 0 && answer->size > request->range_length ? -EBADMSG : 0;
}

int answer_headers_end(struct answer_parser *parser)
{
	struct s3_answer *answer = parser->answer;
	if (parser->retry_at != 0 && answer->date != 0)
		answer->retry_after = parser->retry_at > answer->date ? parser->retry_at - answer->date : 0;
	if (answer->retry_after > 86400)
		answer->retry_after = 86400;
	if (!answer_is_success(answer))
		return 0;
	switch (parser->request->op) {
	case S3_GET_OBJECT:
		return check_range(parser);
	case S3_HEAD_OBJECT:
		if (answer->content_length == UINT64_MAX)
			return -EBADMSG;
		answer->size = answer->content_length;
		return 0;
	default:
		return 0;
	}
}
