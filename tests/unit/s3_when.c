#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include <time.h>
#include "s3/when.h"

static void reads_listing_dates(void **state)
{
	int64_t sec = -1;
	int32_t nsec = -1;

	assert_int_equal(when_parse_iso(STR("1970-01-01T00:00:00Z"), &sec, &nsec), 0);
	assert_int_equal(sec, 0);
	assert_int_equal(nsec, 0);
	assert_int_equal(when_parse_iso(STR("2026-11-23T01:02:03.000Z"), &sec, NULL), 0);
	assert_int_equal(sec, 1795395723);
	assert_int_equal(when_parse_iso(STR("2013-05-24T00:00:00.5Z"), &sec, &nsec), 0);
	assert_int_equal(sec, 1369353600);
	assert_int_equal(nsec, 500000000);
	assert_int_equal(when_parse_iso(STR("2024-02-29T23:59:59.123456789Z"), &sec, &nsec), 0);
	assert_int_equal(sec, 1709251199);
	assert_int_equal(nsec, 123456789);
}

static void refuses_other_listing_dates(void **state)
{
	static const char *const bad[] = {"", "Z", "2026-11-23T01:02:03", "2026-11-23T01:02:03.Z",
		"2026-11-23T01:02:03.1234567890Z", "2026-11-23 01:02:03Z", "2026-11-23T01:02:03+00:00",
		"2026-13-23T01:02:03Z", "2026-00-23T01:02:03Z", "2026-11-31T01:02:03Z",
		"2026-11-00T01:02:03Z", "2025-02-29T01:02:03Z", "1900-02-29T01:02:03Z",
		"2026-11-23T24:02:03Z", "2026-11-23T01:60:03Z", "2026-11-23T01:02:61Z",
		"2026-11-23T01:02:0xZ", "2026-1-23T01:02:03.0Z", "-026-11-23T01:02:03Z",
		" 2026-11-23T01:02:03Z", "2026-11-23T01:02:03ZZ", "2026-11-23T01:02:03.-1Z"};
	int64_t sec = 7;
	int32_t nsec = 8;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(when_parse_iso(str_of(bad[i]), &sec, &nsec), -EINVAL);
	assert_int_equal(sec, 7);
	assert_int_equal(nsec, 8);
}

/* What other services and proxies write; what is no date stays unread. */
static void reads_what_others_write(void **state)
{
	static const struct {
		const char *text;
		int32_t nsec;
	} good[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", 0},
		{"Sun, 6 Nov 1994 08:49:37 GMT", 0},
		{"Sun, 06 Nov 1994 08:49:37.123456789 GMT", 123456789},
		{"Sun, 6 Nov 1994 08:49:37.5 GMT", 500000000},
		{"Sun, 06 Nov 1994 08:49:37 UTC", 0},
		{"Sun, 06 Nov 1994 08:49:37 +0000", 0},
		{"Sun, 06 Nov 1994 09:49:37 +0100", 0},
		{"06 Nov 1994 08:49:37 GMT", 0},
		{"Sunday, 06-Nov-94 08:49:37 GMT", 0},
		{"Sun, 06-Nov-1994 08:49:37 GMT", 0},
		{"Sun Nov  6 08:49:37 1994", 0},
		{"Sun, 06 Nov 1994 08:49:37 GMT ", 0},
		{"1994-11-06T08:49:37Z", 0},
		{"1994-11-06T08:49:37+00:00", 0},
		{"1994-11-06T08:49:37.123456+00:00", 123456000},
		{"1994-11-06T08:49:37.1234567891234Z", 123456789},
		{"1994-11-06T10:19:37.5+01:30", 500000000},
		{"1994-11-06T07:49:37-0100", 0},
		{"1994-11-06T08:49:37", 0},
		{"1994-11-06 08:49:37Z", 0},
		{"1994-11-06t08:49:37z", 0},
	};
	static const char *const bad[] = {"", "x", "now", "0", "784111777", "1994", "Sun", "GMT",
		"1994-11-06", "1994-11-06T08:49:37+1", "1994-11-06T08:49:37X", "1994-13-06T08:49:37Z",
		"Xun, 06 Nox 1994 08:49:37 GMT", "08:49:37", "::", "Sun, 06 Nov 1994 25:49:37 GMT",
		"a date of more than sixty-four bytes that begins like 08:49:37 but goes on"};
	int64_t sec = 7;
	int32_t nsec = 8;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (when_parse(str_of(bad[i]), &sec, &nsec) != -EINVAL)
			fail_msg("read: %s", bad[i]);
		assert_int_equal(nsec, 8);
	}
	assert_int_equal(when_parse(str_n("Sun, 06 Nov 1994 08:49\0:37 GMT", 30), &sec, &nsec), -EINVAL);
	assert_int_equal(sec, 7);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (when_parse(str_of(good[i].text), &sec, &nsec) != 0)
			fail_msg("not read: %s", good[i].text);
		if (sec != 784111777 || nsec != good[i].nsec)
			fail_msg("%s: %lld.%09d", good[i].text, (long long)sec, (int)nsec);
		assert_int_equal(when_parse(str_of(good[i].text), &sec, NULL), 0);
	}
}

