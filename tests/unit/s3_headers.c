#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include <stdio.h>
#include "s3/headers.h"

static void value_is(const struct headers *h, struct str name, const char *value)
{
	struct str have = headers_get(h, name);

	assert_non_null(have.data);
	assert_true(str_eq(have, str_of(value)));
}

static void adds_and_walks(void **state)
{
	struct headers h;
	struct str name, value;
	size_t at = 0;

	headers_init(&h);
	assert_false(headers_next(&h, &at, &name, &value));
	assert_int_equal(headers_add(&h, STR("X-Amz-Meta-A"), STR(" \tvalue one ")), 0);
	assert_int_equal(headers_add(&h, STR("expires"), STR("")), 0);
	assert_int_equal(headers_add(&h, STR("x-amz-meta-a"), STR("two")), 0);
	assert_int_equal(h.count, 3);
	assert_true(headers_next(&h, &at, &name, &value));
	assert_true(str_eq(name, STR("x-amz-meta-a")));
	assert_true(str_eq(value, STR("value one")));
	assert_true(headers_next(&h, &at, &name, &value));
	assert_true(str_eq(name, STR("expires")));
	assert_int_equal(value.len, 0);
	assert_true(headers_next(&h, &at, &name, &value));
	assert_true(str_eq(value, STR("two")));
	assert_false(headers_next(&h, &at, &name, &value));
	value_is(&h, STR("X-AMZ-META-A"), "value one");
	assert_null(headers_get(&h, STR("none")).data);
	headers_release(&h);
	headers_release(&h);
}

static void sets_and_removes(void **state)
{
	struct headers h, all;

	headers_init(&h);
	headers_init(&all);
	headers_add(&h, STR("a"), STR("1"));
	headers_add(&h, STR("b"), STR("2"));
	headers_add(&h, STR("a"), STR("3"));
	assert_int_equal(headers_set(&h, STR("A"), STR("new")), 0);
	assert_int_equal(h.count, 2);
	value_is(&h, STR("a"), "new");
	value_is(&h, STR("b"), "2");
	assert_int_equal(headers_set(&h, STR("a"), STR("bad\r\n")), -EINVAL);
	value_is(&h, STR("a"), "new");
	assert_int_equal(headers_add_all(&all, &h), 0);
	assert_int_equal(headers_add_all(&all, &h), 0);
	assert_int_equal(all.count, 4);
	assert_int_equal(headers_set(&all, STR("b"), STR_NONE), 0);
	assert_int_equal(all.count, 2);
	assert_null(headers_get(&all, STR("b")).data);
	value_is(&all, STR("a"), "new");
	assert_int_equal(headers_set(&all, STR("a"), STR_NONE), 0);
	assert_int_equal(all.count, 0);
	assert_int_equal(all.text.len, 0);
	headers_clear(&h);
	assert_int_equal(h.count, 0);
	assert_null(headers_get(&h, STR("a")).data);
	headers_release(&h);
	headers_release(&all);
}

static void refuses(void **state)
{
	struct headers h;

	headers_init(&h);
	assert_int_equal(headers_add(&h, STR(""), STR("v")), -EINVAL);
	assert_int_equal(headers_add(&h, STR("a b"), STR("v")), -EINVAL);
	assert_int_equal(headers_add(&h, STR("a:"), STR("v")), -EINVAL);
	assert_int_equal(headers_add(&h, STR("a\0"), STR("v")), -EINVAL);
	assert_int_equal(headers_add(&h, STR("\xc3\xa9"), STR("v")), -EINVAL);
	assert_int_equal(headers_add(&h, STR("a"), STR("v\nb: c")), -EINVAL);
	assert_int_equal(headers_add(&h, STR("a"), STR("v\r")), -EINVAL);
	assert_int_equal(headers_add(&h, STR("a"), STR("v\0w")), -EINVAL);
	assert_int_equal(headers_add(&h, STR("a"), STR("\xc3\xa9")), 0);
	assert_int_equal(h.count, 1);
	headers_release(&h);
}

static void is_bounded(void **state)
{
	struct headers h, all;
	char big[20000];

	headers_init(&h);
	headers_init(&all);
	for (int i = 0; i < HEADERS_MAX; i++)
		assert_int_equal(headers_add(&h, STR("n"), STR("v")), 0);
	assert_int_equal(headers_add(&h, STR("n"), STR("v")), -EOVERFLOW);
	assert_int_equal(h.count, HEADERS_MAX);
	headers_add(&all, STR("first"), STR("1"));
	assert_int_equal(headers_add_all(&all, &h), -EOVERFLOW);
	assert_int_equal(all.count, 1);
	value_is(&all, STR("first"), "1");
	headers_clear(&h);
	memset(big, 'b', sizeof(big));
	assert_int_equal(headers_add(&h, STR("n"), str_n(big, sizeof(big))), 0);
	assert_int_equal(headers_add(&h, STR("m"), str_n(big, sizeof(big))), -EOVERFLOW);
	assert_int_equal(h.count, 1);
	assert_int_equal(headers_add(&h, STR("m"), STR("small")), 0); /* the failure is not sticky */
	value_is(&h, STR("m"), "small");
	headers_release(&h);
	headers_release(&all);
}

static void knows_what_describes_an_object(void **state)
{
	static const char *const yes[] = {"cache-control", "Content-Disposition", "content-encoding",
		"content-language", "content-type", "Expires", "x-amz-meta-x", "X-Amz-Meta-Y",
		"x-amz-website-redirect-location"};
	static const char *const no[] = {"", "x-amz-meta-", "content-length", "etag", "x-amz-storage-class",
		"last-modified", "content-typ", "content-types", "x-amz-metadata-directive"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(headers_is_object(str_of(yes[i])));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(headers_is_object(str_of(no[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_and_walks),
		cmocka_unit_test(sets_and_removes),
		cmocka_unit_test(refuses),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(knows_what_describes_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
