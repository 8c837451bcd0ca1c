/* The daemon's end: waits until every promise has ended. */
#include "engine/base/clock.h"
#include "fs/early/batch_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static void batch_settle_on_settled(struct batch_wait *wait, int error)
{
	struct batch *batch = wait->user;

	/* The process still lives and may make another call: the batch keeps the error for that call. */
	batch_put_error(batch, wait, error);
	batch_unref(batch);
	free(wait);
}

/* Adds one wait to each live batch, so that the work that the batch put off is done as well. */
static void batch_settle_wait_for_all(struct batches *batches)
{
	struct batch *live[BATCHES_MAX];
	unsigned count = 0;

	pthread_mutex_lock(&batches->lock);
	for (unsigned i = 0; i < BATCH_SLOTS; i++) {
		for (struct batch *batch = batches->slots[i]; batch; batch = batch->next) {
			batch->refs++;
			live[count++] = batch;
		}
	}
	pthread_mutex_unlock(&batches->lock);
	for (unsigned i = 0; i < count; i++) {
		struct batch_wait *wait = calloc(1, sizeof(*wait));

		if (!wait) {
			batch_unref(live[i]);
			continue;
		}
		wait->on_done = batch_settle_on_settled;
		wait->user = live[i];
		batch_wait(live[i], wait);
	}
}

int batches_settle(struct batches *batches, unsigned limit_ms)
{
	struct timespec until = clock_deadline(limit_ms);
	int error = 0;

	batches->hooks.hurry(batches->hooks.user);
	batch_settle_wait_for_all(batches);
	pthread_mutex_lock(&batches->lock);
	while (batches->outstanding > 0 && error == 0)
		error = -pthread_cond_timedwait(&batches->drained, &batches->lock, &until);
	pthread_mutex_unlock(&batches->lock);
	return error;
}
