/* Mode, owner and times in headers: what s3fs and rclone write, what nobody should have, and back again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fs/core/attrs.h"

static struct attrs read_one(const char *name, const char *value)
{
	struct headers headers;
	struct attrs attrs;

	headers_init(&headers);
	assert_int_equal(headers_add(&headers, str_of(name), str_of(value)), 0);
	attrs_read(&attrs, &headers);
	headers_release(&headers);
	return attrs;
}

static void test_modes(void **state)
{
	static const struct {
		const char *text;
		int mode; /* -1: none */
	} cases[] = {
		{"33188", 0644}, /* s3fs: 0100644 */
		{"16877", 0755}, /* of a directory */
		{"41471", 0777}, /* of a link */
		{"420", 0644},
		{"100644", 0644}, /* rclone --metadata: octal */
		{"040755", 0755},
		{"0644", 0644},
		{"36333", 06755},
		{"", -1},
		{"-1", -1},
		{"rw", -1},
		{"33188x", -1},
		{"4294967295", -1},
		{"99999999999999999999999", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct attrs attrs = read_one("x-amz-meta-mode", cases[i].text);

		assert_int_equal(attrs.has, cases[i].mode < 0 ? 0 : ATTRS_MODE);
		if (cases[i].mode >= 0)
			assert_int_equal(attrs.mode, cases[i].mode);
	}
}

static void test_ids(void **state)
{
	assert_int_equal(read_one("x-amz-meta-uid", "1000").uid, 1000);
	assert_int_equal(read_one("x-amz-meta-gid", "4294967294").gid, 4294967294u);
	assert_int_equal(read_one("x-amz-meta-uid", "4294967295").has, 0);
	assert_int_equal(read_one("x-amz-meta-uid", "-5").has, 0);
	assert_int_equal(read_one("x-amz-meta-gid", "root").has, 0);
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		long nsec;
	} good[] = {
		{"1000000000", 1000000000, 0},
		{"1500000000.123456789", 1500000000, 123456789},
		{"1500000000.5", 1500000000, 500000000},
		{"1500000000.1234567891234", 1500000000, 123456789},
		{"0", 0, 0},
		{"-1", -1, 0},
		{"-1.25", -2, 750000000},
		{"7.", 7, 0},
	};
	static const char *const bad[] = {"", "-", ".", ".5", "yesterday", "1e9", "1.2.3", "1,5",
		"99999999999999999999", "1.-5", "+1", "2001-01-01T00:00:00Z"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct attrs attrs = read_one("x-amz-meta-mtime", good[i].text);

		assert_int_equal(attrs.has, ATTRS_MTIME);
		assert_int_equal(attrs.mtime.tv_sec, good[i].seconds);
		assert_int_equal(attrs.mtime.tv_nsec, good[i].nsec);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_one("x-amz-meta-mtime", bad[i]).has, 0);
}

static void test_round_trip(void **state)
{
	static const int64_t seconds[] = {0, 1, -1, -2, 1500000000, -315619200, 4102444800};
	static const long nsec[] = {0, 1, 500000000, 999999999};
	struct headers headers;
	struct attrs back;

	headers_init(&headers);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]) * 4; i++) {
		const struct timespec time = {.tv_sec = seconds[i / 4], .tv_nsec = nsec[i % 4]};
		const struct attrs attrs = {.has = 63,
			.mode = 06754,
			.uid = 5,
			.gid = 4294967294u,
			.mtime = time,
			.atime = time,
			.ctime = time};

		assert_int_equal(attrs_write(&attrs, S_IFREG, &headers), 0);
		attrs_read(&back, &headers);
		assert_int_equal(back.has, 63);
		assert_true(attrs_cover(&back, &attrs));
		assert_int_equal(back.ctime.tv_nsec, time.tv_nsec);
	}
	assert_int_equal(headers.count, 6);
	headers_release(&headers);
}

static void test_cover(void **state)
{
	struct attrs attrs = {.has = ATTRS_MODE | ATTRS_MTIME, .mode = 0644, .mtime.tv_sec = 5};
	struct attrs change = {.has = ATTRS_MODE | ATTRS_CTIME, .mode = 0644};
	struct stat st = {.st_mode = S_IFREG | 0600, .st_uid = 7};

	assert_true(attrs_cover(&attrs, &change));
	change.has |= ATTRS_UID;
	assert_false(attrs_cover(&attrs, &change));
	attrs_merge(&attrs, &change);
	assert_true(attrs_cover(&attrs, &change));
	change.mode = 0640;
	assert_false(attrs_cover(&attrs, &change));
	attrs_show(&attrs, &st);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_atim.tv_sec, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
