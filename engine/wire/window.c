#include "engine/wire/window.h"

/* ---- the tuned numbers, in one place ---- */

/* Below this number in flight a service counts as one that allows few; attempts a second there, at least; and
 * the longest look ahead. */
static const double SMALL = 16, SMALL_LEAST = 2;
enum { HELD_MS_MAX = 1000 };

/* Where probing begins, as a share of the bad level, and its growth a second there.  In the simulation of
 * tests/unit/engine_window 96 % or more of a service's rate is reached and under 3 % refused, at 500 to
 * 10,000 a second. */
static const double PROBE_FROM = 0.95, PROBE_SLOPE = 0.04, PROBE_FASTER = 4;

/* Noise hides the first refusals of a rate, so that the ceiling is gone to at a tenth more each round trip.
 */
static const double NOISE_GROWTH = 0.1;

/* While it is not, only a share above TRIAL_DRIFT cuts again, once TRIAL_EXCESS more than that were refused.
 */
static const double TRIAL_DRIFT = 0.25, TRIAL_EXCESS = 4;

/* A trial is decided by so many answers, or the level's number where that is more. */
enum { TRIAL_MIN = 32 };

/* An earlier trial's share in the next. */
static const double TALLY_KEPT = 0.75;

/* A rate that was probed up to is met again after a second or so (PROBE_FROM, PROBE_SLOPE). */
static const double EARLY_TRIPS = 27, EARLY_MS_MAX = 800;

/* A refusal or two, soon after the last: more likely noise too thin for a trial.  Such cuts would bring the
 * level down by a twentieth each time; it goes up a tenth instead, and if it was the rate after all, the next
 * cut finds more than EARLY_SHARE refused and goes by that share. */
static const double EARLY_RAISE = 1.1, EARLY_SHARE = 0.05;

/* Room above it for places that a cut left unused. */
static const double SUSTAINED_MORE = 1.1;

/* A single refusal among many good answers says nothing of that: the size may be small for another reason. */
static const double SMALL_SHARE = 0.1;

/* The cut: the level goes down only to the good answers, and stays where it was when a refusal comes early
 * but most of it was good all the same; else noise too thin for the trial would bring it down bit by bit. */
static const double SMALL_CUT = 0.7, SMALL_MORE = 1.05, SMALL_FAR = 0.85;

/* Up to this share of the number in flight at the cut the size counts as halved. */
static const double HALVED = 0.9;

/* With noise, refusals above 5/4 of it are summed up; 16 of them by chance are a matter of minutes at 17,000
 * a second (simulated for 1 to 50 %), and 40 answers when half are refused. */
static const double NOISE_DRIFT = 1.25, NOISE_EXCESS = 16, NOISE_MAX = 0.5;

/* Refusals expected in a stretch that may lower the noise: half of 50 is 3.5 standard deviations away. */
enum { STRETCH = 50 };

/* ... and in a trial that may do so; refused in the trials at a small size that show noise. */
enum { ENOUGH = 4, SMALL_NOISE = 3 };

/* The trial at a small size, by answers or time. */
enum { SMALL_TRIAL = 16, SMALL_TRIAL_MS = 400 };

/* Answers of long ago count for less: the service may allow more or less by now. */
enum { GOOD_MS_MAX = 4000, RECENT_MS_MAX = 2000 };

/* ---- places and pace ---- */

void window_init(struct window *window, unsigned ceiling, uint64_t now_ms)
{
	*window = (struct window){
		.ceiling = ceiling,
		.size = ceiling < WINDOW_START ? ceiling : WINDOW_START,
		.used_ms = now_ms,
		.grown_ms = now_ms,
		.good_from_ms = now_ms,
		.recent_from_ms = now_ms,
	};
	retry_budget_init(&window->budget, now_ms);
}

/* Without a refusal so far, or a round trip to go by, there is no pace. */
static bool is_paced(const struct window *window)
{
	return window->bad > 0 && window->trip_ms > 0;
}

/* Does the service take so few requests at a time that whole numbers are too coarse? */
static bool is_small(const struct window *window)
{
	return window->small && window->bad > 0;
}

unsigned window_places(const struct window *window)
{
	unsigned places = (unsigned)window->size + (is_small(window) ? 2 : 0);

	return places ? places : 1;
}

static bool below_size(const struct window *window, bool bulk)
{
	return window->active < window_places(window) + (bulk ? 0 : WINDOW_EXTRA);
}

