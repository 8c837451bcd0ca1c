/* One entry of a listing, as text and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>
#include "fs/cmd/ls_line.h"

static struct buf text;

static int setup(void **state)
{
	buf_init(&text, 1 << 16);
	return 0;
}

static int teardown(void **state)
{
	buf_release(&text);
	return 0;
}

static const char *line(struct ls_style *style, const struct page_entry *entry)
{
	buf_clear(&text);
	assert_int_equal(ls_line(&text, style, entry), 0);
	return buf_text(&text);
}

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static const struct page_entry object = {.key = STR("d/a.txt"),
	.size = 1234,
	.mtime = 1795395723,
	.etag = STR("0123"),
	.storage_class = STR("GLACIER")};

static void test_text(void **state)
{
	struct ls_style style = {.strip = 2}, whole = {.is_long = true};
	const struct page_entry prefix = {.key = STR("d/e/"), .is_prefix = true};

	zone("UTC0");
	assert_string_equal(line(&style, &object), "2026-11-23 01:02:03       1234 a.txt\n");
	assert_string_equal(line(&style, &prefix), "                           PRE e/\n");
	assert_string_equal(line(&whole, &object), "2026-11-23 01:02:03       1234 GLACIER             0123  "
						   "                             d/a.txt\n");
}

/* A zone that is not whole hours off, a quarter that was kept, and times before 1970. */
static void test_zones(void **state)
{
	struct ls_style style = {.buckets = true};
	struct page_entry bucket = {.key = STR("bkt"), .mtime = 1795395723};

	zone("ABC-5:45");
	assert_string_equal(line(&style, &bucket), "2026-11-23 06:47:03 bkt\n");
	bucket.mtime += 60 * 12;
	assert_string_equal(line(&style, &bucket), "2026-11-23 06:59:03 bkt\n");
	bucket.mtime += 60;
	assert_string_equal(line(&style, &bucket), "2026-11-23 07:00:03 bkt\n");
	style.known = false;
	zone("UTC0");
	bucket.mtime = -1;
	assert_string_equal(line(&style, &bucket), "1969-12-31 23:59:59 bkt\n");
	bucket.mtime = INT64_MAX / 2;
	assert_string_equal(line(&style, &bucket), "                    bkt\n");
}

static void test_escaped(void **state)
{
	struct ls_style style = {.strip = 0}, json = {.json = true};
	struct page_entry entry = {.key = STR("a\x1b[1m\n\"\\\xff"), .mtime = 0};

	zone("UTC0");
	assert_string_equal(
		line(&style, &entry), "                  -          0 a\\x1b[1m\\x0a\"\\\\\\xff\n");
	assert_string_equal(line(&json, &entry),
		"{\"type\":\"object\",\"key\":\"a\\u001b[1m\\u000a\\\"\\\\\\udcff\",\"size\":0,"
		"\"mtime\":null,\"etag\":\"\",\"storage_class\":\"STANDARD\"}\n");
}

static void test_json(void **state)
{
	struct ls_style style = {.json = true, .strip = 2}, buckets = {.json = true, .buckets = true};
	const struct page_entry prefix = {.key = STR("d/e/"), .is_prefix = true};

	assert_string_equal(line(&style, &object),
		"{\"type\":\"object\",\"key\":\"d/a.txt\",\"size\":1234,\"mtime\":\"2026-11-23T01:02:03Z\","
		"\"etag\":\"0123\",\"storage_class\":\"GLACIER\"}\n");
	assert_string_equal(line(&style, &prefix), "{\"type\":\"prefix\",\"key\":\"d/e/\"}\n");
	assert_string_equal(line(&buckets, &object),
		"{\"type\":\"bucket\",\"name\":\"d/a.txt\",\"mtime\":\"2026-11-23T01:02:03Z\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_escaped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
