/*
 * Fuzzes the answer parser.  Byte 0 chooses the op, byte 1 a status line, byte 2 the size of the pieces the
 * body comes in and whether a prefix, delimiter and start_after were asked for; then come header lines, an
 * empty line, the body.
 *
 * Beside not crashing: an answer read in pieces is the answer read whole, and what a page holds is what was
 * asked for.
 */
#include <stdlib.h>

#include "s3/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct answer_parser *parser;
static struct page *page;
static struct delete_set *deletes;
static struct headers headers;
static struct buf tags;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static int on_data(void *user, const char *data, size_t len)
{
	*(uint64_t *)user += len;
	return 0;
}

static void make_all(void)
{
	must(answer_parser_new(&parser) == 0 && page_new(&page) == 0 && delete_set_new(&deletes) == 0);
	must(delete_set_add(deletes, STR("a"), STR_NONE, NULL) == 0);
	must(delete_set_add(deletes, STR("b\nc"), STR("e"), NULL) == 0);
	headers_init(&headers);
	buf_init(&tags, 4096);
}

static struct str next_line(struct str *rest)
{
	const char *end = memchr(rest->data, '\n', rest->len);
	size_t len = end == NULL ? rest->len : (size_t)(end - rest->data) + 1;
	struct str line = str_n(rest->data, len);
	*rest = str_skip(*rest, len);
	return line;
}

static void check_page(const struct s3_request *request)
{
	for (unsigned i = 0; i < page->count; i++) {
		struct page_entry *entry = &page->entries[i];
		must(entry->key.len > 0 && entry->key.len <= KEY_MAX && page->last.data != NULL);
		if (request->op == S3_LIST_BUCKETS)
			continue;
		must(str_has_prefix(entry->key, request->prefix));
		if (entry->is_prefix)
			must(str_has_suffix(entry->key, request->delimiter));
	}
}

static int read_answer(const struct s3_request *request, const char *status, struct str rest, size_t piece,
	struct s3_answer *answer)
{
	static const char *const lines[] = {
		"HTTP/1.1 200 OK", "HTTP/1.1 206 Partial Content", "HTTP/1.1 404 Not Found"};
	uint64_t received = 0;
	struct s3_sinks sinks = {.page = page,
		.deletes = deletes,
		.headers = &headers,
		.tags = &tags,
		.on_data = on_data,
		.user = &received};
	answer_parser_begin(parser, request, answer, &sinks);
	answer_parser_header(
		parser, lines[(unsigned char)*status % 3], strlen(lines[(unsigned char)*status % 3]));
	while (rest.len > 0) {
		struct str line = next_line(&rest);
		if (line.len <= 2 && line.data[0] != ' ')
			break;
		answer_parser_header(parser, line.data, line.len);
	}
	int err = 0;
	while (rest.len > 0 && err == 0) {
		size_t len = piece == 0 || piece > rest.len ? rest.len : piece;
		err = answer_parser_body(parser, rest.data, len);
		rest = str_skip(rest, len);
	}
	int end = answer_parser_end(parser);
	must(err == 0 || end == err);
	if (end == 0 && s3_answer_errno(answer) == 0 && request->op == S3_GET_OBJECT)
		must(answer->content_length == UINT64_MAX || received == answer->content_length);
	return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (parser == NULL)
		make_all();
	if (size < 3)
		return 0;
	struct str rest = str_n((const char *)data + 3, size - 3);
	bool asks = data[2] & 0x80;
	struct s3_request request = {
		.op = (enum s3_op)(data[0] % S3_OP_COUNT),
		.prefix = asks ? STR("a") : STR_NONE,
		.delimiter = asks ? STR("/") : STR_NONE,
		.start_after = asks ? STR("a/b") : STR_NONE,
		.range_start = asks ? 2 : 0,
		.range_length = asks ? 3 : 0,
	};
	struct s3_answer whole, pieces;
	int one = read_answer(&request, (const char *)data + 1, rest, 0, &whole);
	unsigned count = page->count;
	int two = read_answer(&request, (const char *)data + 1, rest, (data[2] & 0x7f) + 1, &pieces);
	must(one == two && whole.status == pieces.status);
	if (one == 0) {
		must(s3_answer_errno(&whole) == s3_answer_errno(&pieces));
		must(s3_answer_retry(&whole) == s3_answer_retry(&pieces));
		must(strcmp(whole.etag, pieces.etag) == 0 && count == page->count);
		if (s3_answer_errno(&whole) == 0 &&
			(request.op == S3_LIST_BUCKETS || request.op == S3_LIST_OBJECTS))
			check_page(&request);
	}
	return 0;
}
