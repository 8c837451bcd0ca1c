#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "engine/wire/retry.h"
#include "engine/wire/window.h"

static void test_doubles(void **state)
{
	struct window window;
	unsigned trips = 0;

	window_init(&window, 512, 0);
	window.bulk.first = (struct call *)&window; /* there is always more to do */
	for (; (unsigned)window.size < 512; trips++) {
		struct window_ticket ticket = {0};
		unsigned sent = 0;

		assert_true(trips < 10);
		for (; window_room(&window, true); sent++)
			ticket = window_send(&window, 0);
		while (sent--)
			window_answer(&window, ticket, WINDOW_GOOD, 30 * (trips + 1));
		assert_int_equal(window.active, 0);
	}
	assert_int_equal(trips, 4);
}

static void test_idle_does_not_grow(void **state)
{
	struct window window;

	window_init(&window, 512, 0);
	for (unsigned i = 0; i < 1000; i++)
		window_answer(&window, window_send(&window, 0), WINDOW_GOOD, i);
	assert_int_equal((unsigned)window.size, WINDOW_START);
}

static void test_one_cut_a_trip(void **state)
{
	struct window window;
	struct window_ticket ticket = {0};

	window_init(&window, 512, 0);
	for (unsigned i = 0; i < 32; i++)
		ticket = window_send(&window, 0);
	for (unsigned i = 0; i < 32; i++)
		window_answer(&window, ticket, WINDOW_BAD, 10);
	assert_int_equal((unsigned)window.size, 16);
	assert_int_equal(window.active, 0);
}

static void test_never_under_one(void **state)
{
	struct window window;

	window_init(&window, 512, 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(window_room(&window, true));
		window_answer(&window, window_send(&window, 0), WINDOW_BAD, i);
	}
	assert_true(window.size >= 1);
	/* ... and it comes back. */
	window.bulk.first = (struct call *)&window;
	for (unsigned i = 0; i < 100000 && window.size < 100; i++) {
		window_tick(&window, 100 + i);
		struct window_ticket ticket = {0};
		unsigned sent = 0;

		for (; window_room(&window, true); sent++)
			ticket = window_send(&window, 0);
		while (sent--)
			window_answer(&window, ticket, WINDOW_GOOD, 100 + i);
	}
	assert_true(window.size >= 100);
}

static void test_silent(void **state)
{
	struct window window;

	window_init(&window, 512, 0);
	window_answer(&window, window_send(&window, 0), WINDOW_SILENT, 1);
	assert_int_equal((unsigned)window.size, WINDOW_START);
	assert_int_equal(window.active, 0);
}

static void test_interactive_first(void **state)
{
	struct window window;
	struct call bulk, quick;

	call_init(&bulk);
	call_init(&quick);
	bulk.flags = CALL_BULK;
	window_init(&window, 1, 0);
	call_queue_push(&window, &bulk, false);
	call_queue_push(&window, &quick, false);
	window_send(&window, 0);
	assert_null(call_queue_pop(&window, true));
	assert_ptr_equal(call_queue_pop(&window, false), &quick);
	for (unsigned i = 0; i < WINDOW_EXTRA; i++)
		window_send(&window, 0);
	call_queue_push(&window, &quick, false);
	assert_null(call_queue_pop(&window, false));
	assert_int_equal(window.queued, 2);
	call_queue_remove(&window, &bulk);
	call_queue_remove(&window, &quick);
	assert_int_equal(window.queued, 0);
}

/* ---- a simulated service: 30 ms a request, refuses what is above a rate (a bucket of tokens) ---- */

enum { LATENCY_US = 30000, REFUSAL_US = 500, IN_FLIGHT_MAX = 600 };

struct attempt {
	uint64_t due_us;
	struct window_ticket ticket;
	bool refused;
};

struct service {
	double rate, burst, tokens;
	double noise; /* refused at random, besides */
	uint64_t random;
	uint64_t now_us;
	bool at_once; /* refuses as soon as it is asked, and not when an answer would be due */
	struct line {
		struct attempt ring[IN_FLIGHT_MAX];
		unsigned head, count;
	} lines[2]; /* answers due; refusals at once */
	unsigned long good, refused;
};

