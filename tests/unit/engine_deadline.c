/* Waits that end by the clock that never jumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "engine/base/clock.h"

static void test_deadline(void **state)
{
	static const uint64_t limits[] = {0, 1, 999, 1000, 1001, 2999, 86400000};

	for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t before = clock_exact_ms();
		struct timespec end = clock_deadline(limits[i]);
		uint64_t after = clock_exact_ms(),
			 ms = (uint64_t)end.tv_sec * 1000 + (uint64_t)end.tv_nsec / 1000000;

		assert_true(end.tv_nsec >= 0 && end.tv_nsec < 1000000000);
		assert_true(ms >= before + limits[i] && ms <= after + limits[i]);
	}
}

static void test_coarse_is_not_ahead(void **state)
{
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t coarse = clock_ms();

		assert_true(coarse <= clock_exact_ms());
	}
}

static void test_wait_ends(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond;
	struct timespec end = clock_deadline(20);
	uint64_t before = clock_exact_ms();
	int error = 0;

	clock_cond_init(&cond);
	pthread_mutex_lock(&lock);
	while (error == 0)
		error = pthread_cond_timedwait(&cond, &lock, &end);
	pthread_mutex_unlock(&lock);
	assert_int_equal(error, ETIMEDOUT);
	assert_true(clock_exact_ms() - before >= 19);
	pthread_cond_destroy(&cond);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_coarse_is_not_ahead),
		cmocka_unit_test(test_wait_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
