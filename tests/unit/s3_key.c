#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include <stdio.h>
#include "s3/key.h"

static void encodes_all_but_unreserved(void **state)
{
	char all[256], expected[1024];
	size_t at = 0;
	struct buf b;

	buf_init(&b, 10000);
	for (int i = 0; i < 256; i++) {
		static const char kept[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

		all[i] = (char)i;
		if (i && strchr(kept, i))
			expected[at++] = (char)i;
		else
			at += (size_t)sprintf(expected + at, "%%%02X", (unsigned)i);
	}
	expected[at] = '\0';
	assert_int_equal(key_encode(&b, str_n(all, 256), false), 0);
	assert_string_equal(buf_text(&b), expected);
	buf_clear(&b);
	key_encode(&b, STR("/a b+c/\xc3\xa9"), true);
	assert_string_equal(buf_text(&b), "/a%20b%2Bc/%C3%A9");
	buf_clear(&b);
	assert_int_equal(key_encode(&b, STR_NONE, true), 0);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void encode_and_decode_are_inverse(void **state)
{
	char all[256];
	struct buf once, back;

	buf_init(&once, 10000);
	buf_init(&back, 10000);
	for (int i = 0; i < 256; i++)
		all[i] = (char)(255 - i);
	key_encode(&once, str_n(all, 256), false);
	assert_int_equal(key_decode(&back, buf_str(&once), false), 0);
	assert_true(str_eq(buf_str(&back), str_n(all, 256)));
	buf_release(&once);
	buf_release(&back);
}

static void decodes(void **state)
{
	static const struct str broken[] = {
		{"%", 1}, {"%4", 2}, {"a%zz", 4}, {"%4g", 3}, {"%%41", 4}, {"ok%20%", 6}, {"% 1", 3}};
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(key_decode(&b, STR("a+b%2Bc%2f%00"), true), 0);
	assert_true(str_eq(buf_str(&b), STR("a b+c/\0")));
	buf_clear(&b);
	assert_int_equal(key_decode(&b, STR("a+b"), false), 0);
	assert_string_equal(buf_text(&b), "a+b");
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_equal(key_decode(&b, broken[i], true), -EBADMSG);
		assert_string_equal(buf_text(&b), "a+b");
		assert_int_equal(b.error, 0);
	}
	buf_release(&b);
}

static void knows_names(void **state)
{
	char longest[256];

	memset(longest, 'n', sizeof(longest));
	assert_true(key_name_ok(STR("a")));
	assert_true(key_name_ok(STR("...")));
	assert_true(key_name_ok(STR("\xff\n")));
	assert_true(key_name_ok(str_n(longest, 255)));
	assert_false(key_name_ok(str_n(longest, 256)));
	assert_false(key_name_ok(STR("")));
	assert_false(key_name_ok(STR_NONE));
	assert_false(key_name_ok(STR(".")));
	assert_false(key_name_ok(STR("..")));
	assert_false(key_name_ok(STR("a/b")));
	assert_false(key_name_ok(STR("a\0b")));
}

static void knows_paths(void **state)
{
	assert_true(key_path_ok(STR("a")));
	assert_true(key_path_ok(STR("a/b/c")));
	assert_true(key_path_ok(STR("a/b/")));
	assert_false(key_path_ok(STR("")));
	assert_false(key_path_ok(STR("/")));
	assert_false(key_path_ok(STR("/a")));
	assert_false(key_path_ok(STR("a//b")));
	assert_false(key_path_ok(STR("a//")));
	assert_false(key_path_ok(STR("a/../b")));
	assert_false(key_path_ok(STR("a/.")));
	assert_false(key_path_ok(STR("a/b\0")));
}

static void knows_what_xml_carries(void **state)
{
	static const struct str good[] = {{"", 0}, {"a\t\n\r b", 6}, {"\x7f", 1}, {"\xc2\x85", 2},
		{"\xef\xbf\xbd", 3}, {"\xf0\x9f\xbf\xbe", 4}, {"\xf4\x8f\xbf\xbf", 4}};
	static const struct str bad[] = {{"\0", 1}, {"a\x01", 2}, {"\x0b", 1}, {"\x1f", 1},
		{"\xef\xbf\xbe", 3}, {"\xef\xbf\xbf", 3}, {"\xff", 1}, {"\xc3", 1}, {"\xc0\x80", 2},
		{"\xed\xbf\xbf", 3}, {"\xf4\x90\x80\x80", 4}, {"\xf8\x88\x80\x80\x80", 5}, {"\x80", 1}};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(key_xml_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(key_xml_ok(bad[i]));
}

static void writes_xml(void **state)
{
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(key_xml(&b, STR("a\rb\n\t&<>\"']]>\xc3\xa9")), 0);
	assert_string_equal(buf_text(&b), "a&#13;b&#10;&#9;&amp;&lt;&gt;&quot;']]&gt;\xc3\xa9");
	buf_clear(&b);
	assert_int_equal(key_xml(&b, STR("a\x01")), -EINVAL);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_all_but_unreserved),
		cmocka_unit_test(encode_and_decode_are_inverse),
		cmocka_unit_test(decodes),
		cmocka_unit_test(knows_names),
		cmocka_unit_test(knows_paths),
		cmocka_unit_test(knows_what_xml_carries),
		cmocka_unit_test(writes_xml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