static void reads_http_dates(void **state)
{
	static const char *const bad[] = {"", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Xun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06-Nov-1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"};
	int64_t sec = 0;

	assert_int_equal(
		when_parse_http(STR("Sun, 06 Nov 1994 08:49:37 GMT"), &sec), 0); /* RFC 9110, 5.6.7 */
	assert_int_equal(sec, 784111777);
	assert_int_equal(when_parse_http(STR("Mon, 23 Nov 2026 01:02:03 GMT"), &sec), 0);
	assert_int_equal(sec, 1795395723);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(when_parse_http(str_of(bad[i]), &sec), -EINVAL);
	assert_int_equal(sec, 1795395723);
}

static void agrees_with_the_library(void **state)
{
	/* A step that is no divisor of days: every month and leap year from 1970 to 2400. */
	for (int64_t sec = 0; sec < 13569465600; sec += 99991) {
		char amz[17], iso[21], expected[64];
		time_t t = (time_t)sec;
		struct tm tm;
		int64_t back = -1;

		gmtime_r(&t, &tm);
		when_amz(sec, amz);
		strftime(expected, sizeof(expected), "%Y%m%dT%H%M%SZ", &tm);
		assert_string_equal(amz, expected);
		when_iso(sec, iso);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_string_equal(iso, expected);
		assert_int_equal(when_parse_iso(str_of(iso), &back, NULL), 0);
		assert_int_equal(back, sec);
		strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		assert_int_equal(when_parse_http(str_of(expected), &back), 0);
		assert_int_equal(back, sec);
	}
}

static void keeps_to_four_digits_of_year(void **state)
{
	char amz[17], iso[21];
	int64_t sec = 0;

	when_amz(INT64_MIN, amz);
	assert_string_equal(amz, "19700101T000000Z");
	when_iso(INT64_MAX, iso);
	assert_string_equal(iso, "9999-12-31T23:59:59Z");
	assert_int_equal(when_parse_iso(STR("9999-12-31T23:59:59Z"), &sec, NULL), 0);
	assert_int_equal(sec, 253402300799);
	assert_int_equal(when_parse_iso(STR("0000-03-01T00:00:00Z"), &sec, NULL), 0);
	assert_int_equal(sec, -62162035200);
	assert_int_equal(when_parse_iso(STR("0000-01-01T00:00:00Z"), &sec, NULL), 0);
	assert_int_equal(sec, -62167219200);
	assert_int_equal(when_parse_iso(STR("1969-12-31T23:59:59Z"), &sec, NULL), 0);
	assert_int_equal(sec, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_listing_dates),
		cmocka_unit_test(refuses_other_listing_dates),
		cmocka_unit_test(reads_http_dates),
		cmocka_unit_test(reads_what_others_write),
		cmocka_unit_test(agrees_with_the_library),
		cmocka_unit_test(keeps_to_four_digits_of_year),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
