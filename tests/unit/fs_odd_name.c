/* Names for parts of keys that are none (fs/core/odd_name.h): each part has one name, and each name one part. */
#include "fs/core/odd_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void assert_str(struct str got, struct str wanted)
{
	assert_int_equal(got.len, wanted.len);
	if (wanted.len > 0)
		assert_memory_equal(got.data, wanted.data, wanted.len);
}

static void test_table(void **state)
{
	static const struct {
		struct str part, name;
	} rows[] = {
		{STR("a"), STR("a")},
		{STR("a%2Fb"), STR("a%2Fb")},
		{STR("%a"), STR("%a")},
		{STR(""), STR("%!")},
		{STR("."), STR("%!.")},
		{STR(".."), STR("%!..")},
		{STR("a\0b%"), STR("%!a%00b%25")},
		{STR("%!"), STR("%!%25!")},
		{STR("%!a"), STR("%!%25!a")},
		{STR("%=a"), STR("%!%25=a")},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct odd_text buf;
		struct str got;

		assert_true(odd_name(rows[i].part, &buf, &got));
		assert_str(got, rows[i].name);
		assert_true(odd_part(rows[i].name, &buf, &got));
		assert_str(got, rows[i].part);
	}
}

static void test_names_of_nothing(void **state)
{
	static const struct str names[] = {STR("%!a"), STR("%!a%2500b"), STR("%!%00%41"), STR("%!%2"),
		STR("%="), STR("%=%41"), STR("%=a%")};
	struct odd_text buf;
	struct str got;

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_false(odd_part(names[i], &buf, &got));
}

static void test_beside(void **state)
{
	struct odd_text buf;
	struct str got;

	assert_true(odd_name_beside(STR("a%"), &buf, &got));
	assert_str(got, STR("%=a%25"));
	assert_true(odd_is_file(got) && !odd_is_dir(got));
	assert_true(odd_part(STR("%=a%25"), &buf, &got));
	assert_str(got, STR("a%"));
	assert_false(odd_name_beside(STR(""), &buf, &got));
	assert_true(odd_is_dir(STR("%!")) && !odd_is_dir(STR("%!.")));
}

static void test_length(void **state)
{
	char text[KEY_NAME_MAX + 2];
	struct odd_text buf;
	struct str got;

	memset(text, 'x', sizeof(text));
	assert_true(odd_name(str_n(text, KEY_NAME_MAX), &buf, &got));
	assert_false(odd_name(str_n(text, KEY_NAME_MAX + 1), &buf, &got));
	text[0] = '\0';
	assert_true(odd_name(str_n(text, KEY_NAME_MAX - 4), &buf, &got));
	assert_int_equal(got.len, KEY_NAME_MAX);
	assert_false(odd_name(str_n(text, KEY_NAME_MAX - 3), &buf, &got));
}

/* Any bytes: what has a name is found again by it, and no other part has it. */
static void test_random(void **state)
{
	static const char bytes[] = {'%', '!', '=', '0', '2', '5', '.', 'a', '\0'};

	srandom(1);
	for (unsigned round = 0; round < 200000; round++) {
		char text[12];
		size_t len = (size_t)random() % sizeof(text);
		struct odd_text buf, back_buf;
		struct str name, part;

		for (size_t i = 0; i < len; i++)
			text[i] = bytes[(size_t)random() % sizeof(bytes)];
		assert_true(odd_name(str_n(text, len), &buf, &name));
		assert_true(key_name_ok(name));
		assert_true(odd_part(name, &back_buf, &part));
		assert_str(part, str_n(text, len));
		/* And the other way round, where the bytes are a name at all. */
		if (key_name_ok(str_n(text, len)) && !odd_is_file(str_n(text, len)) &&
			odd_part(str_n(text, len), &buf, &part)) {
			assert_true(odd_name(part, &back_buf, &name));
			assert_str(name, str_n(text, len));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_names_of_nothing),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
