#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include "s3/endpoint.h"

static struct endpoint parsed(const char *url)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(url, &e), 0);
	return e;
}

static void host_is(const struct endpoint *e, struct str bucket, const char *host)
{
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(endpoint_host(e, bucket, &b), 0);
	assert_string_equal(buf_text(&b), host);
	buf_release(&b);
}

static void path_is(const struct endpoint *e, struct str bucket, struct str key, const char *path)
{
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(endpoint_path(e, bucket, key, &b), 0);
	assert_string_equal(buf_text(&b), path);
	buf_release(&b);
}

static void reads_urls(void **state)
{
	struct endpoint e = parsed("http://127.0.0.1:9000");
	struct buf b;

	assert_false(e.tls);
	assert_false(e.aws);
	assert_int_equal(e.port, 9000);
	assert_string_equal(e.host, "127.0.0.1");
	assert_string_equal(e.path, "");
	e = parsed("https://Store.Example.org/base/path//");
	assert_true(e.tls);
	assert_int_equal(e.port, 0);
	assert_string_equal(e.host, "store.example.org");
	assert_string_equal(e.path, "/base/path");
	buf_init(&b, 1000);
	endpoint_url(&e, &b);
	assert_string_equal(buf_text(&b), "https://store.example.org/base/path");
	buf_clear(&b);
	e = parsed("http://[::1]:7480/");
	assert_string_equal(e.host, "[::1]");
	assert_int_equal(e.port, 7480);
	endpoint_url(&e, &b);
	assert_string_equal(buf_text(&b), "http://[::1]:7480");
	buf_release(&b);
	assert_true(parsed("https://s3.eu-west-1.amazonaws.com").aws);
	assert_true(parsed("https://s3.cn-north-1.amazonaws.com.cn").aws);
	assert_false(parsed("https://amazonaws.com.example.org").aws);
	assert_false(parsed("https://notamazonaws.com").aws);
}

static void leaves_out_the_schemes_own_port(void **state)
{
	struct endpoint e = parsed("https://h:443");

	host_is(&e, STR("bucket"), "h");
	e = parsed("http://h:80");
	host_is(&e, STR("bucket"), "h");
	e = parsed("http://h:443");
	host_is(&e, STR("bucket"), "h:443");
	e = parsed("https://h:80");
	host_is(&e, STR_NONE, "h:80");
}

static void refuses_bad_urls(void **state)
{
	static const char *const bad[] = {"", "h", "h:9000", "ftp://h", "file:///etc/passwd", "http://",
		"http://:80", "http://h:", "http://h:0", "http://h:65536", "http://h:123456", "http://h:9x",
		"http://u@h", "http://u:p@h", "http://h?x", "http://h/?x", "http://h/a#b", "http://h#b",
		"http://h/a b", "http://h/%41", "http://[::1", "http://[]", "http://::1", "http://h\n",
		"http://h h", "http://[::1]x", "HTTP ://h", "http://h\\x"};
	struct endpoint e = {.port = 99};
	char too_long[400] = "http://";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(endpoint_parse(bad[i], &e), -EINVAL);
	memset(too_long + 7, 'h', 300);
	assert_int_equal(endpoint_parse(too_long, &e), -EINVAL);
	assert_int_equal(e.port, 99);
}

static void knows_regions(void **state)
{
	static const char *const cases[][2] = {
		{"us-east-1", "s3.us-east-1.amazonaws.com"},
		{"eu-central-1", "s3.eu-central-1.amazonaws.com"},
		{"us-gov-west-1", "s3.us-gov-west-1.amazonaws.com"},
		{"cn-north-1", "s3.cn-north-1.amazonaws.com.cn"},
		{"us-iso-east-1", "s3.us-iso-east-1.c2s.ic.gov"},
		{"us-isob-east-1", "s3.us-isob-east-1.sc2s.sgov.gov"},
	};
	struct endpoint e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(endpoint_for_region(cases[i][0], 0, &e), 0);
		assert_string_equal(e.host, cases[i][1]);
		assert_true(e.tls && e.aws);
		assert_int_equal(e.port, 0);
	}
	assert_int_equal(endpoint_for_region("us-gov-west-1", ENDPOINT_FIPS, &e), 0);
	assert_string_equal(e.host, "s3-fips.us-gov-west-1.amazonaws.com");
	assert_int_equal(endpoint_for_region("eu-west-1", ENDPOINT_DUALSTACK, &e), 0);
	assert_string_equal(e.host, "s3.dualstack.eu-west-1.amazonaws.com");
	assert_int_equal(endpoint_for_region("us-east-2", ENDPOINT_FIPS | ENDPOINT_DUALSTACK, &e), 0);
	assert_string_equal(e.host, "s3-fips.dualstack.us-east-2.amazonaws.com");
	assert_string_equal(endpoint_partition("eu-west-1"), "aws");
	assert_string_equal(endpoint_partition("cn-north-1"), "aws-cn");
	assert_string_equal(endpoint_partition("us-gov-east-1"), "aws-us-gov");
	assert_string_equal(endpoint_partition("us-isob-east-1"), "aws-iso-b");
	assert_int_equal(endpoint_for_region("", 0, &e), -EINVAL);
	assert_int_equal(endpoint_for_region("evil.org/", 0, &e), -EINVAL);
	assert_int_equal(endpoint_for_region("US-EAST-1", 0, &e), -EINVAL);
}

