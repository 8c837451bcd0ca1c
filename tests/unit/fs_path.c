/* Texts of paths, and texts of any byte as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "fs/host/json_text.h"
#include "fs/host/path.h"

static void test_is_below(void **state)
{
	assert_true(path_is_below("/a/b", "/a"));
	assert_true(path_is_below("/a", "/a"));
	assert_true(path_is_below("/a", "/"));
	assert_true(path_is_below("/", "/"));
	assert_false(path_is_below("/ab", "/a"));
	assert_false(path_is_below("/", "/a"));
	assert_false(path_is_below("/a", "/a/b"));
}

static void test_json_text(void **state)
{
	char all[256], *back = NULL;

	for (unsigned i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	json_t *value = json_text_new(all);

	assert_non_null(value);
	for (const char *at = json_string_value(value); *at; at++)
		assert_true((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f);
	assert_int_equal(json_text_get(value, &back), 0);
	assert_string_equal(back, all);
	free(back);
	json_decref(value);
	assert_int_equal(json_text_get(NULL, &back), -EINVAL);
	static const char *const bad[] = {"%", "%4", "%zz", "%00", "a%0"};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		value = json_string(bad[i]);
		assert_int_equal(json_text_get(value, &back), -EINVAL);
		json_decref(value);
	}
	value = json_integer(5);
	assert_int_equal(json_text_get(value, &back), -EINVAL);
	json_decref(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_below),
		cmocka_unit_test(test_json_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
