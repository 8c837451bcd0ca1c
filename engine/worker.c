#include "engine/worker.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include "engine/transfer.h"

static _Thread_local struct worker *here;

enum { SCAN_MIN_MS = 20, SCAN_MAX_MS = 1000 };

static void look_at_clock(void *user)
{
	struct worker *worker = user;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	worker->now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
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

static bool run_timers(struct worker *worker)
{
	struct timer *timer = timers_pop(&worker->timers, worker->now_ms);

	if (!timer)
		return false;
	for (; timer; timer = timers_pop(&worker->timers, worker->now_ms))
		timer->run(timer, worker);
	return true;
}

/* One look at all attempts now and then costs less than a timer for each. */
static void scan(struct timer *timer, struct worker *worker)
{
	const struct engine *engine = worker->engine;
	unsigned shortest = engine->timeout_ms < engine->connect_timeout_ms ? engine->timeout_ms
									    : engine->connect_timeout_ms;
	unsigned pause = shortest / 8;

	for (struct call *call = worker->active.first, *next; call; call = next) {
		next = call->next;
		call_check_timeout(call);
	}
	pause = pause < SCAN_MIN_MS ? SCAN_MIN_MS : pause > SCAN_MAX_MS ? SCAN_MAX_MS : pause;
	/* The heap has the place this timer just left. */
	worker_timer_set(worker, timer, pause);
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

static bool run_mail(struct worker *worker)
{
	struct task *task = mailbox_take(&worker->mailbox);

	if (!task)
		return false;
	while (task) {
		struct task *next = task->next;

		task->run(task, worker);
		task = next;
	}
	return true;
}

/* ---- windows ---- */

static bool window_idle(const struct window *window)
{
	return window->active == 0 && window->queued == 0;
}

/* A slot without work that was used least lately, or NULL. */
static struct window *oldest_idle(struct worker *worker)
{
	struct window *oldest = NULL;

	for (struct window *window = worker->windows; window < worker->windows + WORKER_ENDPOINTS; window++) {
		if (!window->used)
			return window;
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
	const struct endpoint *endpoint = account_endpoint(account);
	struct window *window;

	for (window = worker->windows; window < worker->windows + WORKER_ENDPOINTS && window->used;
		window++) {
		if (endpoint_same(&window->endpoint, endpoint)) {
			window->used_ms = worker->now_ms;
			return window;
		}
	}
	window = oldest_idle(worker);
	/* Seventeen services at once: the last one shares the first one's. */
	if (!window || (window->used && awaited(worker, window)))
		return &worker->windows[0];
	window_init(window, worker->ceiling, worker->now_ms);
	window->used = true;
	window->endpoint = *endpoint;
	return window;
}

/* ---- the loop ---- */

static void pump_queues(struct worker *worker, bool bulk)
{
	unsigned ceiling = worker->ceiling + (bulk ? 0 : WINDOW_EXTRA);

	for (unsigned i = 0; i < WORKER_ENDPOINTS; i++) {
		struct window *window = &worker->windows[(worker->turn + i) % WORKER_ENDPOINTS];
		struct call *call;

		if (!window->queued)
			continue;
		window_tick(window, worker->now_ms);
		while (worker->active_count < ceiling && (call = window_next(window, bulk)))
			call_launch(call);
	}
}

static void pump(struct worker *worker)
{
	pump_queues(worker, false);
	pump_queues(worker, true);
	worker->turn++;
}

/* Attempts that libcurl has finished. */
static bool reap(struct worker *worker)
{
	CURLMsg *message;
	int left;
	bool any = false;

	while ((message = curl_multi_info_read(worker->sockets.multi, &left))) {
		struct transfer *transfer = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		/* A cancelled one is stopped before its on_done. */
		if (!transfer->call || transfer->call->state != CALL_ACTIVE)
			continue;
		any = true;
		call_attempt_over(transfer->call, transfer_finish(transfer, result));
	}
	return any;
}

/* epoll or memory let us down: nothing on the wire can be waited for. */
static void end_all_attempts(struct worker *worker)
{
	worker->sockets.broken = false;
	for (struct call *call = worker->active.first, *next; call; call = next) {
		next = call->next;
		transfer_stop(call->transfer);
		call_attempt_over(call, -ECONNRESET);
	}
}

static void count(struct worker *worker)
{
	struct counters *counters = &worker->counters;
	unsigned queued = 0, window = 0;

	for (unsigned i = 0; i < WORKER_ENDPOINTS && worker->windows[i].used; i++) {
		unsigned places = window_places(&worker->windows[i]);

		queued += worker->windows[i].queued;
		window = places > window ? places : window;
	}
	atomic_store_explicit(&counters->active, worker->active_count, memory_order_relaxed);
	atomic_store_explicit(&counters->waiting, worker->waiting_count, memory_order_relaxed);
	atomic_store_explicit(&counters->queued, queued, memory_order_relaxed);
	atomic_store_explicit(&counters->window, window, memory_order_relaxed);
	atomic_store_explicit(&counters->connections, worker->sockets.opened, memory_order_relaxed);
}

/* Everything that can be done without waiting; what it starts may bring more. */
static void work(struct worker *worker)
{
	bool more;

	do {
		more = reap(worker);
		if (worker->sockets.broken)
			end_all_attempts(worker);
		more |= run_timers(worker);
		more |= call_run_ended(worker);
		pump(worker);
		more |= sockets_run_timer(&worker->sockets);
		more |= worker->ended.first != NULL;
	} while (more);
	count(worker);
}

static int wait_ms(const struct worker *worker)
{
	uint64_t due = timers_next(&worker->timers);
	uint64_t left = due > worker->now_ms ? due - worker->now_ms : 0;
	uint64_t curl = sockets_timer(&worker->sockets);

	left = curl < left ? curl : left;
	for (unsigned i = 0; i < WORKER_ENDPOINTS && worker->windows[i].used; i++) {
		unsigned held = window_held_ms(&worker->windows[i]);

		left = held && held < left ? held : left;
	}
	return left > INT_MAX ? INT_MAX : (int)left;
}

void *worker_run(void *user)
{
	struct worker *worker = user;

	here = worker;
	look_at_clock(worker);
	while (!atomic_load(&worker->stop)) {
		if (sockets_wait(&worker->sockets, wait_ms(worker), look_at_clock, worker)) {
			mailbox_hush(&worker->mailbox);
			run_mail(worker);
		}
		work(worker);
	}
	while (worker_settle(worker))
		;
	here = NULL;
	return NULL;
}

static void cancel_list(struct call_list *list)
{
	while (list->first)
		call_cancel(list->first);
}

bool worker_settle(struct worker *worker)
{
	struct worker *outer = here;
	bool any;

	here = worker;
	any = run_mail(worker);
	cancel_list(&worker->active);
	cancel_list(&worker->waiting);
	for (unsigned i = 0; i < WORKER_ENDPOINTS; i++) {
		cancel_list(&worker->windows[i].interactive);
		cancel_list(&worker->windows[i].bulk);
	}
	any |= call_run_ended(worker);
	count(worker);
	here = outer;
	return any;
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

int worker_init(struct worker *worker, struct engine *engine, unsigned index)
{
	int rc;

	*worker = (struct worker){
		.engine = engine,
		.index = index,
		.random = random_seed(),
		.scan.run = scan,
		.ceiling =
			engine->inflight / engine->worker_count ? engine->inflight / engine->worker_count : 1,
	};
	look_at_clock(worker);
	retry_budget_init(&worker->budget, worker->now_ms);
	timers_init(&worker->timers);
	s3_wire_init(&worker->wire);
	rc = mailbox_init(&worker->mailbox);
	if (rc < 0)
		goto out;
	rc = sockets_init(&worker->sockets, worker->mailbox.event, &worker->now_ms);
	if (rc < 0)
		goto out_mailbox;
	rc = signer_new(&worker->signer);
	if (rc < 0)
		goto out_sockets;
	curl_multi_setopt(worker->sockets.multi, CURLMOPT_MAXCONNECTS, (long)worker->ceiling + WINDOW_EXTRA);
	rc = worker_timer_set(worker, &worker->scan, SCAN_MIN_MS);
	if (rc < 0)
		goto out_signer;
	return 0;
out_signer:
	signer_free(worker->signer);
out_sockets:
	sockets_release(&worker->sockets);
out_mailbox:
	mailbox_release(&worker->mailbox);
out:
	timers_release(&worker->timers);
	s3_wire_release(&worker->wire);
	return rc;
}

void worker_release(struct worker *worker)
{
	transfer_free_all(worker);
	sockets_release(&worker->sockets);
	signer_free(worker->signer);
	s3_wire_release(&worker->wire);
	timers_release(&worker->timers);
	mailbox_release(&worker->mailbox);
}
