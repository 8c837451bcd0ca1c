#include "engine/wire/stats.h"

#include "engine/wire/worker.h"

#define READ(field) atomic_load_explicit(&counters->field, memory_order_relaxed)

void engine_stats(struct engine *engine, struct stats *ret)
{
	*ret = (struct stats){.window_max = engine->inflight};
	for (unsigned i = 0; i < engine->worker_count; i++) {
		const struct counters *counters = &engine->workers[i].counters;

		for (unsigned op = 0; op < S3_OP_COUNT; op++)
			ret->requests[op] += READ(requests[op]);
		ret->failed += READ(failed);
		ret->retried += READ(retried);
		ret->slowed += READ(slowed);
		ret->timeouts += READ(timeouts);
		ret->object_bytes_in += READ(object_bytes_in);
		ret->object_bytes_out += READ(object_bytes_out);
		ret->connections += READ(connections);
		ret->active += READ(active);
		ret->queued += READ(queued);
		ret->waiting += READ(waiting);
		ret->window += READ(window);
	}
}