static void addresses_buckets(void **state)
{
	struct endpoint aws, plain = parsed("http://127.0.0.1:9000"), based = parsed("https://h/base");

	assert_int_equal(endpoint_for_region("us-east-1", 0, &aws), 0);
	host_is(&aws, STR("bucket"), "bucket.s3.us-east-1.amazonaws.com");
	path_is(&aws, STR("bucket"), STR("a b"), "/a%20b");
	path_is(&aws, STR("bucket"), STR_NONE, "/");
	host_is(&aws, STR_NONE, "s3.us-east-1.amazonaws.com");
	path_is(&aws, STR_NONE, STR_NONE, "/");
	/* no DNS label, or not covered by the certificate */
	host_is(&aws, STR("with.dots"), "s3.us-east-1.amazonaws.com");
	path_is(&aws, STR("with.dots"), STR("k"), "/with.dots/k");
	host_is(&aws, STR("Upper_Case"), "s3.us-east-1.amazonaws.com");
	path_is(&aws, STR("Upper_Case"), STR("k"), "/Upper_Case/k");
	host_is(&plain, STR("bucket"), "127.0.0.1:9000");
	path_is(&plain, STR("bucket"), STR("/a//../b+"), "/bucket//a//../b%2B");
	path_is(&plain, STR("bucket"), STR_NONE, "/bucket");
	path_is(&plain, STR_NONE, STR_NONE, "/");
	path_is(&based, STR_NONE, STR_NONE, "/base/");
	path_is(&based, STR("bucket"), STR("k"), "/base/bucket/k");
	aws.addressing = ADDRESSING_PATH;
	host_is(&aws, STR("bucket"), "s3.us-east-1.amazonaws.com");
	plain = parsed("http://localhost:9000");
	plain.addressing = ADDRESSING_VIRTUAL;
	host_is(&plain, STR("bucket"), "bucket.localhost:9000");
	path_is(&plain, STR("bucket"), STR("k"), "/k");
	host_is(&plain, STR("with.dots"), "with.dots.localhost:9000");
	host_is(&plain, STR("Upper"), "localhost:9000");
}

static void knows_buckets(void **state)
{
	struct endpoint e = {.aws = true};
	char longest[256];

	memset(longest, 'b', sizeof(longest));
	assert_true(endpoint_bucket_ok(STR("abc")));
	assert_true(endpoint_bucket_ok(STR("A_b.c-D")));
	assert_true(endpoint_bucket_ok(str_n(longest, 255)));
	assert_false(endpoint_bucket_ok(str_n(longest, 256)));
	assert_false(endpoint_bucket_ok(STR("ab")));
	assert_false(endpoint_bucket_ok(STR_NONE));
	assert_false(endpoint_bucket_ok(STR("a/b")));
	assert_false(endpoint_bucket_ok(STR("a b")));
	assert_false(endpoint_bucket_ok(STR("b\xc3\xbc")));
	assert_true(endpoint_virtual(&e, STR("a-b.c1")));
	assert_true(endpoint_virtual(&e, STR("123")));
	assert_false(endpoint_virtual(&e, STR("1.2.3.4")));
	assert_false(endpoint_virtual(&e, STR("-ab")));
	assert_false(endpoint_virtual(&e, STR("ab-")));
	assert_false(endpoint_virtual(&e, STR("a..b")));
	assert_false(endpoint_virtual(&e, STR("a.-b")));
	assert_false(endpoint_virtual(&e, STR(".ab")));
	assert_false(endpoint_virtual(&e, str_n(longest, 64)));
}

static void tells_services_apart(void **state)
{
	struct endpoint a = parsed("https://h"), b = parsed("http://H/"), c = parsed("http://h:81");
	struct endpoint d = parsed("http://h/base"), e = parsed("http://h2");

	assert_true(endpoint_same(&a, &b));
	b.addressing = ADDRESSING_PATH;
	assert_true(endpoint_same(&a, &b));
	assert_false(endpoint_same(&a, &c));
	assert_false(endpoint_same(&a, &d));
	assert_false(endpoint_same(&a, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_urls),
		cmocka_unit_test(leaves_out_the_schemes_own_port),
		cmocka_unit_test(refuses_bad_urls),
		cmocka_unit_test(knows_regions),
		cmocka_unit_test(addresses_buckets),
		cmocka_unit_test(knows_buckets),
		cmocka_unit_test(tells_services_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
