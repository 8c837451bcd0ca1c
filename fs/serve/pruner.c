#include "fs/serve/pruner.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/clock.h"
#include "fs/serve/prune.h"

struct pruner {
	struct hub *hub;
	pthread_t thread;
	pthread_mutex_t lock; /* all below but prune; a leaf */
	pthread_cond_t wake;
	bool stop, stopped;
	atomic_bool wanted; /* written under lock */
	struct prune prune; /* the thread's own */
};

/* Called with the lock held; releases the lock during the wait. */
static void pruner_pause(struct pruner *pruner, int wait_ms)
{
	struct timespec until = clock_deadline((uint64_t)wait_ms);

	pthread_cond_timedwait(&pruner->wake, &pruner->lock, &until);
}

static void *pruner_run(void *user)
{
	struct pruner *pruner = user;

	pthread_mutex_lock(&pruner->lock);
	while (!pruner->stop) {
		int wait_ms;

		if (!atomic_load(&pruner->wanted)) {
			pthread_cond_wait(&pruner->wake, &pruner->lock);
			continue;
		}
		pthread_mutex_unlock(&pruner->lock);
		prune_step(pruner->hub, &pruner->prune, &wait_ms);
		pthread_mutex_lock(&pruner->lock);
		if (wait_ms < 0)
			atomic_store(&pruner->wanted, false);
		else if (wait_ms > 0 && !pruner->stop)
			pruner_pause(pruner, wait_ms);
	}
	pruner->stopped = true;
	pthread_mutex_unlock(&pruner->lock);
	return NULL;
}

static void pruner_release(struct pruner *pruner)
{
	pthread_cond_destroy(&pruner->wake);
	pthread_mutex_destroy(&pruner->lock);
	free(pruner);
}

int pruner_new(struct hub *hub, struct pruner **ret)
{
	struct pruner *pruner = calloc(1, sizeof(*pruner));

	if (!pruner)
		return -ENOMEM;
	pruner->hub = hub;
	pthread_mutex_init(&pruner->lock, NULL);
	clock_cond_init(&pruner->wake);
	int error = pthread_create(&pruner->thread, NULL, pruner_run, pruner);

	if (error) {
		pruner_release(pruner);
		return -error;
	}
	*ret = pruner;
	return 0;
}

void pruner_wake(struct pruner *pruner)
{
	if (atomic_load_explicit(&pruner->wanted, memory_order_relaxed))
		return;
	pthread_mutex_lock(&pruner->lock);
	atomic_store(&pruner->wanted, true);
	pthread_cond_signal(&pruner->wake);
	pthread_mutex_unlock(&pruner->lock);
}

void pruner_stop(struct pruner *pruner)
{
	pthread_mutex_lock(&pruner->lock);
	pruner->stop = true;
	pthread_cond_signal(&pruner->wake);
	pthread_mutex_unlock(&pruner->lock);
}

bool pruner_stopped(struct pruner *pruner)
{
	pthread_mutex_lock(&pruner->lock);
	bool stopped = pruner->stopped;

	pthread_mutex_unlock(&pruner->lock);
	return stopped;
}

void pruner_free(struct pruner *pruner)
{
	if (!pruner)
		return;
	pruner_stop(pruner);
	pthread_join(pruner->thread, NULL);
	pruner_release(pruner);
}