static bool by_chance(struct service *service)
{
	if (!service->random)
		service->random = 88172645463325252;
	return (double)(retry_random(&service->random) >> 11) * 0x1p-53 < service->noise;
}

static void service_take(struct service *service, struct window *window)
{
	bool refused = service->tokens < 1 || by_chance(service);
	struct line *line = &service->lines[refused && service->at_once];
	struct attempt *attempt = &line->ring[(line->head + line->count++) % IN_FLIGHT_MAX];

	assert_true(line->count <= IN_FLIGHT_MAX);
	attempt->ticket = window_send(window, service->now_us / 1000);
	attempt->refused = refused;
	if (!refused)
		service->tokens -= 1;
	attempt->due_us = service->now_us + (line == service->lines ? LATENCY_US : REFUSAL_US);
}

static void service_answer(struct service *service, struct line *line, struct window *window)
{
	while (line->count && line->ring[line->head].due_us <= service->now_us) {
		struct attempt attempt = line->ring[line->head];

		line->head = (line->head + 1) % IN_FLIGHT_MAX;
		line->count--;
		service->good += !attempt.refused;
		service->refused += attempt.refused;
		window_answer(window, attempt.ticket, attempt.refused ? WINDOW_BAD : WINDOW_GOOD,
			service->now_us / 1000);
	}
}

static void service_run(struct service *service, struct window *window, uint64_t us)
{
	/* There is always more to do. */
	window->bulk.first = (struct call *)window;
	for (uint64_t end = service->now_us + us; service->now_us < end; service->now_us += 100) {
		service->tokens += service->rate / 10000;
		if (service->tokens > service->burst)
			service->tokens = service->burst;
		service_answer(service, &service->lines[0], window);
		service_answer(service, &service->lines[1], window);
		window_tick(window, service->now_us / 1000);
		while (window_room(window, true))
			service_take(service, window);
	}
}

static void settles(double rate, double burst, bool at_once)
{
	struct service service = {.rate = rate, .burst = burst, .tokens = burst, .at_once = at_once};
	struct window window;
	double share, reached;

	window_init(&window, 512, 0);
	service_run(&service, &window, 5000000);
	service.good = service.refused = 0;
	service_run(&service, &window, 20000000);
	reached = (double)service.good / 20 / rate;
	share = (double)service.refused / (double)(service.good + service.refused);
	print_message("rate %.0f burst %.0f%s: %.1f %% reached, %.2f %% refused\n", rate, burst,
		at_once ? ", refused at once" : "", 100 * reached, 100 * share);
	assert_true(reached > 0.9);
	assert_true(share < 0.05);
}

static void test_settles(void **state)
{
	static const double rates[][2] = {{20, 2}, {50, 5}, {100, 10}, {100, 100}, {200, 20}, {2000, 20},
		{2000, 200}, {2000, 2000}, {500, 50}, {500, 500}, {10000, 100}, {10000, 1000}};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		settles(rates[i][0], rates[i][1], false);
		settles(rates[i][0], rates[i][1], true);
	}
}

static const double few[] = {20, 100, 200};

/* Refusals at random, too few to be told as noise, cost a small size much, but do not bring it down to
 * nothing. */
static void test_few_and_thin_noise(void **state)
{
	for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++) {
		struct service service = {.rate = few[i], .burst = few[i] / 10, .noise = 0.02};
		struct window window;
		double reached;

		window_init(&window, 512, 0);
		service_run(&service, &window, 5000000);
		service.good = service.refused = 0;
		service_run(&service, &window, 20000000);
		reached = (double)service.good / 20 / few[i];
		print_message("rate %.0f and 2 %% noise: %.1f %% reached\n", few[i], 100 * reached);
		assert_true(reached > 0.3);
	}
}

