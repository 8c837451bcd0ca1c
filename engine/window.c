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
		.good_from_ms = now_ms,
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
static const double PROBE_FROM = 0.95, PROBE_SLOPE = 0.04, PROBE_FASTER = 4;

/* Noise hides the first refusals of a rate, so that the ceiling is gone to at a tenth more each round trip.
 */
static const double NOISE_GROWTH = 0.1;

static void grow(struct window *window, uint64_t now_ms)
{
	double seconds;

	if (window->active + 1 < 0.9 * window->size && !window->bulk.first) {
		/* What comes now says how much was asked for, not how much is allowed. */
		window->good = 0;
		window->good_from_ms = now_ms;
		return;
	}
	seconds = (double)(now_ms - window->grown_ms) / 1000;
	if (seconds > 0.1) /* after a pause it goes on from where it was, not by leaps */
		seconds = 0.1;
	window->grown_ms = now_ms;
	if (window->bad > 0 && window->size > 2 * window->bad)
		window->bad = 0;
	if (window->bad == 0 && window->noise > 0) {
		window->size += NOISE_GROWTH;
	} else if (window->bad == 0 || window->size < PROBE_FROM * window->bad) {
		window->size += 1;
	} else {
		if (window->size > window->bad)
			window->slope *= 1 + PROBE_FASTER * seconds;
		window->size += window->slope * seconds;
	}
	if (window->size > window->ceiling)
		window->size = window->ceiling;
}

static double share(const struct window_tally *tally)
{
	return tally->answers > 0 ? tally->bad / tally->answers : 0;
}

static void tally_add(struct window_tally *tally, bool bad)
{
	tally->answers++;
	tally->bad += bad;
}

/* A trial is decided by so many answers, or the level's number where that is more. */
enum { TRIAL_MIN = 32 };

/* An earlier trial's share in the next. */
static const double TALLY_KEPT = 0.75;

static void tally_age(struct window_tally *tally, bool keep)
{
	tally->answers *= keep ? TALLY_KEPT : 0;
	tally->bad *= keep ? TALLY_KEPT : 0;
}

/* A rate that was probed up to is met again after a second or so (PROBE_FROM, PROBE_SLOPE). */
static const double EARLY_TRIPS = 27, EARLY_MS_MAX = 800;

/* A refusal or two, soon after the last: more likely noise too thin for a trial.  Such cuts would bring the
 * level down by a twentieth each time; it goes up a tenth instead, and if it was the rate after all, the next
 * cut finds more than EARLY_SHARE refused and goes by what it finds. */
static const double EARLY_RAISE = 1.1, EARLY_SHARE = 0.05;

/* Room above it for what a cut left unused. */
static const double SUSTAINED_MORE = 1.1;

/* What was good since the last cut, as a number in flight; `found` where that is too little to go by, or
 * less. Between two refusals a bucket of tokens, which may hold a good deal, gives out what flows into it and
 * no more, while the size at which it runs dry says how much was in it. */
static double sustained(const struct window *window, double found, uint64_t now_ms)
{
	double ms = (double)(now_ms - window->good_from_ms);
	double level = ms > 0 ? SUSTAINED_MORE * window->good * window->trip_ms / ms : found;

	return window->good < TRIAL_MIN || ms < window->trip_ms || level > found ? found : level;
}

static double level_of(const struct window *window, double found, uint64_t now_ms)
{
	double soon = EARLY_TRIPS * window->trip_ms, level = found;

	if (soon > EARLY_MS_MAX)
		soon = EARLY_MS_MAX;
	if (window->bad == 0 || window->trying || (double)(now_ms - window->cut_ms) > soon)
		level = sustained(window, found, now_ms);
	else if (share(&window->before) <= EARLY_SHARE)
		level = EARLY_RAISE * (found > window->bad ? found : window->bad);
	return level < 1 ? 1 : level;
}

