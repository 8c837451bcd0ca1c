#include "engine/wire/attempt.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "s3/escape.h"

/* Readers kept for the next answers; more are made when that many answers are under way, and given back. */
enum { READERS_KEPT = 64 };

enum { TROUBLE_AFTER_MS = 2000, TROUBLE_PAUSE_MS = 30000 };

static void reader_free(struct attempt_reader *reader)
{
	answer_parser_free(reader->parser);
	free(reader);
}

static struct attempt_reader *reader_new(void)
{
	struct attempt_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	if (answer_parser_new(&reader->parser) < 0) {
		free(reader);
		return NULL;
	}
	return reader;
}

struct attempt_reader *attempt_reader_get(struct attempt *attempt)
{
	struct worker *worker = attempt->worker;
	struct attempt_reader *reader = worker->readers;

	if (attempt->reader)
		return attempt->reader;
	if (reader) {
		worker->readers = reader->next;
		worker->reader_count--;
	} else {
		reader = reader_new();
		if (!reader)
			return NULL;
	}
	answer_parser_begin(reader->parser, &attempt->call->request, &reader->answer, &attempt->sinks);
	attempt->reader = reader;
	return reader;
}

void attempt_reader_put(struct attempt *attempt)
{
	struct worker *worker = attempt->worker;
	struct attempt_reader *reader = attempt->reader;

	attempt->reader = NULL;
	if (!reader)
		return;
	if (worker->reader_count >= READERS_KEPT) {
		reader_free(reader);
		return;
	}
	reader->next = worker->readers;
	worker->readers = reader;
	worker->reader_count++;
}

const struct s3_answer *attempt_answer(const struct attempt *attempt)
{
	static const struct s3_answer none = {.retry_after = -1, .content_length = UINT64_MAX};

	return attempt && attempt->reader ? &attempt->reader->answer : &none;
}

/* A person before a terminal hears, after TROUBLE_AFTER_MS and not too often, why a command waits.  Any
 * worker's thread. */
static void tell_trouble(const struct attempt *attempt, const char *words)
{
	static atomic_uint_fast64_t told_ms;
	uint64_t now = attempt->worker->now_ms, last = atomic_load(&told_ms);
	struct buf shown;

	if (now < attempt->call->started_ms + TROUBLE_AFTER_MS || (last && now < last + TROUBLE_PAUSE_MS) ||
		!isatty(STDERR_FILENO) || !atomic_compare_exchange_strong(&told_ms, &last, now))
		return;
	buf_init(&shown, LOG_LINE_MAX);
	endpoint_url(account_endpoint(attempt->call->account), &shown);
	buf_add_text(&shown, ": ");
	escape_text(&shown, str_of(words));
	log_text(LOG_LEVEL_WARNING, "%s (attempt %u)", buf_text(&shown), attempt->call->attempts);
	buf_release(&shown);
}

void attempt_explain(struct attempt *attempt, const char *format, ...)
{
	struct attempt_reader *reader = attempt_reader_get(attempt);
	va_list args;

	if (!reader || reader->answer.error.code[0] || reader->answer.error.message[0])
		return;
	va_start(args, format);
	vsnprintf(reader->answer.error.message, sizeof(reader->answer.error.message), format, args);
	va_end(args);
	if (attempt->call)
		tell_trouble(attempt, reader->answer.error.message);
}

void attempt_reader_free_all(struct worker *worker)
{
	while (worker->readers) {
		struct attempt_reader *reader = worker->readers;

		worker->readers = reader->next;
		reader_free(reader);
	}
}
