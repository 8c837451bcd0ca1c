/* What the addresses of cp, mv and rm mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "fs/cmd/address.h"

static char why[ADDRESS_WHY_MAX];

/* The destination's key, or an errno as text. */
static const char *resolve(const char *source, const char *destination, bool recursive)
{
	static struct address to;
	static char error[16];
	struct address from;
	int r = address_source(source, recursive, &from, why);

	if (r == 0)
		r = address_destination(destination, recursive, &from, &to, why);
	if (r == 0)
		return to.key;
	snprintf(error, sizeof(error), "-%s", strerrorname_np(-r));
	return error;
}

static void test_one_object(void **state)
{
	assert_string_equal(resolve("s3://bkt/a/b", "s3://dst/k", false), "k");
	assert_string_equal(resolve("s3://bkt/a/b", "s3://dst/p/", false), "p/b");
	assert_string_equal(resolve("s3://bkt/a/b", "s3://dst", false), "b");
	assert_string_equal(resolve("s3://bkt/a/b", "s3://dst/", false), "b");
	assert_string_equal(resolve("s3://bkt/b", "s3://dst/p/", false), "p/b");
	assert_string_equal(
		resolve("s3://bkt/a/b/", "s3://dst/p/", false), "p/b/"); /* a marker keeps its slash */
}

static void test_tree(void **state)
{
	struct address from;

	assert_int_equal(address_source("s3://bkt/x", true, &from, why), 0);
	assert_string_equal(from.key, "x/");
	assert_int_equal(address_source("s3://bkt/x/", true, &from, why), 0);
	assert_string_equal(from.key, "x/");
	assert_int_equal(address_source("s3://bkt", true, &from, why), 0);
	assert_string_equal(from.key, "");
	assert_string_equal(resolve("s3://bkt/x", "s3://dst/y", true), "y/");
	assert_string_equal(resolve("s3://bkt/x/", "s3://dst/y/", true), "y/");
	assert_string_equal(resolve("s3://bkt/x", "s3://dst", true), "");
}

static void test_wrong(void **state)
{
	struct address from;

	assert_int_equal(address_source("file", false, &from, why), -EINVAL);
	assert_non_null(strstr(why, "not an s3:// URL"));
	assert_int_equal(address_source("s3://", true, &from, why), -EINVAL);
	assert_int_equal(address_source("s3://bkt", false, &from, why), -EINVAL);
	assert_int_equal(address_source("s3://b!/x", false, &from, why), -EINVAL);
	assert_string_equal(resolve("s3://bkt/x", "s3://", true), "-EINVAL");
	assert_int_equal(address_source("\x1b[31m", false, &from, why), -EINVAL);
	assert_null(strchr(why, '\x1b'));
}

static void test_itself(void **state)
{
	assert_string_equal(resolve("s3://bkt/x", "s3://bkt/x/", true), "-ELOOP");
	assert_string_equal(resolve("s3://bkt", "s3://bkt/", true), "-ELOOP");
	assert_string_equal(resolve("s3://bkt/a/b", "s3://bkt/a/", false), "-ELOOP");
	assert_string_equal(resolve("s3://bkt/a", "s3://bkt", false), "-ELOOP");
	assert_string_equal(resolve("s3://bkt/x", "s3://bkt/xy", true), "xy/");
	assert_string_equal(resolve("s3://bkt/x", "s3://bkt2/x", true), "x/");
}

static void test_below(void **state)
{
	struct address from, to;

	assert_int_equal(address_source("s3://bkt/x", true, &from, why), 0);
	assert_int_equal(address_destination("s3://bkt/x/y", true, &from, &to, why), 0);
	assert_int_equal(address_check_move(&from, &to, true, why), -ELOOP);
	assert_true(str_eq(address_exclude(&from, &to), STR("x/y/")));
	assert_int_equal(address_destination("s3://bkt/xy", true, &from, &to, why), 0);
	assert_int_equal(address_check_move(&from, &to, true, why), 0);
	assert_null(address_exclude(&from, &to).data);
	assert_int_equal(address_destination("s3://other/x/y", true, &from, &to, why), 0);
	assert_int_equal(address_check_move(&from, &to, true, why), 0);
	assert_null(address_exclude(&from, &to).data);
}

static void test_long(void **state)
{
	char source[2048], destination[2048];

	snprintf(source, sizeof(source), "s3://bkt/%0700d", 0);
	snprintf(destination, sizeof(destination), "s3://dst/%0700d/", 0);
	assert_string_equal(resolve(source, destination, false), "-ENAMETOOLONG");
	snprintf(destination, sizeof(destination), "s3://dst/%01024d", 0);
	assert_string_equal(resolve(source, destination, true), "-ENAMETOOLONG");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_object),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_itself),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
