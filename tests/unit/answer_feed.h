/*
 * answer_feed: gives an answer to a parser whole, byte by byte, and cut in two at every place.  For unit
 * tests.
 *
 * Every way must end alike; `check` (NULL where there is nothing to look at) is called after each.
 */
#ifndef FERRYFS_TESTS_ANSWER_FEED_H
#define FERRYFS_TESTS_ANSWER_FEED_H

#include "s3/answer.h"

struct feed {
	struct s3_request request;
	const char *headers; /* lines with CRLF */
	struct str body;
	struct s3_sinks sinks;
	int result; /* of answer_parser_end, whatever the body's calls said */
	void (*check)(const struct s3_answer *answer, void *user);
	void *user;
};

#define OK_XML "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n"

static inline int feed_once(
	struct answer_parser *parser, const struct feed *feed, struct s3_answer *answer, size_t cut)
{
	answer_parser_begin(parser, &feed->request, answer, &feed->sinks);
	for (const char *line = feed->headers; *line != '\0';) {
		const char *end = strchr(line, '\n') + 1;
		answer_parser_header(parser, line, (size_t)(end - line));
		line = end;
	}
	int err = 0;
	for (size_t at = 0; at < feed->body.len && err == 0;) {
		size_t len = cut == 0 ? 1 : at < cut ? cut : feed->body.len - at;
		/* A heap copy of just this piece, so that a sanitizer sees a byte read past it. */
		char *piece = malloc(len);
		assert_non_null(piece);
		memcpy(piece, feed->body.data + at, len);
		err = answer_parser_body(parser, piece, len);
		free(piece);
		at += len;
	}
	int end = answer_parser_end(parser);
	if (err != 0)
		assert_int_equal(end, err);
	return end;
}

static inline void feed_all(const struct feed *feed)
{
	struct answer_parser *parser;
	struct s3_answer answer;
	assert_int_equal(answer_parser_new(&parser), 0);
	for (size_t cut = 0; cut <= feed->body.len; cut++) {
		assert_int_equal(feed_once(parser, feed, &answer, cut), feed->result);
		if (feed->check != NULL)
			feed->check(&answer, feed->user);
	}
	answer_parser_free(parser);
}

/* Every proper beginning of the body must end as -EBADMSG. */
static inline void feed_cut_off(const struct feed *feed)
{
	struct answer_parser *parser;
	struct s3_answer answer;
	struct feed part = *feed;
	assert_int_equal(answer_parser_new(&parser), 0);
	for (size_t len = 0; len < feed->body.len; len++) {
		part.body.len = len;
		assert_int_equal(feed_once(parser, &part, &answer, len), -EBADMSG);
	}
	assert_int_equal(feed_once(parser, feed, &answer, feed->body.len), 0);
	answer_parser_free(parser);
}

#endif
