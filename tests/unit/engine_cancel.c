/*
 * Calls that are cancelled, an engine that ends with calls under way, and many calls at once.
 */
#include "tests/unit/calling.h"

/* Waits until the server has n requests. */
static void until_asked(struct fixture *fixture, unsigned n)
{
	for (unsigned i = 0; asked(fixture) < n; i++) {
		assert_true(i < 20000);
		poll(NULL, 0, 1);
	}
}

struct many {
	struct call call;
	atomic_int *ended;
	int error;
	bool again;
};

static void on_many(struct call *call, const struct s3_answer *got)
{
	struct many *many = call->user;

	many->error = call->error;
	assert_non_null(got);
	if (many->again) {
		many->again = false;
		call_start(call->worker, call);
	}
	atomic_fetch_add(many->ended, 1);
}

static void post_many(struct fixture *fixture, struct many *many, unsigned count, atomic_int *ended)
{
	for (unsigned i = 0; i < count; i++) {
		head(fixture, &many[i].call);
		many[i].call.on_done = on_many;
		many[i].call.user = &many[i];
		many[i].call.flags = i % 2 ? CALL_BULK : 0;
		many[i].ended = ended;
		call_post(engine_pick(fixture->engine), &many[i].call);
	}
}

struct cancel_task {
	struct task task;
	struct many *many;
	unsigned count;
	atomic_int *ended;
	int ended_inside;
};

static void cancel_all(struct task *task, struct worker *worker)
{
	struct cancel_task *cancel = (struct cancel_task *)task;

	for (unsigned i = 0; i < cancel->count; i++) {
		call_cancel(&cancel->many[i].call);
		call_cancel(&cancel->many[i].call);
	}
	cancel->ended_inside = atomic_load(cancel->ended);
}

static void until(atomic_int *value, int wanted)
{
	for (unsigned i = 0; atomic_load(value) < wanted; i++) {
		assert_true(i < 20000);
		poll(NULL, 0, 1);
	}
}

/* Some on the wire, some in the queue, some started again by their own on_done. */
static void test_cancel(void **state)
{
	struct fixture *fixture =
		begin_with(&(struct engine_options){.retries = 3, .workers = 1, .inflight = 8}, 1,
			(const char *[]){STALL});
	struct many many[40] = {0};
	atomic_int ended = 0;
	struct cancel_task cancel = {.task.run = cancel_all, .many = many, .count = 40, .ended = &ended};

	many[3].again = true;
	post_many(fixture, many, 40, &ended);
	until_asked(fixture, 8);
	assert_int_equal(atomic_load(&ended), 0);
	worker_post(engine_worker(fixture->engine, 0), &cancel.task);
	until(&ended, 40);
	assert_int_equal(cancel.ended_inside, 0);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(many[i].error, -ECANCELED);
	/* The one started again is still under way; the engine's end cancels it. */
	end(fixture);
	assert_int_equal(atomic_load(&ended), 41);
}

static void test_free_with_calls(void **state)
{
	struct fixture *fixture =
		begin_with(&(struct engine_options){.retries = 3, .workers = 3, .inflight = 9}, 3,
			(const char *[]){HEAD_OK, SLOW_DOWN, STALL});
	struct many many[60] = {0};
	atomic_int ended = 0;

	post_many(fixture, many, 60, &ended);
	until_asked(fixture, 5);
	end(fixture);
	assert_int_equal(atomic_load(&ended), 60);
}

static void test_many_calls_two_workers(void **state)
{
	struct fixture *fixture =
		begin_with(&(struct engine_options){.retries = 3, .workers = 2, .inflight = 16}, 1,
			(const char *[]){HEAD_OK});
	static struct many many[2000];
	atomic_int ended = 0;

	memset(many, 0, sizeof(many));
	post_many(fixture, many, 2000, &ended);
	until(&ended, 2000);
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(many[i].error, 0);
	assert_int_equal(asked(fixture), 2000);
	end(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_free_with_calls),
		cmocka_unit_test(test_many_calls_two_workers),
	};

	clean_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
