/* The common options, in both spellings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include "fs/cmd/common_options.h"

static struct connect_options options;
static char why[ACCOUNT_WHY_MAX];

static int set(const char *name, const char *value)
{
	why[0] = '\0';
	return connect_option(&options, name, value, why);
}

static int setup(void **state)
{
	connect_init(&options);
	return 0;
}

static void test_defaults(void **state)
{
	assert_int_equal(options.engine.retries, UINT_MAX);
	assert_int_equal(options.engine.workers, 0);
	assert_int_equal(options.log_level, LOG_LEVEL_WARNING);
	assert_null(options.account.endpoint_url);
}

static void test_spellings(void **state)
{
	assert_int_equal(set("endpoint-url", "http://a"), 0);
	assert_string_equal(options.account.endpoint_url, "http://a");
	assert_int_equal(set("endpoint_url", "http://b"), 0);
	assert_string_equal(options.account.endpoint_url, "http://b");
	assert_int_equal(set("no-sign-request", NULL), 0);
	assert_true(options.account.no_sign_request);
	assert_int_equal(set("endpoint", "x"), -ENOENT);
	assert_int_equal(set("endpoint-url-s3", "x"), -ENOENT);
	assert_int_equal(set("", "x"), -ENOENT);
}

static void test_numbers(void **state)
{
	static const char *const bad[] = {
		"0", "-1", "+1", " 1", "1 ", "", "x", "1x", "99999999999999999999", "257"};

	assert_int_equal(set("workers", "256"), 0);
	assert_int_equal(options.engine.workers, 256);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(set("workers", bad[i]), -EINVAL);
		assert_true(why[0]);
	}
	assert_int_equal(options.engine.workers, 256);
	assert_int_equal(set("retries", "0"), 0);
	assert_int_equal(options.engine.retries, 0);
	assert_int_equal(set("inflight", "65536"), 0);
	assert_int_equal(set("inflight", "65537"), -EINVAL);
}

static void test_seconds(void **state)
{
	assert_int_equal(set("timeout", "5"), 0);
	assert_int_equal(options.engine.timeout_ms, 5000);
	assert_int_equal(set("timeout", "0.25"), 0);
	assert_int_equal(options.engine.timeout_ms, 250);
	assert_int_equal(set("connect_timeout", "1.5"), 0);
	assert_int_equal(options.engine.connect_timeout_ms, 1500);
	assert_int_equal(set("timeout", "0"), -EINVAL);
	assert_int_equal(set("timeout", "0.0001"), -EINVAL);
	assert_int_equal(set("timeout", ".5"), -EINVAL);
	assert_int_equal(set("timeout", "1e3"), -EINVAL);
	assert_int_equal(set("timeout", "86401"), -EINVAL);
	assert_int_equal(options.engine.timeout_ms, 250);
}

static void test_flags_and_values(void **state)
{
	assert_int_equal(set("no_sign_request", "yes"), -EINVAL);
	assert_int_equal(set("region", NULL), -EINVAL);
	assert_int_equal(set("region", ""), -EINVAL);
	assert_int_equal(set("addressing", "dns"), -EINVAL);
	assert_int_equal(set("addressing", "virtual"), 0);
	assert_int_equal(set("log-level", "loud"), -EINVAL);
	assert_int_equal(set("log-level", "trace"), 0);
	assert_int_equal(options.log_level, LOG_LEVEL_TRACE);
	assert_int_equal(set("no-verify-ssl", NULL), 0);
	assert_true(options.engine.no_verify_tls);
	assert_int_equal(set("request_payer", "me"), -EINVAL);
	assert_int_equal(set("request_payer", "requester"), 0);
	assert_int_equal(set("request_payer", NULL), 0);
	assert_true(options.account.request_payer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_defaults, setup),
		cmocka_unit_test_setup(test_spellings, setup),
		cmocka_unit_test_setup(test_numbers, setup),
		cmocka_unit_test_setup(test_seconds, setup),
		cmocka_unit_test_setup(test_flags_and_values, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
