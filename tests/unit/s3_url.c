#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include <stdlib.h>
#include "s3/url.h"

static void reads(void **state)
{
	struct s3_url u;

	assert_int_equal(s3_url_parse("s3://", &u), 0);
	assert_string_equal(u.bucket, "");
	assert_int_equal(u.key_len, 0);
	assert_int_equal(s3_url_parse("s3://bucket", &u), 0);
	assert_string_equal(u.bucket, "bucket");
	assert_string_equal(u.key, "");
	assert_int_equal(s3_url_parse("s3://bucket/", &u), 0);
	assert_string_equal(u.bucket, "bucket");
	assert_int_equal(u.key_len, 0);
	assert_int_equal(s3_url_parse("s3://bucket/a/b%20c?d#e/", &u), 0);
	assert_true(str_eq(s3_url_key(&u), STR("a/b%20c?d#e/")));
	assert_int_equal(s3_url_parse("s3://bucket//a", &u), 0);
	assert_string_equal(u.key, "/a");
}

static void refuses(void **state)
{
	static const char *const bad[] = {"", "s3:/", "s3:bucket", "bucket", "S3://bucket", "http://bucket",
		"s3:///key", "s3://ab", "s3://b ucket", "s3://user@bucket/k", "s3://bucket:80/k"};
	struct s3_url u = {.bucket = "kept"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(s3_url_parse(bad[i], &u), -EINVAL);
	assert_string_equal(u.bucket, "kept");
}

static void bounds_the_key(void **state)
{
	char text[2000] = "s3://bucket/";
	struct s3_url u = {.key_len = 3};

	memset(text + 12, 'k', 1025);
	assert_int_equal(s3_url_parse(text, &u), -ENAMETOOLONG);
	assert_int_equal(u.key_len, 3);
	text[12 + 1024] = '\0';
	assert_int_equal(s3_url_parse(text, &u), 0);
	assert_int_equal(u.key_len, 1024);
	assert_int_equal(strlen(u.key), 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(bounds_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
