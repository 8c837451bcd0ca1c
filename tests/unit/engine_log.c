#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "engine/base/log.h"

static int ends[2];

/* What was logged since the last look. */
static const char *logged(void)
{
	static char text[3 * LOG_LINE_MAX];
	ssize_t got = read(ends[0], text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

static int begin(void **state)
{
	if (pipe2(ends, O_NONBLOCK) < 0)
		return -1;
	log_open(ends[1], LOG_LEVEL_INFO);
	return 0;
}

static int finish(void **state)
{
	log_open(STDERR_FILENO, LOG_LEVEL_WARNING);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void test_text(void **state)
{
	log_text(LOG_LEVEL_WARNING, "%s is %d", "one", 1);
	assert_string_equal(logged(), "ferryfs: warning: one is 1\n");
	log_text(LOG_LEVEL_DEBUG, "nobody wants this");
	assert_string_equal(logged(), "");
	assert_true(log_enabled(LOG_LEVEL_INFO));
	assert_false(log_enabled(LOG_LEVEL_DEBUG));
}

static void test_stays_one_line(void **state)
{
	log_text(LOG_LEVEL_INFO, "a\nb\x1b[31m\x7f");
	assert_string_equal(logged(), "ferryfs: a?b?[31m?\n");
}

static void test_bounded(void **state)
{
	static char huge[4 * LOG_LINE_MAX];

	memset(huge, 'x', sizeof(huge) - 1);
	log_text(LOG_LEVEL_INFO, "%s", huge);
	assert_int_equal(strlen(logged()), LOG_LINE_MAX);
	log_call(LOG_LEVEL_INFO,
		&(struct log_call){.what = "copy", .bucket = STR("b"), .key = str_n(huge, sizeof(huge) - 1)});
	assert_true(strlen(logged()) <= LOG_LINE_MAX);
}

static void test_call(void **state)
{
	struct s3_answer answer = {
		.status = 403, .error = {.code = "AccessDenied", .message = "No\nway"}, .request_id = "R1"};

	log_call(LOG_LEVEL_ERROR, &(struct log_call){.what = "copy",
					  .bucket = STR("b"),
					  .key = STR("a\nb\x1b"),
					  .error = -EACCES,
					  .answer = &answer,
					  .consequence = "left at both places"});
	assert_string_equal(logged(),
		"ferryfs: error: copy s3://b/a\\x0ab\\x1b: Permission denied: AccessDenied, HTTP 403: "
		"No\\x0away, request id R1; left at both places\n");
	log_call(LOG_LEVEL_INFO, &(struct log_call){.what = "list", .bucket = STR("b")});
	assert_string_equal(logged(), "ferryfs: list s3://b\n");
}

static void test_once(void **state)
{
	assert_true(log_once("shadowed", STR("b"), STR("k")));
	assert_false(log_once("shadowed", STR("b"), STR("k")));
	assert_true(log_once("other", STR("b"), STR("k")));
	assert_true(log_once("shadowed", STR("bk"), STR("")));
	assert_true(log_once("shadowed", STR("b"), STR("kk")));
	assert_true(log_once("shadowed", STR_NONE, STR_NONE));
	assert_false(log_once("shadowed", STR_NONE, STR_NONE));
}

/* Far more than it remembers: most new ones are said, and the latest are remembered. */
static void test_once_is_bounded(void **state)
{
	char key[32];
	unsigned said = 0;

	for (unsigned i = 0; i < 100000; i++) {
		snprintf(key, sizeof(key), "%u", i);
		said += log_once("many", STR("b"), str_of(key));
		assert_false(log_once("many", STR("b"), str_of(key)));
	}
	assert_int_equal(said, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, begin, finish),
		cmocka_unit_test_setup_teardown(test_stays_one_line, begin, finish),
		cmocka_unit_test_setup_teardown(test_bounded, begin, finish),
		cmocka_unit_test_setup_teardown(test_call, begin, finish),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_once_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
