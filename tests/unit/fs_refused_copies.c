/* The memory of refused copies: pairs, time, bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "fs/file/refused_copies.h"

/* Two accounts that are only compared. */
static const struct account *const one = (const struct account *)"1";
static const struct account *const two = (const struct account *)"2";

static void test_pairs(void **state)
{
	struct refused_copies table = REFUSED_COPIES_INIT;
	const struct refused_pair pair = {one, two, STR("from"), STR("to")};
	const struct refused_pair others[] = {{two, one, STR("from"), STR("to")},
		{one, two, STR("to"), STR("from")}, {one, one, STR("from"), STR("to")},
		{one, two, STR("from"), STR("other")}, {one, two, STR("fro"), STR("to")}};

	assert_false(refused_copies_has(&table, &pair, 5));
	assert_true(refused_copies_add(&table, &pair, 5));
	assert_true(refused_copies_has(&table, &pair, 5));
	assert_false(refused_copies_add(&table, &pair, 6));
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(refused_copies_has(&table, &others[i], 5));
}

/* A refusal that is told again is no news, and does not last longer for it. */
static void test_time(void **state)
{
	struct refused_copies table = REFUSED_COPIES_INIT;
	const struct refused_pair pair = {one, one, STR("from"), STR("to")};

	refused_copies_add(&table, &pair, 1000);
	refused_copies_add(&table, &pair, 1000 + REFUSED_COPIES_MS / 2);
	assert_true(refused_copies_has(&table, &pair, 1000 + REFUSED_COPIES_MS - 1));
	assert_false(refused_copies_has(&table, &pair, 1000 + REFUSED_COPIES_MS));
	assert_true(refused_copies_add(&table, &pair, 1000 + REFUSED_COPIES_MS));
}

static void test_bound(void **state)
{
	struct refused_copies table = REFUSED_COPIES_INIT;
	char bucket[16], too_long[BUCKET_MAX + 2];

	for (unsigned i = 0; i <= REFUSED_COPIES_MAX; i++) {
		snprintf(bucket, sizeof(bucket), "b%u", i);
		assert_true(refused_copies_add(
			&table, &(struct refused_pair){one, two, str_of(bucket), STR("to")}, 1));
	}
	for (unsigned i = 0; i <= REFUSED_COPIES_MAX; i++) {
		snprintf(bucket, sizeof(bucket), "b%u", i);
		assert_int_equal(refused_copies_has(&table,
					 &(struct refused_pair){one, two, str_of(bucket), STR("to")}, 1),
			i > 0);
	}
	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	assert_false(
		refused_copies_add(&table, &(struct refused_pair){one, two, str_of(too_long), STR("to")}, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