static void cut(struct window *window, uint64_t now_ms)
{
	double level = window->active < window->size ? window->active : window->size;

	window->bad = level_of(window, level, now_ms);
	window->found = level < 1 ? 1 : level;
	window->cut_ms = window->good_from_ms = now_ms;
	window->good = 0;
	window->slope = PROBE_SLOPE * level < 0.5 ? 0.5 : PROBE_SLOPE * level;
	window->size = level < 2 ? 1 : level / 2;
	window->grown_ms = now_ms;
	window->cuts++;
	window->excess = 0;
	/* One cut short by a further cut says nothing of noise. */
	tally_age(&window->before, !window->trying);
	tally_age(&window->after, !window->trying);
	/* What made the cut would bias the share; in a small window there is little else. */
	if (level < TRIAL_MIN / 2.0)
		tally_add(&window->before, true);
	window->tried = 0;
	window->trying = true;
}

/* ---- noise ---- */

/* While it is not, only a share above TRIAL_DRIFT cuts again, once TRIAL_EXCESS more than that were refused.
 */
static const double TRIAL_DRIFT = 0.25, TRIAL_EXCESS = 4;

/* Up to this share of what was in flight at the cut the size counts as halved. */
static const double HALVED = 0.9;

/* With noise, refusals above 5/4 of it are summed up; 16 of them by chance are a matter of minutes at 17,000
 * a second (simulated for 1 to 50 %), and 40 answers when half are refused. */
static const double NOISE_DRIFT = 1.25, NOISE_EXCESS = 16, NOISE_MAX = 0.5;

/* Refusals expected in a stretch that may lower the noise: half of 50 is 3.5 standard deviations away. */
enum { STRETCH = 50 };

/* ... and in a trial that may do so. */
enum { ENOUGH = 4 };

static void decide(struct window *window)
{
	double was = share(&window->before), is = share(&window->after);
	double if_rate = was > 0.5 ? 2 * was - 1 : 0;

	window->trying = false;
	window->excess = 0;
	window->lately = (struct window_tally){0};
	if (window->after.bad < 2 || is > NOISE_MAX || is <= (was + if_rate) / 2) {
		if (is < window->noise && window->after.answers * window->noise >= ENOUGH)
			window->noise = is;
		return;
	}
	window->noise = window->noise > 0 ? (window->noise + is) / 2 : is;
	if (window->size < window->found)
		window->size = window->found;
	window->bad = 0;
}

static void look_at_noise(struct window *window, bool bad)
{
	tally_add(&window->lately, bad);
	if (window->lately.answers * window->noise < STRETCH)
		return;
	if (share(&window->lately) < window->noise / 2)
		window->noise = share(&window->lately);
	window->lately = (struct window_tally){0};
}

/* An answer to an attempt sent since the last cut: is it time for another? */
static bool is_too_much(struct window *window, bool bad)
{
	double drift = NOISE_DRIFT * window->noise, limit = window->noise > 0 ? NOISE_EXCESS : 1;

	if (window->trying) {
		/* Where refusals come at once those of too large a size came before the cut, and were not
		 * counted: what is refused at that size again is no sign of noise. */
		if (window->size < HALVED * window->found || share(&window->before) > EARLY_SHARE)
			tally_add(&window->after, bad);
		if (++window->tried >= TRIAL_MIN && window->tried >= window->bad)
			decide(window);
		else if (drift < TRIAL_DRIFT)
			drift = TRIAL_DRIFT;
		limit = TRIAL_EXCESS;
	} else if (window->noise > 0) {
		look_at_noise(window, bad);
	}
	window->excess += bad - drift;
	if (window->excess < 0)
		window->excess = 0;
	return bad && window->excess >= limit - drift;
}

/* What was long ago counts for less: the service may allow more or less by now. */
enum { GOOD_MS_MAX = 4000 };

static void count_good(struct window *window, uint64_t now_ms)
{
	uint64_t ms = now_ms - window->good_from_ms;

	window->good++;
	if (ms > GOOD_MS_MAX) {
		window->good /= 2;
		window->good_from_ms += ms / 2;
	}
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
	bool bad = outcome == WINDOW_BAD;

	if (outcome == WINDOW_GOOD) {
		learn_trip(window, (double)(now_ms - ticket.sent_ms));
		count_good(window, now_ms);
	}
	if (outcome != WINDOW_SILENT && ticket.cuts == window->cuts) {
		if (is_too_much(window, bad))
			cut(window, now_ms);
		else if (!bad)
			grow(window, now_ms);
	} else if (outcome != WINDOW_SILENT && ticket.cuts + 1 == window->cuts) {
		tally_add(&window->before, bad);
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
