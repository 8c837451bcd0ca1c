#include "engine/wire/worker.h"

#include <sys/random.h>
#include <time.h>

#include "engine/base/clock.h"

static _Thread_local struct worker *here;

void worker_look_at_clock(struct worker *worker, uint64_t waited_ms)
{
	worker->now_ms = clock_turn(&worker->clock, clock_exact_ms(), waited_ms);
}

/* ---- timers ---- */

int worker_timer_set(struct worker *worker, struct timer *timer, unsigned delay_ms)
{
	return timers_set(&worker->timers, timer, worker->now_ms + delay_ms);
}

void worker_timer_clear(struct worker *worker, struct timer *timer)
{
	timers_clear(&worker->timers, timer);
}

uint64_t worker_now_ms(const struct worker *worker)
{
	return worker->now_ms;
}

/* ---- mailbox ---- */

void worker_post(struct worker *worker, struct task *task)
{
	task->next = NULL;
	mailbox_post(&worker->mailbox, task);
}

bool worker_is_here(const struct worker *worker)
{
	return here == worker;
}

struct worker *worker_enter(struct worker *worker)
{
	struct worker *outer = here;

	here = worker;
	return outer;
}

/* ---- windows ---- */

static bool window_idle(const struct window *window)
{
	return window->active == 0 && window->queued == 0;
}

/* The one without work that was used least lately, or NULL. */
static struct window *oldest_idle(struct worker *worker)
{
	struct window *oldest = NULL;

	for (unsigned i = 0; i < worker->window_count; i++) {
		struct window *window = &worker->windows[i];

		if (window_idle(window) && (!oldest || window->used_ms < oldest->used_ms))
			oldest = window;
	}
	return oldest;
}

/* Does a call that waits out its back-off come back to it? */
static bool awaited(const struct worker *worker, const struct window *window)
{
	for (const struct call *call = worker->waiting.first; call; call = call->next) {
		if (call->window == window)
			return true;
	}
	return false;
}

struct window *worker_window(struct worker *worker, const struct account *account)
{
	uint64_t number = account_serial(account);
	struct window *window;

	for (unsigned i = 0; i < worker->window_count; i++) {
		window = &worker->windows[i];
		if (window->account == number) {
			window->used_ms = worker->now_ms;
			return window;
		}
	}
	if (worker->window_count < WORKER_WINDOWS) {
		window = &worker->windows[worker->window_count++];
	} else {
		window = oldest_idle(worker);
		/* All are at work: it shares one. */
		if (!window || awaited(worker, window))
			return &worker->windows[number % WORKER_WINDOWS];
	}
	window_init(window, worker->ceiling, worker->now_ms);
	window->account = number;
	return window;
}

/* ---- life-cycle ---- */

static uint64_t random_seed(void)
{
	uint64_t seed;

	/* Jitter only: a seed from the clock serves as well where the kernel gives none. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (uint64_t)time(NULL) * 0x9E3779B97F4A7C15ULL;
	return seed | 1;
}

long worker_connections(const struct worker *worker)
{
	return WORKER_FULL * (long)worker->ceiling + WINDOW_EXTRA;
}

int worker_init(struct worker *worker, struct engine *engine, unsigned index)
{
	int error;

	*worker = (struct worker){
		.engine = engine,
		.index = index,
		.random = random_seed(),
		.ceiling =
			engine->inflight / engine->worker_count ? engine->inflight / engine->worker_count : 1,
	};
	worker_look_at_clock(worker, 0);
	timers_init(&worker->timers);
	s3_wire_init(&worker->wire);
	error = mailbox_init(&worker->mailbox);
	if (error < 0)
		goto out;
	error = sockets_init(&worker->sockets, worker->mailbox.event, &worker->now_ms);
	if (error < 0)
		goto out_mailbox;
	error = signer_new(&worker->signer);
	if (error < 0)
		goto out_sockets;
	curl_multi_setopt(worker->sockets.multi, CURLMOPT_MAXCONNECTS, worker_connections(worker));
	return 0;
out_sockets:
	sockets_release(&worker->sockets);
out_mailbox:
	mailbox_release(&worker->mailbox);
out:
	timers_release(&worker->timers);
	s3_wire_release(&worker->wire);
	return error;
}

void worker_release(struct worker *worker)
{
	sockets_release(&worker->sockets);
	signer_free(worker->signer);
	s3_wire_release(&worker->wire);
	timers_release(&worker->timers);
	mailbox_release(&worker->mailbox);
}
