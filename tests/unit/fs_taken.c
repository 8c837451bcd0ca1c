/* taken: notes by process and place, what is forgotten, and what becomes of those whose notes were lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "fs/core/place.h"
#include "fs/file/taken.h"

enum { MAX = 8 };

static struct account *account;
static struct taken *taken;

static int setup(void **state)
{
	const struct account_options options = {
		.endpoint_url = "http://127.0.0.1:1", .region = "us-east-1", .no_sign_request = true};
	char why[ACCOUNT_WHY_MAX];

	assert_int_equal(account_open(&options, &account, why), 0);
	assert_int_equal(taken_new(MAX, &taken), 0);
	return 0;
}

static int teardown(void **state)
{
	taken_free(taken);
	account_unref(account);
	return 0;
}

static const struct place *at(const char *key)
{
	static struct place place;

	place.account = account;
	place.bucket_len = (size_t)snprintf(place.bucket, sizeof(place.bucket), "bucket");
	place.key_len = (size_t)snprintf(place.key, sizeof(place.key), "%s", key);
	return &place;
}

/* The version that a process has of a key: 0 none, 1 that ETag's, -1 lost or another. */
static int has(pid_t pid, const char *key, const char *etag)
{
	struct taken_version version;

	if (!taken_find(taken, pid, at(key), &version))
		return 0;
	return version.hash == taken_hash(etag) ? 1 : -1;
}

static void test_notes(void **state)
{
	taken_note(taken, 5, at("a"), "one");
	taken_note(taken, 5, at("b"), "two");
	taken_note(taken, 6, at("a"), "three");
	taken_note(taken, 0, at("c"), "four");
	taken_note(taken, 5, at("d"), "");
	assert_int_equal(has(5, "a", "one"), 1);
	assert_int_equal(has(5, "b", "two"), 1);
	assert_int_equal(has(6, "a", "three"), 1);
	assert_int_equal(has(7, "a", "one"), 0);
	assert_int_equal(has(0, "c", "four"), 0);
	assert_int_equal(has(5, "d", ""), 0);
	/* The later version counts. */
	taken_note(taken, 5, at("a"), "later");
	assert_int_equal(has(5, "a", "later"), 1);
	taken_drop(taken, 5, at("a"));
	assert_int_equal(has(5, "a", "later"), 0);
	assert_int_equal(has(6, "a", "three"), 1);
	taken_note(taken, 5, at("a"), "one");
	taken_forget(taken, at("a"));
	assert_int_equal(has(5, "a", "one"), 0);
	assert_int_equal(has(6, "a", "three"), 0);
	assert_int_equal(has(5, "b", "two"), 1);
}

static void test_below(void **state)
{
	taken_note(taken, 5, at("dir/a"), "one");
	taken_note(taken, 5, at("dirt"), "two");
	taken_forget_below(taken, at("dir/"));
	assert_int_equal(has(5, "dir/a", "one"), 0);
	assert_int_equal(has(5, "dirt", "two"), 1);
	for (unsigned i = 0; i < 2 * TAKEN_BELOW_MAX; i++)
		taken_forget_below(taken, at("other/"));
	assert_int_equal(has(5, "dirt", "two"), 1);
}

static void test_lost(void **state)
{
	struct taken_version version;
	char key[16];
	int64_t now = (int64_t)time(NULL);

	for (unsigned i = 0; i < 3 * MAX; i++) {
		snprintf(key, sizeof(key), "key%u", i);
		taken_note(taken, 5, at(key), key);
	}
	for (unsigned i = 2 * MAX; i < 3 * MAX; i++) {
		snprintf(key, sizeof(key), "key%u", i);
		assert_int_equal(has(5, key, key), 1);
	}
	/* What this process has no note of must be older than what it lost; nobody else is concerned. */
	assert_true(taken_find(taken, 5, at("key0"), &version));
	assert_true(version.hash == 0 && version.before <= now && version.before > now - 60);
	assert_int_equal(has(6, "key0", "key0"), 0);
	/* More processes than can be told apart have lost notes: then it is true of all. */
	for (unsigned i = 0; i < TAKEN_LOST_MAX + 2 * MAX; i++)
		taken_note(taken, (pid_t)(100 + i), at("x"), "x");
	assert_true(taken_find(taken, 99, at("y"), &version));
	assert_true(version.hash == 0 && version.before > now - 60);
}

static void test_nobody(void **state)
{
	struct taken_version version;

	taken_note(NULL, 5, at("a"), "one");
	taken_forget(NULL, at("a"));
	taken_drop(NULL, 5, at("a"));
	assert_false(taken_find(NULL, 5, at("a"), &version));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_notes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_below, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
