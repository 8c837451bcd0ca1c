/* What cp, mv and rm do to directories, told to struct visits call by call, and what may be answered early.
 */
#include "fs/early/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Opens a directory and reads all of it: entries first..last. */
static bool list(struct visits *visits, uint64_t directory, uint64_t parent, uint64_t highest)
{
	uint64_t id = visit_opened(visits, directory, parent);

	assert_int_not_equal(id, 0);
	if (highest)
		visit_told(visits, id, highest);
	return visit_listed(visits, id);
}

static bool copy(struct visits *visits, uint64_t directory, uint64_t entry)
{
	visit_entry(visits, directory, entry);
	return visit_more(visits, directory, entry);
}

static void test_flat(void **state)
{
	struct visits visits = {0};

	assert_true(list(&visits, 10, 1, 14));
	assert_true(copy(&visits, 10, 11));
	assert_true(copy(&visits, 10, 12));
	assert_true(copy(&visits, 10, 13));
	assert_false(copy(&visits, 10, 14)); /* the last */
	visits_release(&visits);
}

static void test_ahead(void **state)
{
	struct visits visits = {0};

	assert_false(visit_ahead(&visits, 10, 11));
	assert_true(list(&visits, 10, 1, 14));
	assert_true(visit_ahead(&visits, 10, 11));
	assert_true(copy(&visits, 10, 12));
	assert_false(visit_ahead(&visits, 10, 11)); /* behind it */
	assert_true(visit_ahead(&visits, 10, 12));
	assert_true(visit_ahead(&visits, 10, 14));
	assert_false(visit_ahead(&visits, 99, 14));
	visit_entry(&visits, 10, 11);
	assert_false(visit_ahead(&visits, 10, 14)); /* out of order: nothing is evidence any more */
	visits_release(&visits);
}

static void test_only_the_entry_at_hand(void **state)
{
	struct visits visits = {0};

	assert_true(list(&visits, 10, 1, 14));
	assert_true(copy(&visits, 10, 11));
	assert_false(visit_more(&visits, 10, 12)); /* never turned to */
	visit_entry(&visits, 10, 12);
	assert_false(visit_more(&visits, 10, 11)); /* behind it */
	assert_true(visit_more(&visits, 10, 12));
	assert_false(visit_more(&visits, 99, 12));
	visits_release(&visits);
}

/* What a cp -r that makes directories, and one that opens its last source, may rely on. */
static void test_coming_and_passing(void **state)
{
	struct visits visits = {0};

	assert_false(visit_coming(&visits));
	uint64_t id = visit_opened(&visits, 10, 1);

	visit_told(&visits, id, 12);
	assert_false(visit_coming(&visits)); /* not read to its end */
	visit_listed(&visits, id);
	assert_true(visit_coming(&visits));
	visit_entry(&visits, 10, 11);
	assert_true(visit_passes(&visits, 10, 11)); /* 12 is ahead */
	visit_entry(&visits, 10, 12);
	assert_false(visit_coming(&visits));
	assert_false(visit_passes(&visits, 10, 12)); /* the last, and nobody knows where it goes */
	visit_lands(&visits, 10);
	assert_true(visit_passes(&visits, 10, 12));
	assert_false(visit_passes(&visits, 99, 12));
	assert_true(visit_has(&visits, 10));
	assert_false(visit_has(&visits, 99));
	visits_release(&visits);
}

static void test_nested(void **state)
{
	struct visits visits = {0};

	/* 10: file 11, directory 12 (files 20, 21), file 13, directory 14 (file 30) */
	assert_true(list(&visits, 10, 1, 14));
	assert_true(copy(&visits, 10, 11));
	assert_true(list(&visits, 12, 10, 21));
	assert_true(copy(&visits, 12, 20));
	assert_true(copy(&visits, 12, 21)); /* the last of 12, but 13 and 14 are to come */
	assert_true(copy(&visits, 10, 13));
	assert_false(visit_more(&visits, 12, 21)); /* that directory is behind it */
	assert_true(list(&visits, 14, 10, 30));
	assert_false(copy(&visits, 14, 30));
	visits_release(&visits);
}