/* From few to many within seconds. */
static void test_few_no_more(void **state)
{
	for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++) {
		struct service service = {.rate = few[i], .burst = few[i] / 10};
		struct window window;

		window_init(&window, 512, 0);
		service_run(&service, &window, 10000000);
		assert_true(window.size < 16);
		assert_true(window_places(&window) >= 1);
		service.rate = service.burst = 1e6;
		service_run(&service, &window, 10000000);
		print_message("rate %.0f no more: %.0f after 10 s\n", few[i], window.size);
		assert_true(window.size > 400);
	}
}

/* All is refused for some seconds: it is left alone, and soon asked as much as before when that is over. */
static void test_outage(void **state)
{
	struct service service = {.rate = 1e6, .burst = 1e6};
	struct window window;

	window_init(&window, 512, 0);
	service_run(&service, &window, 5000000);
	service.noise = 1;
	service_run(&service, &window, 10000000);
	service.refused = 0;
	service_run(&service, &window, 10000000);
	assert_in_range(service.refused, 10, 400);
	service.noise = 0;
	service_run(&service, &window, 5000000);
	assert_true(window.size > 400);
}

/* Few are asked at a time, and a few per cent of them get no answer: that is no service that allows few, and one
 * at a time goes out without a pause. */
static void test_time_outs_are_no_rate(void **state)
{
	enum { TRIP_MS = 5, SILENT_MS = 2000, JOBS = 4, SECONDS = 120 };
	struct {
		struct window_ticket ticket;
		uint64_t due_ms;
		bool silent;
	} jobs[JOBS] = {0};
	struct window window;
	uint64_t random = 88172645463325252;
	unsigned idle_ms = 0, longest = 0;

	window_init(&window, 512, 0);
	for (uint64_t now = 1; now < SECONDS * 1000; now++) {
		bool sent = false;

		/* Those that have no place wait for one. */
		window.bulk.first = (struct call *)&window;
		for (unsigned i = 0; i < JOBS; i++) {
			if (jobs[i].due_ms && jobs[i].due_ms <= now) {
				window_answer(&window, jobs[i].ticket,
					jobs[i].silent ? WINDOW_FAILED : WINDOW_GOOD, now);
				jobs[i].due_ms = 0;
			}
		}
		window_tick(&window, now);
		for (unsigned i = 0; i < JOBS; i++) {
			if (jobs[i].due_ms || !window_room(&window, true))
				continue;
			jobs[i].ticket = window_send(&window, now);
			jobs[i].silent = retry_random(&random) % 100 < 4;
			jobs[i].due_ms = now + (jobs[i].silent ? SILENT_MS : TRIP_MS);
			sent = true;
		}
		assert_true(window.size >= 1);
		idle_ms = sent || window.active > 0 ? 0 : idle_ms + 1;
		longest = idle_ms > longest ? idle_ms : longest;
	}
	print_message("nothing on the wire for %u ms at most, size %.2f\n", longest, window.size);
	assert_true(longest < 200);
}

/* The least pace goes by the round trip of now. */
static void test_least_pace(void **state)
{
	struct window window;

	window_init(&window, 512, 0);
	window.bulk.first = (struct call *)&window;
	window.bad = 1;
	window.small = true;
	window.size = 0.1; /* two a second when the trip was 50 ms */
	window.trip_ms = 400;
	window_tick(&window, 0);
	assert_in_range(window_held_ms(&window), 1, 501);
}

/* What only the pace holds back says for how long. */
static void test_held(void **state)
{
	struct window window;

	window_init(&window, 512, 0);
	assert_int_equal(window_held_ms(&window), 0);
	window.bulk.first = (struct call *)&window;
	assert_int_equal(window_held_ms(&window), 0);
	window.bad = window.size = 1;
	window.trip_ms = 100;
	window.small = true;
	assert_int_equal(window_held_ms(&window), 101);
	window_tick(&window, 60);
	assert_in_range(window_held_ms(&window), 40, 41);
	window_tick(&window, 100);
	assert_int_equal(window_held_ms(&window), 0);
	assert_true(window_room(&window, true));
}

/* The service takes more than before: the window finds out. */
static void test_finds_more(void **state)
{
	struct service service = {.rate = 1000, .burst = 100};
	struct window window;

	window_init(&window, 512, 0);
	service_run(&service, &window, 5000000);
	assert_true(window.size < 60);
	service.rate = 10000;
	service_run(&service, &window, 15000000);
	service.good = 0;
	service_run(&service, &window, 5000000);
	assert_true(service.good > 40000);
}

