#include "engine/wire/worker.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include "engine/wire/patience.h"
#include "engine/wire/attempt.h"

static _Thread_local struct worker *here;

enum { SCAN_MIN_MS = 20, SCAN_MAX_MS = 1000 };

static void look_at_clock(struct worker *worker, uint64_t waited_ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	worker->now_ms = clock_turn(
		&worker->clock, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, waited_ms);
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

static bool any_overdue(const struct worker *worker)
{
	for (const struct call *call = worker->active.first; call; call = call->next) {
		if (call_is_overdue(call))
			return true;
	}
	return false;
}

static void time_out_overdue(struct worker *worker)
{
	for (struct call *call = worker->active.first, *next; call; call = next) {
		next = call->next;
		if (call_is_overdue(call))
			call_time_out(call);
	}
}

/* Has every socket been looked at that was readable when the first overdue attempt was found?  The kernel
 * gives ready ones out in turn. */
static bool sockets_were_looked_at(const struct worker *worker)
{
	uint64_t since = worker->turns - worker->judging;

	return (since > 0 && sockets_drained(&worker->sockets)) ||
	       since > 1 + worker->active_count / (SOCKETS_A_TURN / 2);
}

static unsigned scan_pause(const struct engine *engine)
{
	unsigned shortest = engine->timeout_ms < engine->connect_timeout_ms ? engine->timeout_ms
									    : engine->connect_timeout_ms;
	unsigned pause = shortest / 8;

	return pause < SCAN_MIN_MS ? SCAN_MIN_MS : pause > SCAN_MAX_MS ? SCAN_MAX_MS : pause;
}

/* One look at all attempts now and then costs less than a timer for each. */
static void scan(struct timer *timer, struct worker *worker)
{
	unsigned pause = scan_pause(worker->engine);

	if (worker->judging && sockets_were_looked_at(worker)) {
		worker->judging = 0;
		time_out_overdue(worker);
	} else if (worker->judging || any_overdue(worker)) {
		worker->judging = worker->judging ? worker->judging : worker->turns;
		pause = 1; /* not 0: that would still be this turn */
	}
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

/* ---- the loop ---- */

/* Is there a place for one more of this window's? */
static bool has_place(const struct worker *worker, const struct window *window, bool bulk)
{
	unsigned most = WORKER_FULL * worker->ceiling + (bulk ? 0 : WINDOW_EXTRA);

	return worker->active_count < most || window->active < WORKER_RESERVE + (bulk ? 0 : WINDOW_EXTRA);
}

static void pump_window(struct worker *worker, struct window *window, bool bulk)
{
	struct call *call;

	window_tick(window, worker->now_ms);
	while (has_place(worker, window, bulk) && (call = window_next(window, bulk)))
		call_launch(call);
	/* Its turn would come when whoever asked has long given up. */
	if (bulk && window->bulk.first && patience_service_is_dead(worker, window)) {
		while (window->bulk.first)
			call_give_up(window->bulk.first);
	}
}

static void pump_queues(struct worker *worker, bool bulk)
{
	for (unsigned i = 0; i < worker->window_count; i++) {
		struct window *window = &worker->windows[(worker->turn + i) % worker->window_count];

		if (window->queued)
			pump_window(worker, window, bulk);
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

	for (unsigned i = 0; i < worker->window_count; i++) {
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
	for (unsigned i = 0; i < worker->window_count; i++) {
		unsigned held = window_held_ms(&worker->windows[i]);

		left = held && held < left ? held : left;
	}
	return left > INT_MAX ? INT_MAX : (int)left;
}

static void cancel_list(struct call_list *list)
{
	while (list->first)
		call_cancel(list->first);
}

static void cancel_all(struct worker *worker)
{
	cancel_list(&worker->active);
	cancel_list(&worker->waiting);
	for (unsigned i = 0; i < worker->window_count; i++) {
		cancel_list(&worker->windows[i].interactive);
		cancel_list(&worker->windows[i].bulk);
	}
}

struct turn {
	struct worker *worker;
	int wait_ms;
};

static void woken(void *user)
{
	const struct turn *turn = user;

	look_at_clock(turn->worker, (uint64_t)turn->wait_ms);
	turn->worker->turns++;
}

/* Waits for something to happen and lets libcurl work on it; true when there is mail. */
static bool turn(struct worker *worker)
{
	struct turn turn = {.worker = worker, .wait_ms = wait_ms(worker)};

	return sockets_wait(&worker->sockets, turn.wait_ms, woken, &turn) != 0;
}

void *worker_run(void *user)
{
	struct worker *worker = user;

	here = worker;
	while (!atomic_load(&worker->stop)) {
		if (turn(worker)) {
			mailbox_hush(&worker->mailbox);
			run_mail(worker);
		}
		if (atomic_load_explicit(&worker->cut, memory_order_relaxed))
			cancel_all(worker);
		work(worker);
	}
	while (worker_settle(worker))
		;
	here = NULL;
	return NULL;
}

bool worker_settle(struct worker *worker)
{
	struct worker *outer = here;
	bool any;

	here = worker;
	any = run_mail(worker);
	cancel_all(worker);
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

long worker_connections(const struct worker *worker)
{
	return WORKER_FULL * (long)worker->ceiling + WINDOW_EXTRA;
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
	look_at_clock(worker, 0);
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
	curl_multi_setopt(worker->sockets.multi, CURLMOPT_MAXCONNECTS, worker_connections(worker));
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
