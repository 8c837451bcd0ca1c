/* A worker's clock and its time-outs, when the process or the worker could not run for a while. */
#include "tests/unit/calling.h"
#include "engine/wire/work_clock.h"

static void test_runs(void **state)
{
	struct clock clock = {0};

	assert_int_equal(clock_turn(&clock, 5000, 0), 5000);
	assert_int_equal(clock_turn(&clock, 5001, 1000), 5001);
	assert_int_equal(clock_turn(&clock, 6001, 1000), 6001);
	/* Late, as on a machine that has much to do. */
	assert_int_equal(clock_turn(&clock, 7900, 1000), 7900);
	assert_int_equal(clock_turn(&clock, 8899, 0), 8899);
}

/* Stopped for 70 s: what it would have waited for has gone by, and no more. */
static void test_leaves_out_pauses(void **state)
{
	struct clock clock = {0};

	clock_turn(&clock, 1000, 0);
	assert_int_equal(clock_turn(&clock, 71000, 250), 1250);
	assert_int_equal(clock_turn(&clock, 71010, 0), 1260);
	assert_int_equal(clock_turn(&clock, 141010, 0), 1260);
	assert_int_equal(clock_turn(&clock, 141011, 1), 1261);
}

/* ---- a worker that is held up while answers come ---- */

enum { CALLS = 48, PAUSE_MS = 950, ROUNDS = 20 };

/* More answers than one turn looks at, and a pause that is longer than the time-out and too short for the
 * clock to leave it out. */
static const struct engine_options options = {
	.retries = UINT_MAX, .workers = 1, .timeout_ms = 600, .connect_timeout_ms = 60000};

struct hold {
	struct task task;
	atomic_bool begun;
	struct fixture *fixture;
};

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

static void hold_up(struct task *task, struct worker *worker)
{
	struct hold *hold = (struct hold *)task;

	atomic_store(&hold->begun, true);
	pause_ms(PAUSE_MS);
	/* However slow the server is today: all answers are there. */
	while (asked(hold->fixture) < CALLS)
		pause_ms(10);
	pause_ms(50);
}

static atomic_uint done;

static void count_done(struct call *call, const struct s3_answer *answer)
{
	atomic_fetch_add(&done, 1);
}

/* False: an attempt was overdue before the worker was held up, so that this round shows nothing. */
static bool holds_up(void)
{
	struct fixture *fixture = begin_with(&options, 1, (const char *[]){HEAD_OK});
	struct hold hold = {.task.run = hold_up, .fixture = fixture};
	struct call calls[CALLS];
	struct stats before = {0}, after;

	atomic_store(&done, 0);
	/* The server answers nothing as long as it can't count. */
	pthread_mutex_lock(&fixture->server.lock);
	for (unsigned i = 0; i < CALLS; i++) {
		head(fixture, &calls[i]);
		calls[i].on_done = count_done;
		call_post(engine_worker(fixture->engine, 0), &calls[i]);
	}
	while (before.connections < CALLS && before.timeouts == 0) {
		engine_stats(fixture->engine, &before);
		pause_ms(1);
	}
	worker_post(engine_worker(fixture->engine, 0), &hold.task);
	while (!atomic_load(&hold.begun))
		pause_ms(1);
	engine_stats(fixture->engine, &before);
	pthread_mutex_unlock(&fixture->server.lock);
	while (atomic_load(&done) < CALLS)
		pause_ms(1);
	engine_stats(fixture->engine, &after);
	for (unsigned i = 0; i < CALLS; i++)
		assert_int_equal(calls[i].error, 0);
	if (before.timeouts == 0)
		assert_int_equal(after.timeouts, 0);
	end(fixture);
	return before.timeouts == 0;
}

static void test_answers_that_wait_are_no_time_outs(void **state)
{
	unsigned shown = 0;

	for (unsigned i = 0; i < ROUNDS && shown < 2; i++)
		shown += holds_up();
	if (shown == 0)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_leaves_out_pauses),
		cmocka_unit_test(test_answers_that_wait_are_no_time_outs),
	};

	clean_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
