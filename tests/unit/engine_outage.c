#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "engine/wire/outage.h"

static void test_begins_and_ends(void **state)
{
	struct outage outage = {0};

	assert_int_equal(outage_ms(&outage), 0);
	outage_failed(&outage, 0, 1000);
	assert_int_equal(outage_ms(&outage), 0);
	outage_failed(&outage, 0, 21000);
	outage_failed(&outage, 0, 41000);
	assert_int_equal(outage_ms(&outage), 40000);
	assert_int_equal(outage.failures, 3);
	outage_good(&outage);
	assert_int_equal(outage_ms(&outage), 0);
	assert_int_equal(outage.good, 1);
	outage_failed(&outage, 0, 50000);
	assert_int_equal(outage_ms(&outage), 0);
}

/* Two failures with nobody asking in between are no outage. */
static void test_gap(void **state)
{
	struct outage outage = {0};

	outage_failed(&outage, 60000, 0);
	outage_failed(&outage, 60000, 80000);
	assert_int_equal(outage_ms(&outage), 79999);
	outage_failed(&outage, 60000, 3600000);
	assert_int_equal(outage_ms(&outage), 0);
	assert_int_equal(outage.failures, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begins_and_ends),
		cmocka_unit_test(test_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
