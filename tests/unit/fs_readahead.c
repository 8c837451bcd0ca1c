/* How far ahead of a reader is fetched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fs/file/readahead.h"

static const uint64_t GIB = (uint64_t)1 << 30;
static const uint64_t STEP = 128 << 10;

static void test_sequential(void **state)
{
	struct readahead ahead = {0};
	uint64_t window = 0, largest = 0;

	assert_int_equal(readahead_until(&ahead, 0, STEP, GIB), STEP + READ_WINDOW_FIRST);
	for (uint64_t at = STEP; at < (uint64_t)64 << 20; at += STEP) {
		uint64_t until = readahead_until(&ahead, at, STEP, GIB);

		assert_true(until >= at + STEP);
		assert_true(ahead.window >= window); /* never smaller */
		window = ahead.window;
		if (until - at - STEP > largest)
			largest = until - at - STEP;
	}
	assert_int_equal(window, READ_WINDOW_MAX);
	assert_int_equal(largest, READ_WINDOW_MAX);
	assert_int_equal(readahead_unit(&ahead), READ_CHUNK_MAX);
}

/* The window is no larger than some multiple of what was read in sequence: a short file is not fetched eight
 * times. */
static void test_grows_with_use(void **state)
{
	struct readahead ahead = {0};

	for (uint64_t at = 0; at < (uint64_t)16 << 20; at += 4096) {
		readahead_until(&ahead, at, 4096, GIB);
		assert_true(ahead.window == READ_WINDOW_FIRST ||
			    ahead.window <= READ_WINDOW_GROWTH * (at + 4096));
	}
}

static void test_ends_at_the_end(void **state)
{
	struct readahead ahead = {0};

	assert_int_equal(readahead_until(&ahead, 0, 1000, 1000), 1000);
	assert_int_equal(readahead_until(&ahead, 0, 1000, 5000), 5000);
}

static void test_random(void **state)
{
	struct readahead ahead = {0};
	const uint64_t places[] = {500 << 20, 10 << 20, 900 << 20, 300 << 20};

	for (unsigned i = 0; i < 4; i++) {
		uint64_t until = readahead_until(&ahead, places[i] + 4096, 4096, GIB);

		assert_true(until <= places[i] + READ_ROUND);
		assert_true(until >= places[i] + 8192);
		assert_int_equal(ahead.window, 0);
	}
	assert_int_equal(readahead_unit(&ahead), READ_ROUND);
	/* And back to a sequence. */
	readahead_until(&ahead, (300 << 20) + 8192, STEP, GIB);
	assert_int_equal(ahead.window, READ_WINDOW_FIRST);
}

/* The kernel's parallel reads of one stream come in any order. */
static void test_out_of_order(void **state)
{
	struct readahead ahead = {0};
	static const unsigned order[] = {0, 2, 1, 4, 3, 5, 7, 6};

	for (unsigned round = 0; round < 8; round++) {
		for (unsigned i = 0; i < 8; i++) {
			readahead_until(&ahead, (round * 8 + order[i]) * STEP, STEP, GIB);
			assert_true(ahead.window > 0);
		}
	}
	assert_true(ahead.window > READ_WINDOW_FIRST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequential),
		cmocka_unit_test(test_grows_with_use),
		cmocka_unit_test(test_ends_at_the_end),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_out_of_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
