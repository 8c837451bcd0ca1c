/* Reasons, and the bound on the failures that are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "fs/cmd/report.h"

static void test_reason(void **state)
{
	struct buf text;

	buf_init(&text, 1024);
	report_reason(&text, -EACCES, "AccessDenied", "42");
	assert_string_equal(buf_text(&text), "AccessDenied: access denied (request id 42)");
	buf_clear(&text);
	report_reason(&text, -ESTALE, "", NULL);
	assert_string_equal(buf_text(&text), "the source changed meanwhile");
	buf_clear(&text);
	report_reason(&text, -EIO, "\x1b[2J", NULL);
	assert_null(strchr(buf_text(&text), '\x1b'));
	buf_release(&text);
}

static void test_bound(void **state)
{
	struct report report = {.kind = JOB_COPY, .bucket = STR("aaa"), .destination = STR("bbb")};
	struct job_event event = {
		.step = JOB_COPIED, .error = -EACCES, .source_key = STR("k"), .key = STR("k2")};

	report_init(&report);
	for (unsigned i = 0; i < REPORT_FAILURES_MAX + 5; i++)
		report_event(&report, &event);
	assert_int_equal(report.failed, REPORT_FAILURES_MAX + 5);
	assert_string_equal(
		report.failures[REPORT_FAILURES_MAX - 1], "copy: s3://aaa/k -> s3://bbb/k2: access denied");
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_reason), cmocka_unit_test(test_bound)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
