#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include "s3/escape.h"

static void text_is(struct str in, const char *out)
{
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(escape_text(&b, in), 0);
	assert_string_equal(buf_text(&b), out);
	buf_release(&b);
}

static void json_is(struct str in, const char *out)
{
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(escape_json(&b, in), 0);
	assert_string_equal(buf_text(&b), out);
	buf_release(&b);
}

static void text_keeps_what_can_be_shown(void **state)
{
	text_is(STR(""), "");
	text_is(STR_NONE, "");
	text_is(STR("a b/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80~\""),
		"a b/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80~\"");
	text_is(STR("a\\x41"), "a\\\\x41");
}

static void text_escapes_controls(void **state)
{
	text_is(STR("\x1b[2J\r\n\t\0\x7f"), "\\x1b[2J\\x0d\\x0a\\x09\\x00\\x7f");
	text_is(STR("\xc2\x80\xc2\x9b\xc2\xa0"), "\\xc2\\x80\\xc2\\x9b\xc2\xa0");
	text_is(STR("a\xe2\x80\xaetxt.exe"), "a\\xe2\\x80\\xaetxt.exe");
	text_is(STR("\xe2\x80\xa8\xe2\x80\xa9\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c"),
		"\\xe2\\x80\\xa8\\xe2\\x80\\xa9\\xe2\\x81\\xa6\\xe2\\x80\\x8f\\xd8\\x9c");
	text_is(STR("\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xaa"), "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xaa");
}

static void text_escapes_bad_utf8(void **state)
{
	text_is(STR("a\xff"
		    "b"),
		"a\\xffb");
	text_is(STR("\xc3"), "\\xc3"); /* cut off */
	text_is(STR("\xe2\x82"), "\\xe2\\x82"); /* cut off */
	text_is(STR("\xc0\xaf"), "\\xc0\\xaf"); /* overlong */
	text_is(STR("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf"); /* overlong */
	text_is(STR("\xf0\x8f\xbf\xbf"), "\\xf0\\x8f\\xbf\\xbf"); /* overlong */
	text_is(STR("\xed\xa0\x80"), "\\xed\\xa0\\x80"); /* surrogate */
	text_is(STR("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); /* U+110000 */
	text_is(STR("\xe2\x28\xa1"), "\\xe2(\\xa1");
	text_is(STR("\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80"), "\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80");
}

static void json_quotes(void **state)
{
	json_is(STR(""), "\"\"");
	json_is(STR("a\"b\\c/\xc3\xa9"), "\"a\\\"b\\\\c/\xc3\xa9\"");
	json_is(STR("\0\n\x1f\x7f"), "\"\\u0000\\u000a\\u001f\\u007f\"");
	json_is(STR("\xc2\x9b\xe2\x80\xae"), "\"\\u009b\\u202e\"");
	json_is(STR("\xff\x80\xed\xa0\x80"), "\"\\udcff\\udc80\\udced\\udca0\\udc80\"");
}

static void full_buffer_is_told(void **state)
{
	struct buf b;

	buf_init(&b, 6);
	assert_int_equal(escape_text(&b, STR("\n\n")), -EOVERFLOW);
	buf_clear(&b);
	assert_int_equal(escape_json(&b, STR("abcde")), -EOVERFLOW);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_keeps_what_can_be_shown),
		cmocka_unit_test(text_escapes_controls),
		cmocka_unit_test(text_escapes_bad_utf8),
		cmocka_unit_test(json_quotes),
		cmocka_unit_test(full_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
