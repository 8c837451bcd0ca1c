#include "engine/window.h"

void call_list_push(struct call_list *list, struct call *call)
{
	call->next = NULL;
	call->prev = list->last;
	if (list->last)
		list->last->next = call;
	else
		list->first = call;
	list->last = call;
}

void call_list_push_front(struct call_list *list, struct call *call)
{
	call->prev = NULL;
	call->next = list->first;
	if (list->first)
		list->first->prev = call;
	else
		list->last = call;
	list->first = call;
}

void call_list_remove(struct call_list *list, struct call *call)
{
	if (call->prev)
		call->prev->next = call->next;
	else
		list->first = call->next;
	if (call->next)
		call->next->prev = call->prev;
	else
		list->last = call->prev;
	call->next = call->prev = NULL;
}

struct call *call_list_pop(struct call_list *list)
{
	struct call *call = list->first;

	if (call)
		call_list_remove(list, call);
	return call;
}

void window_init(struct window *window, unsigned ceiling, uint64_t now_ms)
{
	*window = (struct window){
		.ceiling = ceiling,
		.size = ceiling < WINDOW_START ? ceiling : WINDOW_START,
		.used_ms = now_ms,
		.grown_ms = now_ms,
	};
}

static bool below_size(const struct window *window, bool bulk)
{
	return window->active < (unsigned)window->size + (bulk ? 0 : WINDOW_EXTRA);
}

/* Without a refusal so far, or a round trip to go by, there is no pace. */
static bool is_paced(const struct window *window)
{
	return window->bad > 0 && window->trip_ms > 0;
}

bool window_room(const struct window *window, bool bulk)
{
	return below_size(window, bulk) && (!bulk || !is_paced(window) || window->pace >= 1);
}

bool window_held(const struct window *window)
{
	return window->bulk.first && below_size(window, true) && !window_room(window, true);
}

void window_tick(struct window *window, uint64_t now_ms)
{
	double a_ms = 1.25 * window->size / (window->trip_ms < 1 ? 1 : window->trip_ms);
	double most = 2 * a_ms < 1 ? 1 : 2 * a_ms;

	window->pace += a_ms * (double)(now_ms - window->paced_ms);
	if (window->pace > most)
		window->pace = most;
	window->paced_ms = now_ms;
}

struct window_ticket window_send(struct window *window, uint64_t now_ms)
{
	window->active++;
	if (window->pace >= 1)
		window->pace -= 1;
	return (struct window_ticket){.cuts = window->cuts, .sent_ms = now_ms};
}

/* Where probing begins, as a share of the bad level, and its growth a second there.  In the simulation of
 * tests/unit/engine_window 96 % or more of a service's rate is reached and under 3 % refused, at 500 to
 * 10,000 a second. */
static const double PROBE_FROM = 0.95, PROBE_SLOPE = 0.04;

static void grow(struct window *window, uint64_t now_ms)
{
	double seconds;

	if (window->active + 1 < 0.9 * window->size && !window->bulk.first)
		return;
	seconds = (double)(now_ms - window->grown_ms) / 1000;
	if (seconds > 0.1) /* after a pause it goes on from where it was, not by leaps */
		seconds = 0.1;
	window->grown_ms = now_ms;
	if (window->bad > 0 && window->size > 2 * window->bad)
		window->bad = 0;
	if (window->bad == 0 || window->size < PROBE_FROM * window->bad) {
		window->size += 1;
	} else {
		if (window->size > window->bad)
			window->slope *= 1 + seconds;
		window->size += window->slope * seconds;
	}
	if (window->size > window->ceiling)
		window->size = window->ceiling;
}

static void cut(struct window *window, uint64_t now_ms)
{
	double level = window->active < window->size ? window->active : window->size;

	window->bad = level < 1 ? 1 : level;
	window->slope = PROBE_SLOPE * level < 0.5 ? 0.5 : PROBE_SLOPE * level;
	window->size = level < 2 ? 1 : level / 2;
	window->grown_ms = now_ms;
	window->cuts++;
}

static void learn_trip(struct window *window, double trip_ms)
{
	if (trip_ms < 1)
		trip_ms = 1;
	window->trip_ms = window->trip_ms == 0 ? trip_ms : window->trip_ms + (trip_ms - window->trip_ms) / 16;
}

void window_answer(
	struct window *window, struct window_ticket ticket, enum window_outcome outcome, uint64_t now_ms)
{
	if (outcome == WINDOW_GOOD)
		learn_trip(window, (double)(now_ms - ticket.sent_ms));
	if (ticket.cuts == window->cuts) {
		if (outcome == WINDOW_GOOD)
			grow(window, now_ms);
		else if (outcome == WINDOW_BAD)
			cut(window, now_ms);
	}
	window->active--;
}

static struct call_list *list_of(struct window *window, const struct call *call)
{
	return call->flags & CALL_BULK ? &window->bulk : &window->interactive;
}

void window_queue(struct window *window, struct call *call, bool in_front)
{
	if (in_front)
		call_list_push_front(list_of(window, call), call);
	else
		call_list_push(list_of(window, call), call);
	window->queued++;
}

void window_unqueue(struct window *window, struct call *call)
{
	call_list_remove(list_of(window, call), call);
	window->queued--;
}

struct call *window_next(struct window *window, bool bulk)
{
	struct call *call = bulk ? window->bulk.first : window->interactive.first;

	if (!call || !window_room(window, bulk))
		return NULL;
	window_unqueue(window, call);
	return call;
}
