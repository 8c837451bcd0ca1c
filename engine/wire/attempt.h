/*
 * attempt: one place on the wire: an easy handle with its request texts, used again and again.
 *
 * Life-cycle: attempt_new, then for each attempt attempt_start ... attempt_finish (libcurl is done) or
 * attempt_stop (time-out, cancel: the connection is closed), then attempt_idle puts it back into the
 * worker's pool, or attempt_free ends it (libcurl 7.88 keeps a buffer after a name could not be resolved, and
 * refuses options from then on). The answer stays readable until then.  Options that never change are set
 * once; an attempt sets address, header list, and method and body where they differ from the last attempt's.
 * Worker thread only.
 */
#ifndef FERRYFS_ENGINE_WIRE_ATTEMPT_H
#define FERRYFS_ENGINE_WIRE_ATTEMPT_H

#include "engine/wire/worker.h"

/*
 * The reader of an answer, and the answer.  An attempt takes one from the worker's pool when its answer
 * begins: most of the 512 in flight are waiting, and a parser has 30 KiB.
 */
struct attempt_reader {
	struct attempt_reader *next;
	struct answer_parser *parser;
	struct s3_answer answer;
};

enum attempt_mode { ATTEMPT_NONE, ATTEMPT_PLAIN, ATTEMPT_HEAD, ATTEMPT_BODY, ATTEMPT_UPLOAD };

struct attempt {
	CURL *easy;
	struct worker *worker;
	struct call *call; /* NULL in the pool */
	struct attempt *next_idle, *next_all;
	bool surplus; /* on its way out of the pool */

	struct buf texts, body; /* the wire's header lines and body; its other texts are the worker's */
	uint64_t body_length;
	struct curl_slist *lines; /* array: our constant lines and the wire's */
	unsigned lines_size;
	struct attempt_reader *reader; /* NULL until something was answered */
	struct s3_sinks sinks;

	/* the settings of the handle */
	enum attempt_mode mode;
	const char *method;
	long buffer_size, send_size;
	char *bundle; /* of certificates, the account's; NULL: the default */

	/* of this attempt */
	char region[REGION_MAX + 1]; /* signed for */
	int64_t clock_offset; /* signed with, as the credentials: those are compared only, they may be gone */
	const struct credentials *credentials;
	bool running; /* in the multi */
	bool connecting; /* a new connection is being made */
	bool sent; /* the request may have left */
	bool sink_failed; /* error is the sink's, or the body's source's */
	bool unresolved; /* the name had no address: that may pass; libcurl's handle must not be used again */
	int error; /* of a callback */
	struct window_ticket ticket;
	uint64_t started_ms, progress_ms, answered_ms; /* answered: the answer's first line came */
	uint64_t body_sent;
	char curl_error[CURL_ERROR_SIZE];
};

/* One from the pool, or a new one.  -ENOMEM. */
int attempt_get(struct worker *worker, struct attempt **ret);
void attempt_free_all(struct worker *worker);

/* Builds, signs and sends the call's request.  0 or -errno; after a failure nothing is on the wire. */
int attempt_start(struct attempt *attempt, struct call *call);
/* libcurl says it is done: 0 when the answer is whole, else -errno. */
int attempt_finish(struct attempt *attempt, CURLcode result);
void attempt_stop(struct attempt *attempt);
void attempt_idle(struct attempt *attempt);
/* Instead of attempt_idle, for one that is not on the wire. */
void attempt_free(struct attempt *attempt);
/* The answer so far; never NULL. */
const struct s3_answer *attempt_answer(const struct attempt *attempt);
/* Puts words of ours where S3's would stand, if it said nothing. */
void attempt_explain(struct attempt *attempt, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- between attempt.c, attempt_options.c and reader.c ---- */

/* Everything that is the same for every attempt. */
CURLcode attempt_set_constants(struct attempt *attempt);
/* The caller's sink of a GET, with the bytes it took counted: a body that was handed on is not fetched
 * again. */
int attempt_on_data(void *user, const char *data, size_t len);
/* The attempt's reader, begun; NULL when memory is short. */
struct attempt_reader *attempt_reader_get(struct attempt *attempt);
/* Back into the pool. */
void attempt_reader_put(struct attempt *attempt);
void attempt_reader_free_all(struct worker *worker);

#endif
