#include "engine/wire/loop.h"

#include <errno.h>
#include <limits.h>
#include "engine/wire/attempt.h"
#include "engine/wire/call_internal.h"
#include "engine/wire/patience.h"

enum { SCAN_MIN_MS = 20, SCAN_MAX_MS = 1000 };

static bool loop_timers(struct worker *worker)
{
	struct timer *timer = timers_pop(&worker->timers, worker->now_ms);

	if (!timer)
		return false;
	for (; timer; timer = timers_pop(&worker->timers, worker->now_ms))
		timer->run(timer, worker);
	return true;
}

static bool loop_any_overdue(const struct worker *worker)
{
	for (const struct call *call = worker->active.first; call; call = call->next) {
		if (call_is_overdue(call))
			return true;
	}
	return false;
}

static void loop_time_out(struct worker *worker)
{
	for (struct call *call = worker->active.first, *next; call; call = next) {
		next = call->next;
		if (call_is_overdue(call))
			call_time_out(call);
	}
}

/* Has every socket been looked at that was readable when the first overdue attempt was found?  The kernel
 * gives ready ones out in turn. */
static bool loop_sockets_seen(const struct worker *worker)
{
	uint64_t since = worker->turns - worker->judging;

	return (since > 0 && sockets_drained(&worker->sockets)) ||
	       since > 1 + worker->active_count / (SOCKETS_A_TURN / 2);
}

static unsigned loop_scan_pause(const struct engine *engine)
{
	unsigned shortest = engine->timeout_ms < engine->connect_timeout_ms ? engine->timeout_ms
									    : engine->connect_timeout_ms;
	unsigned pause = shortest / 8;

	return pause < SCAN_MIN_MS ? SCAN_MIN_MS : pause > SCAN_MAX_MS ? SCAN_MAX_MS : pause;
}

/* One look at all attempts now and then costs less than a timer for each. */
static void loop_scan(struct timer *timer, struct worker *worker)
{
	unsigned pause = loop_scan_pause(worker->engine);

	if (worker->judging && loop_sockets_seen(worker)) {
		worker->judging = 0;
		loop_time_out(worker);
	} else if (worker->judging || loop_any_overdue(worker)) {
		worker->judging = worker->judging ? worker->judging : worker->turns;
		pause = 1; /* not 0: that would still be this turn */
	}
	/* The heap has the place this timer just left. */
	worker_timer_set(worker, timer, pause);
}

/* ---- mailbox ---- */

static bool loop_mail(struct worker *worker)
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

/* ---- onto the wire, and off it ---- */

/* Is there a place for one more of this window's? */
static bool loop_has_place(const struct worker *worker, const struct window *window, bool bulk)
{
	unsigned most = WORKER_FULL * worker->ceiling + (bulk ? 0 : WINDOW_EXTRA);

	return worker->active_count < most || window->active < WORKER_RESERVE + (bulk ? 0 : WINDOW_EXTRA);
}

static void loop_pump_window(struct worker *worker, struct window *window, bool bulk)
{
	struct call *call;

	window_tick(window, worker->now_ms);
	while (loop_has_place(worker, window, bulk) && (call = call_queue_pop(window, bulk)))
		call_launch(call);
	/* Its turn would come when its caller has long given up. */
	if (bulk && window->bulk.first && patience_service_is_dead(worker, window)) {
		while (window->bulk.first)
			call_give_up(window->bulk.first);
	}
}

static void loop_pump_queues(struct worker *worker, bool bulk)
{
	for (unsigned i = 0; i < worker->window_count; i++) {
		struct window *window = &worker->windows[(worker->turn + i) % worker->window_count];

		if (window->queued)
			loop_pump_window(worker, window, bulk);
	}
}

static void loop_pump(struct worker *worker)
{
	loop_pump_queues(worker, false);
	loop_pump_queues(worker, true);
	worker->turn++;
}

/* Attempts that libcurl has finished. */
static bool loop_reap(struct worker *worker)
{
	CURLMsg *message;
	int left;
	bool any = false;

	while ((message = curl_multi_info_read(worker->sockets.multi, &left))) {
		struct attempt *attempt = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &attempt);
		/* A cancelled one is stopped before its on_done. */
		if (!attempt->call || attempt->call->state != CALL_ACTIVE)
			continue;
		any = true;
		call_attempt_over(attempt->call, attempt_finish(attempt, result));
	}
	return any;
}

/* epoll or memory let us down: nothing on the wire can be waited for. */
static void loop_end_attempts(struct worker *worker)
{
	worker->sockets.broken = false;
	for (struct call *call = worker->active.first, *next; call; call = next) {
		next = call->next;
		attempt_stop(call->attempt);
		call_attempt_over(call, -ECONNRESET);
	}
}

static void loop_count(struct worker *worker)
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

/* Everything that can be done without waiting; a started call may bring more. */
static void loop_work(struct worker *worker)
{
	bool more;

	do {
		more = loop_reap(worker);
		if (worker->sockets.broken)
			loop_end_attempts(worker);
		more |= loop_timers(worker);
		more |= call_run_ended(worker);
		loop_pump(worker);
		more |= sockets_run_timer(&worker->sockets);
		more |= worker->ended.first != NULL;
	} while (more);
	loop_count(worker);
}

static int loop_wait_ms(const struct worker *worker)
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

static void loop_cancel_list(struct call_list *list)
{
	while (list->first)
		call_cancel(list->first);
}

static void loop_cancel_all(struct worker *worker)
{
	loop_cancel_list(&worker->active);
	loop_cancel_list(&worker->waiting);
	for (unsigned i = 0; i < worker->window_count; i++) {
		loop_cancel_list(&worker->windows[i].interactive);
		loop_cancel_list(&worker->windows[i].bulk);
	}
}

struct loop_turn {
	struct worker *worker;
	int wait_ms;
};

static void loop_woken(void *user)
{
	const struct loop_turn *turn = user;

	worker_look_at_clock(turn->worker, (uint64_t)turn->wait_ms);
	turn->worker->turns++;
}

/* Waits for something to happen and lets libcurl work on it; true when there is mail. */
static bool loop_turn(struct worker *worker)
{
	struct loop_turn turn = {.worker = worker, .wait_ms = loop_wait_ms(worker)};

	return sockets_wait(&worker->sockets, turn.wait_ms, loop_woken, &turn) != 0;
}

void *loop_run(void *user)
{
	struct worker *worker = user;

	worker_enter(worker);
	while (!atomic_load(&worker->stop)) {
		if (loop_turn(worker)) {
			mailbox_hush(&worker->mailbox);
			loop_mail(worker);
		}
		if (atomic_load_explicit(&worker->cut, memory_order_relaxed))
			loop_cancel_all(worker);
		loop_work(worker);
	}
	while (loop_settle(worker))
		;
	worker_enter(NULL);
	return NULL;
}

bool loop_settle(struct worker *worker)
{
	struct worker *outer = worker_enter(worker);
	bool any;

	any = loop_mail(worker);
	loop_cancel_all(worker);
	any |= call_run_ended(worker);
	loop_count(worker);
	worker_enter(outer);
	return any;
}

int loop_init(struct worker *worker)
{
	worker->scan.run = loop_scan;
	return worker_timer_set(worker, &worker->scan, SCAN_MIN_MS);
}

void loop_release(struct worker *worker)
{
	attempt_free_all(worker);
}
