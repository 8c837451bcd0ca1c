#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "engine/wire/retry.h"

static void test_delay_bounds(void **state)
{
	assert_int_equal(retry_delay(1, false, 0), 0);
	assert_int_equal(retry_delay(1, false, RETRY_BASE_MS), RETRY_BASE_MS);
	assert_int_equal(retry_delay(3, false, 4 * RETRY_BASE_MS), 4 * RETRY_BASE_MS);
	for (unsigned failed = 0; failed < 100; failed++) {
		for (uint64_t random = 0; random < 50; random++) {
			assert_true(
				retry_delay(failed, false, random * 0x9E3779B97F4A7C15ULL) <= RETRY_CAP_MS);
			assert_true(retry_delay(failed, true, random * 0x9E3779B97F4A7C15ULL) <=
				    RETRY_SLOW_CAP_MS);
		}
	}
	assert_int_equal(retry_delay(64, false, RETRY_CAP_MS), RETRY_CAP_MS);
}

/* Full jitter: the delays of many calls that failed together are spread over the whole span. */
static void test_jitter(void **state)
{
	uint64_t random = 12345;
	unsigned low = 0, high = 0;

	for (unsigned i = 0; i < 1000; i++) {
		unsigned delay = retry_delay(4, false, retry_random(&random));

		low += delay < 4 * RETRY_BASE_MS;
		high += delay >= 4 * RETRY_BASE_MS;
	}
	assert_true(low > 400 && high > 400);
}

/* An empty budget: about the longest delay, and never at once. */
static void test_empty(void **state)
{
	for (uint64_t random = 0; random < 1000; random++)
		assert_in_range(
			retry_delay_empty(random * 0x9E3779B97F4A7C15ULL), RETRY_CAP_MS / 2, RETRY_CAP_MS);
}

static void test_course(void **state)
{
	assert_int_equal(retry_course_ms(0), 0);
	assert_int_equal(retry_course_ms(1), RETRY_BASE_MS / 2);
	assert_int_equal(retry_course_ms(3), 7 * RETRY_BASE_MS / 2);
	assert_int_equal(retry_course_ms(100) - retry_course_ms(99), RETRY_CAP_MS / 2);
}

static void test_budget_ends(void **state)
{
	struct retry_budget budget;
	unsigned taken = 0;

	retry_budget_init(&budget, 1000);
	while (retry_budget_take(&budget, 1000))
		taken++;
	assert_int_equal(taken, RETRY_BUDGET);
	retry_budget_give(&budget);
	assert_true(retry_budget_take(&budget, 1000));
	assert_false(retry_budget_take(&budget, 1000));
	/* A second later some more. */
	for (taken = 0; retry_budget_take(&budget, 2000); taken++)
		;
	assert_int_equal(taken, RETRY_BUDGET_PER_SECOND);
}

static void test_budget_is_capped(void **state)
{
	struct retry_budget budget;
	unsigned taken = 0;

	retry_budget_init(&budget, 0);
	for (unsigned i = 0; i < 10; i++)
		retry_budget_give(&budget);
	while (retry_budget_take(&budget, 1000000))
		taken++;
	assert_int_equal(taken, RETRY_BUDGET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delay_bounds),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_course),
		cmocka_unit_test(test_budget_ends),
		cmocka_unit_test(test_budget_is_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
