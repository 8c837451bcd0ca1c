/* --include and --exclude: order, and what a glob matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "fs/cmd/filter.h"

static bool match(const char *pattern, const char *path)
{
	return filter_match(str_of(pattern), str_of(path));
}

static void test_stars(void **state)
{
	assert_true(match("*", ""));
	assert_true(match("*", "a/b"));
	assert_true(match("*.txt", "d/a.txt"));
	assert_false(match("*.txt", "a.txt~"));
	assert_true(match("a*b*c", "aXbYbZc"));
	assert_false(match("a*b*c", "aXbYbZ"));
	assert_true(match("**a", "ba"));
	assert_false(match("", "a"));
	assert_true(match("", ""));
	assert_true(match("d/*", "d/e/f"));
}

static void test_one(void **state)
{
	assert_true(match("?", "a"));
	assert_true(match("?", "\xc3\xa9")); /* one character of two bytes */
	assert_false(match("?", ""));
	assert_true(match("a?c", "a/c"));
	assert_true(match("?", "\xff"));
	assert_false(match("?", "\xff\xff"));
}

static void test_sets(void **state)
{
	assert_true(match("[abc]", "b"));
	assert_false(match("[abc]", "d"));
	assert_true(match("[a-c]x", "bx"));
	assert_true(match("[!a-c]", "d"));
	assert_false(match("[!a-c]", "b"));
	assert_true(match("[]]", "]"));
	assert_true(match("[!]]", "a"));
	assert_true(match("[*]", "*"));
	assert_false(match("[*]", "a"));
	assert_true(match("[a", "[a")); /* no set: itself */
	assert_true(match("[!a]", "\xc3\xa9"));
	assert_true(match("[a-]", "-"));
}

static void test_nul(void **state)
{
	assert_true(filter_match(STR("a*c"), str_n("a\0c", 3)));
	assert_false(filter_match(STR("a"), str_n("a\0", 2)));
}

/* A hostile pattern takes pattern times path steps, not their power: this would not end otherwise. */
static void test_many_stars(void **state)
{
	char pattern[129], path[1024];

	for (unsigned i = 0; i < 64; i++) {
		pattern[2 * i] = '*';
		pattern[2 * i + 1] = 'a';
	}
	pattern[128] = 'b';
	memset(path, 'a', sizeof(path));
	assert_false(filter_match(str_n(pattern, 129), str_n(path, sizeof(path))));
}

static void test_order(void **state)
{
	struct filter filter = {.count = 0};

	assert_true(filter_wants(&filter, STR("a.txt")));
	assert_int_equal(filter_add(&filter, "*", false), 0);
	assert_false(filter_wants(&filter, STR("a.txt")));
	assert_int_equal(filter_add(&filter, "*.txt", true), 0);
	assert_true(filter_wants(&filter, STR("a.txt")));
	assert_false(filter_wants(&filter, STR("a.jpg")));
	assert_int_equal(filter_add(&filter, "a*", false), 0);
	assert_false(filter_wants(&filter, STR("a.txt")));
	assert_true(filter_wants(&filter, STR("b.txt")));
}

static void test_full(void **state)
{
	struct filter filter = {.count = 0};

	for (unsigned i = 0; i < FILTER_MAX; i++)
		assert_int_equal(filter_add(&filter, "x", true), 0);
	assert_int_equal(filter_add(&filter, "x", true), -E2BIG);
	assert_int_equal(filter.count, FILTER_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stars),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_many_stars),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