static void test_ends_in_empty_directories(void **state)
{
	struct visits visits = {0};

	/* 10: directory 11 (empty), file 12, directory 13 (directory 14, empty) */
	assert_true(list(&visits, 10, 1, 13));
	assert_true(list(&visits, 11, 10, 0)); /* empty, and 12 is to come */
	assert_true(copy(&visits, 10, 12));
	assert_true(list(&visits, 13, 10, 14));
	assert_false(list(&visits, 14, 13, 0)); /* no call comes any more */
	visits_release(&visits);
}

static void test_whole_command_empty(void **state)
{
	struct visits visits = {0};

	assert_false(list(&visits, 10, 1, 0));
	visits_release(&visits);
}

static void test_later_arrivals_do_not_count(void **state)
{
	struct visits visits = {0};

	assert_true(list(&visits, 10, 1, 12));
	assert_true(copy(&visits, 10, 11));
	/* 13 came to 10 after it was read: cp never visits it. */
	assert_false(copy(&visits, 10, 12));
	assert_false(copy(&visits, 10, 13));
	visits_release(&visits);
}

static void test_order_broken(void **state)
{
	struct visits visits = {0};

	assert_true(list(&visits, 10, 1, 14));
	assert_true(copy(&visits, 10, 13));
	assert_false(copy(&visits, 10, 11));
	assert_false(copy(&visits, 10, 12));
	assert_false(copy(&visits, 10, 13));
	/* A directory in it has no evidence from outside, but its own. */
	assert_true(list(&visits, 14, 10, 21));
	assert_true(copy(&visits, 14, 20));
	assert_false(copy(&visits, 14, 21));
	visits_release(&visits);
}

static void test_same_entry_twice(void **state)
{
	struct visits visits = {0};

	assert_true(list(&visits, 10, 1, 14));
	assert_true(copy(&visits, 10, 11));
	assert_false(copy(&visits, 10, 11));
	visits_release(&visits);
}

static void test_copying_while_reading(void **state)
{
	struct visits visits = {0};
	uint64_t id = visit_opened(&visits, 10, 1);

	visit_told(&visits, id, 14);
	assert_false(copy(&visits, 10, 11));
	assert_false(visit_listed(&visits, id));
	assert_false(copy(&visits, 10, 12));
	visits_release(&visits);
}

static void test_several_operands(void **state)
{
	struct visits visits = {0};

	assert_true(list(&visits, 10, 1, 11));
	assert_false(copy(&visits, 10, 11));
	assert_false(copy(&visits, 1, 15)); /* a file named in the command */
	assert_true(list(&visits, 30, 1, 32));
	assert_false(visit_inside(&visits, 10));
	assert_true(copy(&visits, 30, 31));
	assert_false(copy(&visits, 30, 32));
	visits_release(&visits);
}

static void test_operand_inside_a_visited_one(void **state)
{
	struct visits visits = {0};

	assert_true(list(&visits, 10, 1, 12));
	assert_true(list(&visits, 11, 10, 20));
	assert_true(copy(&visits, 11, 20));
	assert_false(copy(&visits, 10, 12));
	/* cp -r a a/sub b: 11 once more. */
	assert_true(list(&visits, 11, 10, 20));
	assert_false(copy(&visits, 11, 20));
	visits_release(&visits);
}

static void test_read_again(void **state)
{
	struct visits visits = {0};
	uint64_t id = visit_opened(&visits, 10, 1);

	visit_told(&visits, id, 19);
	visit_rewound(&visits, id);
	visit_told(&visits, id, 12);
	assert_true(visit_listed(&visits, id));
	assert_true(copy(&visits, 10, 11));
	assert_false(copy(&visits, 10, 12)); /* 19 was of the first reading */
	visit_rewound(&visits, id); /* in the middle of the visit */
	visit_told(&visits, id, 19);
	assert_false(visit_listed(&visits, id));
	assert_false(copy(&visits, 10, 13));
	visits_release(&visits);
}

static void test_two_openings(void **state)
{
	struct visits visits = {0};
	uint64_t first = visit_opened(&visits, 10, 1);
	uint64_t second = visit_opened(&visits, 10, 1);

	assert_int_not_equal(first, second);
	visit_told(&visits, first, 99);
	visit_told(&visits, second, 11);
	assert_false(visit_listed(&visits, first));
	assert_true(visit_listed(&visits, second));
	assert_false(copy(&visits, 10, 11));
	visits_release(&visits);
}

