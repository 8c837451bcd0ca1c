/* The progress line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fs/cmd/progress.h"

static struct buf text;

static int setup(void **state)
{
	buf_init(&text, 1024);
	return 0;
}

static int teardown(void **state)
{
	buf_release(&text);
	return 0;
}

static const char *bytes(uint64_t value)
{
	buf_clear(&text);
	progress_bytes(&text, value);
	return buf_text(&text);
}

static const char *clock_of(uint64_t value)
{
	buf_clear(&text);
	progress_time(&text, value);
	return buf_text(&text);
}

static void test_bytes(void **state)
{
	assert_string_equal(bytes(0), "0 B");
	assert_string_equal(bytes(1023), "1023 B");
	assert_string_equal(bytes(1024), "1.0 KiB");
	assert_string_equal(bytes(1536), "1.5 KiB");
	assert_string_equal(bytes((1 << 20) - 1), "1.0 MiB");
	assert_string_equal(bytes((uint64_t)5 << 40), "5.0 TiB");
	assert_string_equal(bytes(UINT64_MAX), "16.0 EiB");
}

static void test_time(void **state)
{
	assert_string_equal(clock_of(7), "0:07");
	assert_string_equal(clock_of(723), "12:03");
	assert_string_equal(clock_of(3600 * 3 + 121), "3:02:01");
}

static void test_line(void **state)
{
	struct progress_numbers numbers = {
		.verb = "copying",
		.done = 100,
		.found = 400,
		.listed = true,
		.rate = 50,
		.window = 512,
		.bytes = 2048,
	};

	progress_format(&text, &numbers, 0);
	assert_string_equal(
		buf_text(&text), "copying: 100 of 400 objects, 50/s, left 0:06, 2.0 KiB, window 512");
	buf_clear(&text);
	numbers.listed = false;
	numbers.failed = 2;
	numbers.retried = 3;
	numbers.skipped = 4;
	progress_format(&text, &numbers, 0);
	assert_string_equal(buf_text(&text),
		"copying: 100 of 400+ objects, 50/s, 2 failed, 4 skipped, 2.0 KiB, 3 retried, window 512");
}

static void test_cut(void **state)
{
	struct progress_numbers numbers = {.verb = "copying", .done = 100, .found = 400};

	progress_format(&text, &numbers, 21);
	assert_string_equal(buf_text(&text), "copying: 100 of 400+");
	buf_clear(&text);
	progress_format(&text, &numbers, 1);
	assert_string_equal(buf_text(&text), "");
}

/* A rate of next to nothing gives no time rather than a huge one. */
static void test_no_rate(void **state)
{
	struct progress_numbers numbers = {
		.verb = "copying", .found = UINT64_MAX, .listed = true, .rate = 0.001};

	progress_format(&text, &numbers, 0);
	assert_null(strstr(buf_text(&text), "left"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_rate, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