/* ---- refusals that have nothing to do with the rate ---- */

/* Random refusals alone: nearly the whole ceiling is used.  512 each 30 ms are 17,067 a second. */
static void random_refusals(double noise, bool at_once)
{
	struct service service = {.rate = 1e6, .burst = 1e6, .noise = noise, .at_once = at_once};
	struct window window;
	double reached;

	window_init(&window, 512, 0);
	service_run(&service, &window, 5000000);
	service.good = service.refused = 0;
	service_run(&service, &window, 20000000);
	reached = (double)(service.good + service.refused) / 20 / 17067;
	print_message("%.1f %% refused at random%s: %.1f %% of the ceiling used, noise %.3f\n", 100 * noise,
		at_once ? ", at once" : "", 100 * reached, window.noise);
	assert_true(reached > (noise < 0.01 ? 0.5 : 0.8));
}

static void test_random_refusals(void **state)
{
	static const double noises[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.2, 0.4};

	for (size_t i = 0; i < sizeof(noises) / sizeof(noises[0]); i++) {
		random_refusals(noises[i], false);
		if (noises[i] < 0.3) /* left alone sooner where refusals come at once */
			random_refusals(noises[i], true);
	}
}

/* Both: the rate is kept to, and what is refused is not much more than the noise. */
static void test_noise_and_rate(void **state)
{
	struct service service = {.rate = 2000, .burst = 100, .noise = 0.05};
	struct window window;
	double share, reached;

	window_init(&window, 512, 0);
	service_run(&service, &window, 5000000);
	service.good = service.refused = 0;
	service_run(&service, &window, 20000000);
	reached = (double)service.good / 20 / (0.95 * 2000);
	share = (double)service.refused / (double)(service.good + service.refused);
	print_message("rate and noise: %.1f %% reached, %.2f %% refused\n", 100 * reached, 100 * share);
	assert_true(reached > 0.85);
	assert_true(share < 0.05 + 0.06);
}

/* The noise ends: it is forgotten, and a rate is kept to as strictly as ever. */
static void test_noise_is_forgotten(void **state)
{
	struct service service = {.rate = 1e6, .burst = 1e6, .noise = 0.2};
	struct window window;

	window_init(&window, 512, 0);
	service_run(&service, &window, 5000000);
	assert_true(window.noise > 0.1);
	service.noise = 0;
	service.rate = 2000;
	service.burst = service.tokens = 100;
	service_run(&service, &window, 5000000);
	service.good = service.refused = 0;
	service_run(&service, &window, 20000000);
	assert_true(service.good > 36000);
	assert_true((double)service.refused < 0.05 * (double)service.good);
}

/* One that refuses everything, or most, is left alone. */
static void test_refuses_most(void **state)
{
	struct service service = {.rate = 1e6, .burst = 1e6, .noise = 1};
	struct window window;

	window_init(&window, 512, 0);
	service_run(&service, &window, 5000000);
	assert_true(window.size < 2);
	assert_true(service.refused < 1000);
	service.noise = 0.8;
	service_run(&service, &window, 20000000);
	assert_true(window.size < 64);
	service.noise = 0;
	service_run(&service, &window, 20000000);
	assert_true(window.size > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_idle_does_not_grow),
		cmocka_unit_test(test_one_cut_a_trip),
		cmocka_unit_test(test_never_under_one),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_interactive_first),
		cmocka_unit_test(test_settles),
		cmocka_unit_test(test_few_and_thin_noise),
		cmocka_unit_test(test_few_no_more),
		cmocka_unit_test(test_outage),
		cmocka_unit_test(test_time_outs_are_no_rate),
		cmocka_unit_test(test_least_pace),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_finds_more),
		cmocka_unit_test(test_random_refusals),
		cmocka_unit_test(test_noise_and_rate),
		cmocka_unit_test(test_noise_is_forgotten),
		cmocka_unit_test(test_refuses_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