static void test_told_after_the_end(void **state)
{
	struct visits visits = {0};
	uint64_t id = visit_opened(&visits, 10, 1);

	visit_told(&visits, id, 12);
	assert_true(visit_listed(&visits, id));
	visit_told(&visits, id, 99);
	assert_false(copy(&visits, 10, 12));
	visits_release(&visits);
}

/* mv: copies all, then opens each directory again, empties and removes it. */
static void test_remove(void **state)
{
	struct visits visits = {0};

	assert_true(list(&visits, 10, 1, 12));
	assert_true(visit_inside(&visits, 10));
	assert_true(list(&visits, 11, 10, 20));
	assert_true(visit_inside(&visits, 11));
	visit_left(&visits, 11);
	assert_false(visit_inside(&visits, 11));
	assert_true(visit_inside(&visits, 10));
	visit_left(&visits, 10);
	assert_false(visit_inside(&visits, 10));
	assert_false(visit_inside(&visits, 1));
	assert_true(list(&visits, 30, 1, 31));
	assert_true(visit_inside(&visits, 30));
	visits_release(&visits);
}

/* rm is told of a failure: the directories around it stay, those that it opens later go. */
static void test_remove_refused(void **state)
{
	struct visits visits = {0};

	assert_true(list(&visits, 10, 1, 16));
	assert_true(visit_removing(&visits, 10, 11));
	assert_true(list(&visits, 12, 10, 21));
	assert_true(visit_removing(&visits, 12, 20));
	assert_true(visit_removing(&visits, 12, 21));
	visit_left(&visits, 12);
	visit_refused(&visits);
	assert_false(visit_inside(&visits, 10));
	assert_true(visit_removing(&visits, 10, 13));
	assert_true(list(&visits, 14, 10, 31));
	assert_true(visit_inside(&visits, 14));
	assert_true(visit_removing(&visits, 14, 31));
	visit_left(&visits, 14);
	assert_true(visit_removing(&visits, 10, 15));
	/* The last of them. */
	assert_false(visit_removing(&visits, 10, 16));
	visits_release(&visits);
}

/* Out of order, nobody knows which entry is the last. */
static void test_remove_refused_out_of_order(void **state)
{
	struct visits visits = {0};

	assert_true(list(&visits, 10, 1, 19));
	assert_true(visit_removing(&visits, 10, 19));
	assert_true(visit_removing(&visits, 10, 12));
	visit_refused(&visits);
	assert_false(visit_removing(&visits, 10, 13));
	assert_false(visit_removing(&visits, 99, 100));
	visits_release(&visits);
}

static void test_depth(void **state)
{
	struct visits visits = {0};

	for (uint64_t i = 1; i <= VISIT_DEPTH_MAX; i++)
		assert_true(list(&visits, i, i - 1, i + 1));
	assert_int_equal(visits.count, VISIT_DEPTH_MAX);
	assert_int_equal(visit_opened(&visits, 1000, VISIT_DEPTH_MAX), 0);
	assert_false(visit_listed(&visits, 0));
	assert_false(copy(&visits, 1000, 1001));
	/* What is around it is as it was. */
	assert_true(copy(&visits, 100, 102) == false);
	assert_true(visit_inside(&visits, 100));
	visits_release(&visits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flat),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_only_the_entry_at_hand),
		cmocka_unit_test(test_coming_and_passing),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_ends_in_empty_directories),
		cmocka_unit_test(test_whole_command_empty),
		cmocka_unit_test(test_later_arrivals_do_not_count),
		cmocka_unit_test(test_order_broken),
		cmocka_unit_test(test_same_entry_twice),
		cmocka_unit_test(test_copying_while_reading),
		cmocka_unit_test(test_several_operands),
		cmocka_unit_test(test_operand_inside_a_visited_one),
		cmocka_unit_test(test_read_again),
		cmocka_unit_test(test_two_openings),
		cmocka_unit_test(test_told_after_the_end),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_remove_refused),
		cmocka_unit_test(test_remove_refused_out_of_order),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