bool window_room(const struct window *window, bool bulk)
{
	return below_size(window, bulk) && (!bulk || !is_paced(window) || window->pace >= 1);
}

/* The least size of a service that allows few, by the round trip of now: it may have grown since the cut. */
static double least_size(const struct window *window)
{
	return SMALL_LEAST * window->trip_ms / 1000;
}

static double attempts_a_ms(const struct window *window)
{
	double size = window->size;

	if (is_small(window) && size < least_size(window))
		size = least_size(window);
	return (is_small(window) ? 1 : 1.25) * size / (window->trip_ms < 1 ? 1 : window->trip_ms);
}

unsigned window_held_ms(const struct window *window)
{
	double ms;

	if (!window->bulk.first || !below_size(window, true) || window_room(window, true))
		return 0;
	ms = (1 - window->pace) / attempts_a_ms(window);
	return ms < 1 ? 1 : ms > HELD_MS_MAX ? HELD_MS_MAX : (unsigned)ms + 1;
}

void window_tick(struct window *window, uint64_t now_ms)
{
	double a_ms = attempts_a_ms(window);
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

static void grow(struct window *window, uint64_t now_ms)
{
	double seconds, pause = is_small(window) ? 1 / SMALL_LEAST : 0.1;

	if (window->active + 1 < 0.9 * window->size && !window->bulk.first) {
		/* Answers now say how much was asked for, not how much is allowed. */
		window->recent = (struct window_tally){0};
		window->good = 0;
		window->good_from_ms = window->recent_from_ms = now_ms;
		return;
	}
	seconds = (double)(now_ms - window->grown_ms) / 1000;
	if (seconds > pause) /* after a pause it goes on from where it was, not by leaps */
		seconds = pause;
	window->grown_ms = now_ms;
	if (window->bad > 0 && window->size > 2 * window->bad)
		window->bad = 0;
	if (is_small(window) && window->trying) {
		return;
	} else if (window->bad == 0 && window->noise > 0) {
		window->size += NOISE_GROWTH;
	} else if (window->bad == 0 || window->size < PROBE_FROM * window->bad) {
		window->size += window->size < 1 ? window->size : 1;
		if (is_small(window) && window->size > PROBE_FROM * window->bad)
			window->size = PROBE_FROM * window->bad;
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

static void tally_age(struct window_tally *tally, bool keep)
{
	tally->answers *= keep ? TALLY_KEPT : 0;
	tally->bad *= keep ? TALLY_KEPT : 0;
}

/* Good answers since the last cut, as a number in flight; `found` where that is too little to go by, or
 * less. Between two refusals a bucket of tokens, which may hold a good deal, gives out the tokens that flow
 * into it and no more, while the size at which it runs dry says how much was in it. */
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

/* ---- services that allow few ---- */

/* Good answers lately, as a number in flight; negative where that is not known. */
static double lately_good(const struct window *window, uint64_t now_ms)
{
	double ms = (double)(now_ms - window->recent_from_ms);

	if (window->trip_ms == 0 || ms < 3 * window->trip_ms)
		return -1;
	return (window->recent.answers - window->recent.bad) * window->trip_ms / ms;
}

static bool is_now_small(const struct window *window, double good)
{
	if (good < 0 || good >= SMALL)
		return false;
	/* Only a service that says so allows few. */
	return is_small(window) || (window->said && share(&window->recent) > SMALL_SHARE);
}

static void cut_small(struct window *window, double good, uint64_t now_ms)
{
	double least = least_size(window), found = window->size, level = window->bad;

	least = least < 1 && window->said ? least : 1;
	if (is_small(window) && window->trying && now_ms > window->good_from_ms)
		good = window->good * window->trip_ms / (double)(now_ms - window->good_from_ms);
	good *= SMALL_MORE;
	if (window->trying || !is_small(window) || good < SMALL_FAR * found)
		level = good < found ? good : found;
	else if (now_ms - window->cut_ms > EARLY_MS_MAX || found > level)
		level = found;
	window->bad = level > least ? level : least;
	window->found = window->bad;
	window->slope = PROBE_SLOPE * window->bad;
	window->size = SMALL_CUT * window->bad > least ? SMALL_CUT * window->bad : least;
	window->small = true;
}

/* ---- a cut ---- */

static void cut_large(struct window *window, double level, uint64_t now_ms)
{
	window->bad = level_of(window, level, now_ms);
	window->found = level < 1 ? 1 : level;
	window->slope = PROBE_SLOPE * level < 0.5 ? 0.5 : PROBE_SLOPE * level;
	window->size = level < 2 ? 1 : level / 2;
	window->small = false;
}

static void cut(struct window *window, uint64_t now_ms)
{
	double level = window->active < window->size ? window->active : window->size;
	double good = lately_good(window, now_ms);

	if (is_now_small(window, good))
		cut_small(window, good, now_ms);
	else
		cut_large(window, level, now_ms);
	window->cut_ms = window->good_from_ms = now_ms;
	window->good = 0;
	window->grown_ms = now_ms;
	window->cuts++;
	window->excess = 0;
	/* One cut short by a further cut says nothing of noise. */
	tally_age(&window->before, !window->trying);
	tally_age(&window->after, !window->trying);
	/* The refusals that made the cut would bias the share; in a small window there is little else. */
	if (level < TRIAL_MIN / 2.0)
		tally_add(&window->before, true);
	window->tried = window->tried_bad = 0;
	window->trying = true;
}

/* ---- noise ---- */

/* Is the share refused after the cut nearer to the share before it than to the share that a rate would
 * refuse? */
static bool is_noise(const struct window *window)
{
	double was = share(&window->before), is = share(&window->after);
	double if_rate = was > 0.5 ? 2 * was - 1 : 0;

	if (window->after.bad < 2 || is > NOISE_MAX)
		return false;
	/* The level is the number of good answers, so that a rate refuses nothing below it. */
	if (is_small(window))
		return window->tried_bad > 0 && window->after.bad >= SMALL_NOISE;
	return is > (was + if_rate) / 2;
}

static void decide(struct window *window, uint64_t now_ms)
{
	double is = share(&window->after);

	window->trying = false;
	window->excess = 0;
	window->lately = (struct window_tally){0};
	if (!is_noise(window)) {
		if (is < window->noise && window->after.answers * window->noise >= ENOUGH)
			window->noise = is;
		return;
	}
	/* Half of far too much is too much, too: another trial, below the number of good answers. */
	if (!is_small(window) && is_now_small(window, lately_good(window, now_ms))) {
		cut(window, now_ms);
		return;
	}
	window->noise = window->noise > 0 ? (window->noise + is) / 2 : is;
	if (window->size < window->found)
		window->size = window->found;
	window->bad = 0;
}

static bool trial_is_over(const struct window *window, uint64_t now_ms)
{
	if (is_small(window))
		return window->tried >= SMALL_TRIAL || now_ms - window->cut_ms >= SMALL_TRIAL_MS;
	return window->tried >= TRIAL_MIN && window->tried >= window->bad;
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
static bool is_too_much(struct window *window, bool bad, uint64_t now_ms)
{
	double drift = NOISE_DRIFT * window->noise, limit = window->noise > 0 ? NOISE_EXCESS : 1;

	if (window->trying) {
		/* Where refusals come at once those of too large a size came before the cut, and were not
		 * counted: a refusal at that size again is no sign of noise. */
		if (window->size < HALVED * window->found ||
			(!is_small(window) && share(&window->before) > EARLY_SHARE))
			tally_add(&window->after, bad);
		window->tried++;
		window->tried_bad += bad;
		if (trial_is_over(window, now_ms))
			decide(window, now_ms);
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

static void count_recent(struct window *window, bool bad, uint64_t now_ms)
{
	uint64_t ms = now_ms - window->recent_from_ms;

	tally_add(&window->recent, bad);
	if (ms > RECENT_MS_MAX) {
		window->recent.answers /= 2;
		window->recent.bad /= 2;
		window->recent_from_ms += ms / 2;
	}
}

void window_answer(
	struct window *window, struct window_ticket ticket, enum window_outcome outcome, uint64_t now_ms)
{
	bool bad = outcome == WINDOW_BAD || outcome == WINDOW_FAILED;

	if (bad)
		window->said = outcome == WINDOW_BAD;
	if (outcome != WINDOW_SILENT)
		count_recent(window, bad, now_ms);
	if (outcome == WINDOW_GOOD) {
		learn_trip(window, (double)(now_ms - ticket.sent_ms));
		count_good(window, now_ms);
	}
	if (outcome != WINDOW_SILENT && ticket.cuts == window->cuts) {
		if (is_too_much(window, bad, now_ms))
			cut(window, now_ms);
		else if (!bad)
			grow(window, now_ms);
	} else if (outcome != WINDOW_SILENT && ticket.cuts + 1 == window->cuts) {
		tally_add(&window->before, bad);
	}
	window->active--;
}
