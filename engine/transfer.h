/*
 * transfer: one place on the wire: an easy handle with its request texts, parser and answer, used again and again.
 *
 * Life-cycle: transfer_new, then for each attempt transfer_start ... transfer_finish (libcurl is done) or
 * transfer_stop (time-out, cancel: the connection is closed), then transfer_idle puts it back into the worker's pool.
 * The answer stays readable until then.  Options that never change are set once; an attempt sets address, header list,
 * and method and body where they differ from the last attempt's.  Worker thread only.
 */
#ifndef FERRYFS_ENGINE_TRANSFER_H
#define FERRYFS_ENGINE_TRANSFER_H

#include "engine/worker.h"

enum transfer_mode { TRANSFER_NONE, TRANSFER_PLAIN, TRANSFER_HEAD, TRANSFER_BODY, TRANSFER_UPLOAD };

struct transfer {
	CURL *easy;
	struct worker *worker;
	struct call *call; /* NULL in the pool */
	struct transfer *next_idle, *next_all;

	struct s3_wire wire;
	struct curl_slist *lines; /* array: our constant lines and the wire's */
	unsigned lines_size;
	struct answer_parser *parser;
	struct s3_answer answer;
	struct s3_sinks sinks;

	/* what the handle is set to */
	enum transfer_mode mode;
	const char *method;
	long buffer_size;

	/* of this attempt */
	bool running;       /* in the multi */
	bool connecting;    /* a new connection is being made */
	bool sent;          /* the request may have left */
	bool sink_failed;   /* error is the sink's, or the body's source's */
	int error;          /* of a callback */
	struct window_ticket ticket;
	uint64_t started_ms, progress_ms;
	uint64_t body_sent;
	char curl_error[CURL_ERROR_SIZE];
};

/* One from the pool, or a new one.  -ENOMEM. */
int transfer_get(struct worker *worker, struct transfer **ret);
void transfer_free_all(struct worker *worker);

/* Builds, signs and sends the call's request.  0 or -errno; after a failure nothing is on the wire. */
int transfer_start(struct transfer *transfer, struct call *call);
/* libcurl says it is done: 0 when the answer is whole, else -errno. */
int transfer_finish(struct transfer *transfer, CURLcode result);
void transfer_stop(struct transfer *transfer);
void transfer_idle(struct transfer *transfer);

#endif
