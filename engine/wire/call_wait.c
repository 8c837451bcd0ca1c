/*
 * A call that a thread waits for.
 */
#include <errno.h>
#include "engine/wire/worker.h"

struct call_waiter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
	struct s3_answer *answer;
};

static void wake_waiter(struct call *call, const struct s3_answer *answer)
{
	struct call_waiter *waiter = call->user;

	pthread_mutex_lock(&waiter->lock);
	if (waiter->answer)
		*waiter->answer = *answer;
	waiter->done = true;
	pthread_cond_signal(&waiter->changed);
	pthread_mutex_unlock(&waiter->lock);
}

int call_wait(struct engine *engine, struct call *call, struct s3_answer *ret_answer)
{
	struct call_waiter waiter = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.answer = ret_answer,
	};
	struct worker *worker = engine_pick(engine);

	for (unsigned i = 0; i < engine_workers(engine); i++) {
		if (worker_is_here(engine_worker(engine, i)))
			return -EDEADLK;
	}
	call->on_done = wake_waiter;
	call->user = &waiter;
	call_post(worker, call);
	pthread_mutex_lock(&waiter.lock);
	while (!waiter.done)
		pthread_cond_wait(&waiter.changed, &waiter.lock);
	pthread_mutex_unlock(&waiter.lock);
	pthread_cond_destroy(&waiter.changed);
	pthread_mutex_destroy(&waiter.lock);
	return call->error;
}
