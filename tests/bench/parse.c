/*
 * What reading answers costs: microseconds of CPU a listed key, a copy's answer, an error.  Prints a table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "s3/answer.h"

enum { KEYS = 1000, PIECE = 16 << 10 /* what curl hands over at once */ };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(int err)
{
	if (err != 0) {
		fprintf(stderr, "parse: %s\n", strerror(-err));
		exit(1);
	}
}

struct sample {
	const char *name;
	struct s3_request request;
	const char *status;
	struct str body;
	unsigned divide; /* items in one body */
	unsigned rounds;
};

static void feed(struct answer_parser *parser, const struct sample *sample, struct s3_answer *answer,
	struct page *page)
{
	struct s3_sinks sinks = {.page = page};
	answer_parser_begin(parser, &sample->request, answer, &sinks);
	answer_parser_header(parser, sample->status, strlen(sample->status));
	static const char *const lines[] = {"Content-Type: application/xml\r\n",
		"x-amz-request-id: TX0000000001\r\n", "Date: Mon, 23 Nov 2026 01:02:03 GMT\r\n",
		"Transfer-Encoding: chunked\r\n", "\r\n"};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		answer_parser_header(parser, lines[i], strlen(lines[i]));
	for (size_t at = 0; at < sample->body.len; at += PIECE) {
		size_t left = sample->body.len - at;
		must(answer_parser_body(parser, sample->body.data + at, left < PIECE ? left : PIECE));
	}
	must(answer_parser_end(parser));
}

static void run(struct answer_parser *parser, const struct sample *sample, struct page *page)
{
	struct s3_answer answer;
	for (unsigned i = 0; i < sample->rounds / 10 + 1; i++)
		feed(parser, sample, &answer, page);
	double start = now();
	for (unsigned i = 0; i < sample->rounds; i++)
		feed(parser, sample, &answer, page);
	double each = (now() - start) / sample->rounds / sample->divide;
	printf("%-28s %8.3f us\n", sample->name, each);
}

static void make_list(struct buf *list, const char *key_format)
{
	must(buf_add_text(list,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
		"xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bucket</Name><Prefix></Prefix>"
		"<MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
		"<NextContinuationToken>1ueGcxLPRx1Tr</NextContinuationToken>"));
	for (unsigned i = 0; i < KEYS; i++) {
		buf_add_text(list, "<Contents><Key>");
		buf_addf(list, "%s%06u.bin", key_format, i);
		must(buf_add_text(list,
			"</Key><LastModified>2026-11-23T01:02:03.000Z</LastModified>"
			"<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>1024</Size>"
			"<StorageClass>STANDARD</StorageClass></Contents>"));
	}
	must(buf_add_text(list, "</ListBucketResult>"));
}

int main(void)
{
	struct answer_parser *parser;
	struct page *page;
	struct buf plain, encoded;
	buf_init(&plain, 1 << 22);
	buf_init(&encoded, 1 << 22);
	make_list(&plain, "some/directory/with/names/object-");
	make_list(&encoded, "some%2Fdirectory%2Fwith%2Fn%C3%A4mes%2Fobject+");
	must(answer_parser_new(&parser));
	must(page_new(&page));
	struct sample samples[] = {
		{"a listed key", {.op = S3_LIST_OBJECTS}, "HTTP/1.1 200 OK\r\n", buf_str(&plain), KEYS, 300},
		{"a listed key, encoded", {.op = S3_LIST_OBJECTS}, "HTTP/1.1 200 OK\r\n", buf_str(&encoded),
			KEYS, 300},
		{"a copy's answer", {.op = S3_COPY_OBJECT}, "HTTP/1.1 200 OK\r\n",
			STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CopyObjectResult "
			    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/"
			    "\"><LastModified>2026-11-23T01:02:03.000Z"
			    "</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag></"
			    "CopyObjectResult>"),
			1, 200000},
		{"an error", {.op = S3_COPY_OBJECT}, "HTTP/1.1 404 Not Found\r\n",
			STR("<?xml version=\"1.0\" "
			    "encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The "
			    "specified key does not "
			    "exist.</Message><Key>a</Key><RequestId>TX1</RequestId></Error>"),
			1, 200000},
		{"a deletion's, no body", {.op = S3_DELETE_OBJECT}, "HTTP/1.1 204 No Content\r\n", STR(""), 1,
			500000},
	};
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		run(parser, &samples[i], page);
	page_free(page);
	answer_parser_free(parser);
	buf_release(&plain);
	buf_release(&encoded);
	return 0;
}
