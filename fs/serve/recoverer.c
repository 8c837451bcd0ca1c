#include "fs/serve/recoverer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/job/recovery.h"

enum { ACCOUNTS_MAX = 64 };

struct recoverer {
	struct engine *engine;
	struct journal_dir *dir;
	pthread_mutex_t lock;
	pthread_cond_t over;
	/* protected by lock */
	struct account *accounts[ACCOUNTS_MAX]; /* referenced */
	unsigned count;
	unsigned wanted, done; /* rounds */
	bool running, joinable, closed;
	pthread_t thread;
};

int recoverer_new(struct engine *engine, struct journal_dir *dir, struct recoverer **ret)
{
	struct recoverer *recoverer = calloc(1, sizeof(*recoverer));

	if (!recoverer)
		return -ENOMEM;
	recoverer->engine = engine;
	recoverer->dir = dir;
	pthread_mutex_init(&recoverer->lock, NULL);
	clock_cond_init(&recoverer->over);
	*ret = recoverer;
	return 0;
}

/* Lock not held. */
static void recoverer_one_round(struct recoverer *recoverer, unsigned count)
{
	const struct recovery_options options = {
		.engine = recoverer->engine,
		.dir = recoverer->dir,
		.accounts = recoverer->accounts, /* those below count don't change */
		.account_count = count,
		.gate = &recoverer->lock,
		.closed = &recoverer->closed,
	};
	int error = recovery_run(&options);

	if (error < 0)
		log_text(LOG_LEVEL_ERROR, "recovery: the journal directory: %s", strerror(-error));
}

static void *serve_recoverer_run(void *user)
{
	struct recoverer *recoverer = user;

	pthread_mutex_lock(&recoverer->lock);
	while (recoverer->done != recoverer->wanted && !recoverer->closed) {
		unsigned round = recoverer->wanted, count = recoverer->count;

		pthread_mutex_unlock(&recoverer->lock);
		recoverer_one_round(recoverer, count);
		pthread_mutex_lock(&recoverer->lock);
		recoverer->done = round;
		pthread_cond_broadcast(&recoverer->over);
	}
	recoverer->running = false;
	pthread_cond_broadcast(&recoverer->over);
	pthread_mutex_unlock(&recoverer->lock);
	return NULL;
}

/* Lock held. */
static void add_account(struct recoverer *recoverer, struct account *account)
{
	for (unsigned i = 0; i < recoverer->count; i++) {
		if (recoverer->accounts[i] == account)
			return;
	}
	if (recoverer->count < ACCOUNTS_MAX)
		recoverer->accounts[recoverer->count++] = account_ref(account);
}

/* Lock held. */
static void ensure_thread(struct recoverer *recoverer)
{
	if (recoverer->running)
		return;
	if (recoverer->joinable)
		pthread_join(recoverer->thread, NULL); /* the thread is past its last use of the lock */
	recoverer->joinable = recoverer->running =
		pthread_create(&recoverer->thread, NULL, serve_recoverer_run, recoverer) == 0;
	if (!recoverer->running)
		log_text(LOG_LEVEL_ERROR, "recovery: no thread for it");
}

unsigned recoverer_begin(struct recoverer *recoverer, struct account *account)
{
	unsigned round = 0;

	if (!recoverer)
		return 0;
	pthread_mutex_lock(&recoverer->lock);
	if (!recoverer->closed) {
		add_account(recoverer, account);
		round = ++recoverer->wanted;
		ensure_thread(recoverer);
	}
	pthread_mutex_unlock(&recoverer->lock);
	return round;
}

/* Lock held. */
static bool is_over(const struct recoverer *recoverer, unsigned round)
{
	return round == 0 || !recoverer->running || (int)(recoverer->done - round) >= 0;
}

bool recoverer_done(struct recoverer *recoverer, unsigned round)
{
	bool over = true;

	if (!recoverer)
		return over;
	pthread_mutex_lock(&recoverer->lock);
	over = is_over(recoverer, round);
	pthread_mutex_unlock(&recoverer->lock);
	return over;
}

void recoverer_run(struct recoverer *recoverer, struct account *account, unsigned limit_ms)
{
	unsigned round = recoverer_begin(recoverer, account);
	struct timespec end = clock_deadline(limit_ms);

	if (!recoverer)
		return;
	pthread_mutex_lock(&recoverer->lock);
	while (!is_over(recoverer, round) &&
		pthread_cond_timedwait(&recoverer->over, &recoverer->lock, &end) == 0)
		;
	pthread_mutex_unlock(&recoverer->lock);
}

void recoverer_stop(struct recoverer *recoverer)
{
	if (!recoverer)
		return;
	pthread_mutex_lock(&recoverer->lock);
	recoverer->closed = true;
	pthread_mutex_unlock(&recoverer->lock);
}

void recoverer_free(struct recoverer *recoverer)
{
	if (!recoverer)
		return;
	recoverer_stop(recoverer);
	if (recoverer->joinable)
		pthread_join(recoverer->thread, NULL);
	for (unsigned i = 0; i < recoverer->count; i++)
		account_unref(recoverer->accounts[i]);
	pthread_cond_destroy(&recoverer->over);
	pthread_mutex_destroy(&recoverer->lock);
	free(recoverer);
}
