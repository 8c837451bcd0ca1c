#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include "s3/buf.h"
#include <stdlib.h>

static void grows_by_doubling_from_256(void **state)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	assert_string_equal(buf_text(&b), "");
	assert_null(b.data);
	assert_int_equal(buf_add_char(&b, 'x'), 0);
	assert_int_equal(b.size, 256);
	for (int i = 0; i < 254; i++)
		buf_add_char(&b, 'x');
	assert_int_equal(b.size, 256); /* 255 and the NUL */
	buf_add_char(&b, 'y');
	assert_int_equal(b.size, 512);
	assert_int_equal(b.len, 256);
	assert_int_equal(b.data[256], '\0');
	buf_release(&b);
	buf_release(&b);
	assert_int_equal(b.len, 0);
}

static void stops_at_max_and_stays_failed(void **state)
{
	struct buf b;

	buf_init(&b, 5);
	assert_int_equal(buf_add_text(&b, "abcde"), 0);
	assert_int_equal(buf_add_char(&b, 'f'), -EOVERFLOW);
	assert_string_equal(buf_text(&b), "abcde");
	assert_int_equal(buf_add(&b, "", 0), -EOVERFLOW);
	assert_int_equal(b.error, -EOVERFLOW);
	buf_clear(&b);
	assert_int_equal(b.error, 0);
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(buf_addf(&b, "%s-%d", "abc", 12), -EOVERFLOW);
	assert_string_equal(buf_text(&b), "");
	buf_clear(&b);
	assert_int_equal(buf_addf(&b, "%s-%d", "ab", 12), 0);
	assert_string_equal(buf_text(&b), "ab-12");
	buf_release(&b);
	buf_init(&b, 0);
	assert_int_equal(buf_add(&b, NULL, 0), 0);
	assert_int_equal(buf_add_char(&b, 'a'), -EOVERFLOW);
	buf_release(&b);
}

/* AddressSanitizer asks for this by name; without it, it ends the program instead of returning NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void short_memory_changes_nothing(void **state)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	buf_add_text(&b, "abc");
	/* More than any machine has: realloc refuses before a byte is read. */
	assert_int_equal(buf_add(&b, "x", SIZE_MAX / 4), -ENOMEM);
	assert_string_equal(buf_text(&b), "abc");
	assert_int_equal(buf_add_char(&b, 'd'), -ENOMEM);
	buf_clear(&b);
	assert_int_equal(buf_add_char(&b, 'd'), 0);
	buf_release(&b);
}

static void writes_numbers_and_nul_bytes(void **state)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_add_uint(&b, 0);
	buf_add_char(&b, ' ');
	buf_add_uint(&b, UINT64_MAX);
	assert_string_equal(buf_text(&b), "0 18446744073709551615");
	buf_clear(&b);
	buf_add_str(&b, STR("a\0b"));
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
	buf_release(&b);
}

static void compares_in_byte_order(void **state)
{
	char *copy;

	assert_true(str_cmp(STR("a"), STR("b")) < 0);
	assert_true(str_cmp(STR("a"), STR("a\0")) < 0);
	assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
	assert_true(str_cmp(STR_NONE, STR("")) == 0);
	assert_true(str_cmp(STR("dir/"), STR("dir-")) > 0);
	assert_true(str_has_prefix(STR("abc"), STR("ab")));
	assert_false(str_has_prefix(STR("a"), STR("ab")));
	assert_true(str_has_suffix(STR("abc"), STR("bc")));
	assert_true(str_has_suffix(STR("abc"), STR_NONE));
	copy = str_dup(STR("a\0b"));
	assert_memory_equal(copy, "a\0b", 4);
	free(copy);
	copy = str_dup(STR_NONE);
	assert_string_equal(copy, "");
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_by_doubling_from_256),
		cmocka_unit_test(stops_at_max_and_stays_failed),
		cmocka_unit_test(short_memory_changes_nothing),
		cmocka_unit_test(writes_numbers_and_nul_bytes),
		cmocka_unit_test(compares_in_byte_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
