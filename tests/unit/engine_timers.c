#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "engine/wire/timers.h"

enum { MANY = 1000 };

static void test_order(void **state)
{
	struct timers timers;
	struct timer all[MANY] = {0};
	uint64_t last = 0;
	struct timer *timer;
	unsigned fired = 0;

	timers_init(&timers);
	assert_true(timers_next(&timers) == UINT64_MAX);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(timers_set(&timers, &all[i], (i * 7919u) % 1009u), 0);
	while ((timer = timers_pop(&timers, 2000))) {
		assert_true(timer->due_ms >= last);
		assert_int_equal(timer->index, 0);
		last = timer->due_ms;
		fired++;
	}
	assert_int_equal(fired, MANY);
	timers_release(&timers);
}

static void test_due(void **state)
{
	struct timers timers;
	struct timer a = {0}, b = {0};

	timers_init(&timers);
	timers_set(&timers, &a, 10);
	timers_set(&timers, &b, 20);
	assert_null(timers_pop(&timers, 9));
	assert_ptr_equal(timers_pop(&timers, 10), &a);
	assert_null(timers_pop(&timers, 19));
	assert_true(timers_next(&timers) == 20);
	timers_release(&timers);
	assert_int_equal(b.index, 0);
}

static void test_moved(void **state)
{
	struct timers timers;
	struct timer a = {0}, b = {0};

	timers_init(&timers);
	timers_set(&timers, &a, 10);
	timers_set(&timers, &b, 20);
	timers_set(&timers, &a, 30);
	assert_int_equal(timers.count, 2);
	assert_ptr_equal(timers_pop(&timers, 100), &b);
	timers_set(&timers, &a, 5);
	assert_true(timers_next(&timers) == 5);
	timers_release(&timers);
}

/* Any sequence of setting, moving and clearing leaves a heap that gives the rest in order. */
static void test_random_clears(void **state)
{
	struct timers timers;
	struct timer all[MANY] = {0}, *timer;
	uint64_t last = 0;
	unsigned left = 0, got = 0;

	srand(1);
	timers_init(&timers);
	for (unsigned i = 0; i < 20 * MANY; i++) {
		struct timer *one = &all[rand() % MANY];

		if (rand() % 3)
			timers_set(&timers, one, (uint64_t)(rand() % 500));
		else
			timers_clear(&timers, one);
	}
	for (unsigned i = 0; i < MANY; i++) {
		left += all[i].index != 0;
		assert_true(!all[i].index || timers.heap[all[i].index] == &all[i]);
	}
	while ((timer = timers_pop(&timers, 1000))) {
		assert_true(timer->due_ms >= last);
		last = timer->due_ms;
		got++;
	}
	assert_int_equal(got, left);
	timers_clear(&timers, &all[0]);
	timers_release(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_random_clears),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
