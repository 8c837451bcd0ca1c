/*
 * stats: counters of an engine, for `status`, progress lines and benchmarks.
 *
 * Workers count for themselves (relaxed atomics); engine_stats adds them up.  Any thread.
 */
#ifndef FERRYFS_ENGINE_WIRE_STATS_H
#define FERRYFS_ENGINE_WIRE_STATS_H

#include "engine/wire/engine.h"
#include "s3/request.h"

struct stats {
	uint64_t requests[S3_OP_COUNT]; /* attempts sent, by kind */
	uint64_t failed; /* calls that ended in an error */
	uint64_t retried; /* further attempts */
	uint64_t slowed; /* 503 SlowDown, 429 */
	uint64_t timeouts;
	uint64_t object_bytes_in, object_bytes_out; /* bodies of GET; of PUT and parts */
	uint64_t connections; /* opened */
	unsigned active, queued, waiting;
	unsigned window, window_max;
};

void engine_stats(struct engine *engine, struct stats *ret);

#endif
