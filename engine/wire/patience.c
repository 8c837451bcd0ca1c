#include "engine/wire/patience.h"

enum {
	DEAD_MS = 60000,
	/* 51 s with the default retries, and not under half a minute: a service that restarts is back by
	 * then. */
	LONE_COURSES = 4,
	LONE_MS = 30000,
};

/* As long as all attempts may take without an answer. */
static uint64_t course_limit(const struct engine *engine)
{
	return (engine->retries + (uint64_t)1) * engine->timeout_ms;
}

/* ... where there are answers, so that timeout= and retries= bound this, too. */
static uint64_t slow_limit(const struct engine *engine)
{
	uint64_t limit = course_limit(engine);

	return limit < RETRY_SLOW_TOTAL_MS ? limit : RETRY_SLOW_TOTAL_MS;
}

bool patience_service_is_dead(const struct worker *worker, const struct window *window)
{
	uint64_t lasted = outage_ms(&window->outage), limit = slow_limit(worker->engine);

	if (lasted == 0)
		return false;
	return lasted > course_limit(worker->engine) ||
	       (window->spent && lasted >= (limit < DEAD_MS ? limit : DEAD_MS));
}

/* Where no other call asks the service there is no answer to compare with. */
static uint64_t lone_limit(const struct engine *engine)
{
	uint64_t limit = LONE_COURSES * retry_course_ms(engine->retries);

	return limit > LONE_MS ? limit : LONE_MS;
}

/* Are all failures of the outage those of this call? */
static bool is_only_one(const struct call *call)
{
	return call->window->outage.failures <= call->failed;
}

/* Has the call had all the time and attempts of the table in call.h? */
static bool is_spent(const struct call *call, enum fault fault)
{
	const struct engine *engine = call->worker->engine;
	uint64_t age = call->worker->now_ms - call->started_ms;

	switch (fault) {
	case FAULT_SLOWED:
		return age > slow_limit(engine);
	case FAULT_ANSWERED:
		if (engine->retries == 0 || age > slow_limit(engine))
			return true;
		return call->failed > engine->retries &&
		       (call->others || (is_only_one(call) && age >= lone_limit(engine)));
	case FAULT_SILENT:
		break;
	}
	return call->failed > engine->retries;
}

bool patience_ends(struct call *call, enum fault fault)
{
	struct window *window = call->window;

	if (is_spent(call, fault)) {
		window->spent |= window->outage.good == call->good_before;
		return true;
	}
	return patience_service_is_dead(call->worker, window);
}
