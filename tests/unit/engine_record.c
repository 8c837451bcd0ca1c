/* The record of a move: what goes in comes out, page by page, and damage is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include "engine/journal/journal_record.h"

static const struct record_entry first = {
	.key = {.data = "a/\0b", .len = 4},
	.etag = {.data = "e1", .len = 2},
	.mtime = 1700000000,
	.mtime_nsec = 5,
	.size = (uint64_t)1 << 40,
	.copy_etag = {.data = "e2-3", .len = 4},
	.copy_version = {.data = "", .len = 0},
	.copy_mtime = -1,
	.unknown = true,
	.large = true,
	.upload = {.data = "u\0", .len = 2},
};
static const struct record_entry second = {.key = {.data = "z", .len = 1}, .mtime = -7};

static void assert_entry(const struct record_entry *got, const struct record_entry *expected)
{
	assert_true(str_eq(got->key, expected->key));
	assert_true(str_eq(got->etag, expected->etag));
	assert_true(str_eq(got->copy_etag, expected->copy_etag));
	assert_true(str_eq(got->copy_version, expected->copy_version));
	assert_int_equal(got->mtime, expected->mtime);
	assert_int_equal(got->mtime_nsec, expected->mtime_nsec);
	assert_int_equal(got->size, expected->size);
	assert_int_equal(got->copy_mtime, expected->copy_mtime);
	assert_true(str_eq(got->upload, expected->upload));
	assert_int_equal(got->unknown, expected->unknown);
	assert_int_equal(got->large, expected->large);
}

static void test_pages(void **state)
{
	struct record_entry got;
	struct buf page;
	buf_init(&page, RECORD_PAGE_MAX);
	assert_int_equal(record_put(&page, &first), 0);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(record_put(&page, &second), 0);
	struct str at = buf_str(&page);
	assert_int_equal(record_get(&at, &got), 0);
	assert_entry(&got, &first);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(record_get(&at, &got), 0);
		assert_entry(&got, &second);
	}
	assert_int_equal(record_get(&at, &got), -ENODATA);
	buf_release(&page);
}

static void test_cut(void **state)
{
	struct record_entry got;
	struct buf page;
	buf_init(&page, RECORD_PAGE_MAX);
	assert_int_equal(record_put(&page, &first), 0);
	for (size_t len = 1; len < page.len; len++) {
		struct str at = str_n(page.data, len);
		assert_int_equal(record_get(&at, &got), -EBADMSG);
	}
	buf_release(&page);
}

/* A page is in it whole or not at all: half an entry never. */
static void test_full_page(void **state)
{
	struct buf page;
	buf_init(&page, 90);
	assert_int_equal(record_put(&page, &first), 0);
	size_t len = page.len;
	assert_int_equal(record_put(&page, &first), -EOVERFLOW);
	assert_int_equal(page.len, len);
	buf_release(&page);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_full_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
