#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include "s3/parts.h"

static void check_plan(uint64_t size, uint64_t wanted)
{
	struct parts p;
	uint64_t sum = 0, start, length;

	assert_int_equal(parts_plan(size, wanted, &p), 0);
	assert_true(p.count >= 1 && p.count <= PARTS_MAX);
	assert_true(p.part_size >= PARTS_MIN_SIZE && p.part_size <= PARTS_MAX_SIZE);
	for (unsigned n = 1; n <= p.count; n++) {
		parts_range(&p, n, &start, &length);
		assert_int_equal(start, sum);
		assert_true(length > 0 && length <= p.part_size);
		assert_true(n == p.count || length == p.part_size);
		sum += length;
	}
	assert_int_equal(sum, size);
}

static void covers_every_size(void **state)
{
	const uint64_t mib = 1 << 20, gib = 1 << 30;
	const uint64_t sizes[] = {1, 5 * mib - 1, 5 * mib, 5 * mib + 1, 5 * gib, 5 * gib + 1, 50000 * mib,
		50000 * mib + 1, 6000 * gib + 12345, PARTS_OBJECT_MAX - 1, PARTS_OBJECT_MAX};
	const uint64_t wanted[] = {0, 1, 5 * mib, 8 * mib + 3, 512 * mib, 5 * gib, UINT64_MAX};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t j = 0; j < sizeof(wanted) / sizeof(wanted[0]); j++)
			check_plan(sizes[i], wanted[j]);
	}
}

static void keeps_what_is_wanted(void **state)
{
	const uint64_t mib = 1 << 20;
	struct parts p;

	assert_int_equal(parts_plan(100 * mib, 8 * mib, &p), 0);
	assert_int_equal(p.part_size, 8 * mib);
	assert_int_equal(p.count, 13);
	assert_int_equal(parts_plan(80000 * mib, 8 * mib, &p), 0);
	assert_int_equal(p.part_size, 8 * mib);
	assert_int_equal(p.count, 10000);
	assert_int_equal(parts_plan(80000 * mib + 1, 8 * mib, &p), 0);
	assert_int_equal(p.part_size, 9 * mib);
	assert_int_equal(p.count, 8889);
}

static void refuses(void **state)
{
	struct parts p = {.count = 7};

	assert_int_equal(parts_plan(0, 1, &p), -EINVAL);
	assert_int_equal(parts_plan(PARTS_OBJECT_MAX + 1, 1, &p), -EFBIG);
	assert_int_equal(parts_plan(UINT64_MAX, 1, &p), -EFBIG);
	assert_int_equal(p.count, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(covers_every_size),
		cmocka_unit_test(keeps_what_is_wanted),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
