/* What was served whole is found by its bytes, and nothing else is (fs/file/recognise.h). */
#include <errno.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/file/recognise.h"
#include "fs/file/refused_copies.h"

static struct recognise *table;
static struct account *account, *other;

static int set_up(void **state)
{
	return recognise_new(&table);
}

static int tear_down(void **state)
{
	recognise_free(table);
	return 0;
}

static struct recognise_version version(const char *key, const char *etag, uint64_t size)
{
	return (struct recognise_version){.account = account,
		.bucket = STR("bucket"),
		.key = str_of(key),
		.etag = str_of(etag),
		.size = size};
}

static void digest(const char *data, size_t len, unsigned char *ret)
{
	assert_int_equal(EVP_Digest(data, len, ret, NULL, EVP_sha256(), NULL), 1);
}

/* Looks for data as the content of bucket/to; the key it was found at, or NULL. */
static const char *found_at(struct account *by, const char *to, const char *data, size_t len, uint64_t now_ms)
{
	static struct recognised found;
	unsigned char sha256[RECOGNISE_SHA256];
	struct recognise_version place = version(to, "", len);

	place.account = by;
	digest(data, len, sha256);
	if (!recognise_find(table, &place, sha256, now_ms, &found))
		return NULL;
	account_unref(found.account);
	return found.key;
}

static struct served *begin(const char *key, const char *etag, uint64_t size)
{
	struct recognise_version of = version(key, etag, size);
	struct served *served;

	assert_int_equal(served_new(table, &of, &served), 0);
	return served;
}

static void add(const char *key, const char *etag, const char *data, size_t len)
{
	struct served *served = begin(key, etag, len);

	served_take(served, data, len);
	served_free(served);
}

static void test_whole(void **state)
{
	struct served *served = begin("a", "e", 10);

	assert_int_equal(served_next(served), 0);
	served_take(served, "0123", 4);
	assert_int_equal(served_next(served), 4);
	assert_null(found_at(account, "b", "0123", 4, 0));
	assert_false(recognise_perhaps(table, 10));
	served_take(served, "456789", 6);
	assert_int_equal(served_next(served), UINT64_MAX);
	assert_true(recognise_perhaps(table, 10));
	assert_string_equal(found_at(account, "b", "0123456789", 10, 0), "a");
	assert_null(found_at(account, "b", "0123456780", 10, 0));
	assert_null(found_at(account, "b", "012345678", 9, 0));
	/* Onto itself, or from another service: no. */
	assert_null(found_at(account, "a", "0123456789", 10, 0));
	assert_null(found_at(other, "b", "0123456789", 10, 0));
	/* Over is over. */
	served_take(served, "x", 1);
	assert_int_equal(served_next(served), UINT64_MAX);
	served_free(served);
}

static void test_too_much(void **state)
{
	struct served *served = begin("a", "e", 3);

	served_take(served, "01", 2);
	served_take(served, "23", 2);
	assert_int_equal(served_next(served), UINT64_MAX);
	assert_false(recognise_perhaps(table, 3));
	served_free(served);
}

static void test_what_is_not_summed_up(void **state)
{
	struct recognise_version none = version("a", "e", 0), unknown = version("a", "", 5);
	struct served *served = NULL;

	assert_int_equal(served_new(table, &none, &served), -EINVAL);
	assert_int_equal(served_new(table, &unknown, &served), -EINVAL);
	assert_null(served);
	served = begin("a", "e", 5);
	assert_true(served_is_of(served, STR("e"), 5));
	assert_false(served_is_of(served, STR("f"), 5));
	assert_false(served_is_of(served, STR("e"), 6));
	served_free(served);
}

static void test_forgotten(void **state)
{
	struct recognised found = {.account = account, .bucket = "bucket", .key = "a", .etag = "other"};

	add("a", "e", "data", 4);
	recognise_forget(table, &found);
	assert_string_equal(found_at(account, "b", "data", 4, 0), "a");
	strcpy(found.etag, "e");
	recognise_forget(table, &found);
	assert_null(found_at(account, "b", "data", 4, 0));
	assert_false(recognise_perhaps(table, 4));
}

/* The same object once more takes its own place: with its latest ETag, and forgotten it is gone. */
static void test_again(void **state)
{
	struct recognised found = {.account = account, .bucket = "bucket", .key = "a", .etag = "2"};

	add("a", "1", "data", 4);
	add("a", "2", "data", 4);
	recognise_forget(table, &found);
	assert_null(found_at(account, "b", "data", 4, 0));
}

static void test_refused(void **state)
{
	struct recognised found = {.account = account, .bucket = "bucket", .key = "a", .etag = "e"};
	struct recognise_version to = version("b", "", 4);

	add("a", "e", "data", 4);
	recognise_refused(table, &found, &to, 1000);
	assert_null(found_at(account, "b", "data", 4, 1000));
	assert_null(found_at(account, "b", "data", 4, 1000 + REFUSED_COPIES_MS - 1));
	assert_non_null(found_at(account, "b", "data", 4, 1000 + REFUSED_COPIES_MS));
	/* Other pairs' refusals don't hold here, but push this one out in the end. */
	for (unsigned i = 0; i < REFUSED_COPIES_MAX; i++) {
		char bucket[16];

		assert_null(found_at(account, "b", "data", 4, 1000));
		snprintf(bucket, sizeof(bucket), "elsewhere%u", i);
		to.bucket = str_of(bucket);
		recognise_refused(table, &found, &to, 1000);
		recognise_refused(table, &found, &to, 1000); /* no news: it takes no place */
	}
	assert_non_null(found_at(account, "b", "data", 4, 1000));
}

static void test_bounded(void **state)
{
	char name[16];

	for (unsigned i = 0; i < 2 * RECOGNISE_MAX; i++) {
		snprintf(name, sizeof(name), "%08u", i);
		add(name, "e", name, 8);
	}
	assert_null(found_at(account, "b", "00000000", 8, 0));
	snprintf(name, sizeof(name), "%08u", RECOGNISE_MAX - 1U);
	assert_null(found_at(account, "b", name, 8, 0));
	for (unsigned i = RECOGNISE_MAX; i < 2 * RECOGNISE_MAX; i++) {
		snprintf(name, sizeof(name), "%08u", i);
		assert_string_equal(found_at(account, "b", name, 8, 0), name);
	}
}

/* Many files with the same bytes leave the others where they are. */
static void test_alike(void **state)
{
	char name[16];

	add("one", "e", "1", 1);
	for (unsigned i = 0; i < 2 * RECOGNISE_MAX; i++) {
		snprintf(name, sizeof(name), "%08u", i);
		add(name, "e", "same", 4);
	}
	assert_string_equal(found_at(account, "b", "1", 1, 0), "one");
	assert_string_equal(found_at(account, "b", "same", 4, 0), name);
}

static struct account *open_account(const char *url)
{
	struct account_options options = {
		.endpoint_url = url, .region = "us-east-1", .no_sign_request = true};
	char why[ACCOUNT_WHY_MAX];
	struct account *opened;

	assert_int_equal(account_open(&options, &opened, why), 0);
	return opened;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_much, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_not_summed_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_alike, set_up, tear_down),
	};

	account = open_account("http://127.0.0.1:1");
	other = open_account("http://127.0.0.1:2");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	account_unref(account);
	account_unref(other);
	return failed;
}
