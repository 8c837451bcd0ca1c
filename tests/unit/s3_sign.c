#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include <stdlib.h>
#include <openssl/crypto.h>
#include "s3/sign.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* One published vector: "name: value" lines in any order, and what must come out. */
struct vector {
	const char *method, *path, *query;
	const char *headers[6][2];
	const char *payload, *names, *signature;
};

static struct credentials example(struct str access_key, struct str secret)
{
	struct credentials c = {0};

	assert_int_equal(credentials_set(&c, access_key, secret, STR_NONE), 0);
	return c;
}

static struct sign_input input_of(const struct vector *v, struct sign_header *headers)
{
	struct sign_input input = {
		.method = str_of(v->method),
		.path = str_of(v->path),
		.query = str_of(v->query),
		.headers = headers,
		.payload = str_of(v->payload),
		.region = STR("us-east-1"),
	};

	for (unsigned i = 0; i < 6 && v->headers[i][0]; i++)
		headers[input.header_count++] =
			(struct sign_header){str_of(v->headers[i][0]), str_of(v->headers[i][1])};
	return input;
}

static void signs_as(
	struct signer *signer, const struct credentials *c, struct sign_input *input, const char *expected)
{
	struct buf b;

	buf_init(&b, 10000);
	assert_int_equal(signer_sign(signer, c, input, &b), 0);
	assert_string_equal(buf_text(&b), expected);
	buf_release(&b);
}

/* AWS, Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature
 * Version 4)", its four examples. */
static void s3_examples(void **state)
{
	static const struct vector vectors[] = {
		{"GET", "/test.txt", "",
			{{"host", "examplebucket.s3.amazonaws.com"}, {"range", "bytes=0-9"},
				{"x-amz-content-sha256", EMPTY}, {"x-amz-date", "20130524T000000Z"}},
			EMPTY, "host;range;x-amz-content-sha256;x-amz-date",
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
		{"PUT", "/test%24file.text", "",
			{{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
				{"host", "examplebucket.s3.amazonaws.com"},
				{"x-amz-date", "20130524T000000Z"},
				{"x-amz-content-sha256",
					"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
				{"date", "Fri, 24 May 2013 00:00:00 GMT"}},
			"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
			"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
			"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
		{"GET", "/", "lifecycle=",
			{{"host", "examplebucket.s3.amazonaws.com"}, {"x-amz-date", "20130524T000000Z"},
				{"x-amz-content-sha256", EMPTY}},
			EMPTY, "host;x-amz-content-sha256;x-amz-date",
			"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
		{"GET", "/", "max-keys=2&prefix=J",
			{{"x-amz-date", "20130524T000000Z"}, {"x-amz-content-sha256", EMPTY},
				{"host", "examplebucket.s3.amazonaws.com"}},
			EMPTY, "host;x-amz-content-sha256;x-amz-date",
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	};
	struct credentials c =
		example(STR("AKIAIOSFODNN7EXAMPLE"), STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
	struct signer *signer;

	assert_int_equal(signer_new(&signer), 0);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct sign_header headers[6];
		struct sign_input input = input_of(&vectors[i], headers);
		struct buf expected;

		input.service = STR("s3");
		input.now = 1369353600; /* 2013-05-24T00:00:00Z */
		buf_init(&expected, 1000);
		buf_addf(&expected,
			"AWS4-HMAC-SHA256 "
			"Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
			"SignedHeaders=%s, Signature=%s",
			vectors[i].names, vectors[i].signature);
		signs_as(signer, &c, &input, buf_text(&expected));
		signs_as(signer, &c, &input, buf_text(&expected)); /* by the kept day key */
		buf_release(&expected);
	}
	signer_free(signer);
}

#define TOKEN                                                                                                \
	"AQoDYXdzEPT//////////"                                                                              \
	"wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YU"           \
	"uwthAx7mSEI/qkPpKPi/"                                                                               \
	"kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8Y"          \
	"QcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"                                                \
	"scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICC"                                         \
	"R/oLxBA=="

/* AWS, General Reference, "Signature Version 4 test suite" (aws-sig-v4-test-suite), by the names of its
 * folders. */
static void test_suite(void **state)
{
	static const struct vector vectors[] = {
		/* get-vanilla */
		{"GET", "/", "", {{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}},
			EMPTY, "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		/* get-vanilla-query-order-key-case */
		{"GET", "/", "Param1=value1&Param2=value2",
			{{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}}, EMPTY,
			"host;x-amz-date",
			"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		/* get-utf8 */
		{"GET", "/%E1%88%B4", "",
			{{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}}, EMPTY,
			"host;x-amz-date",
			"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
		/* get-header-key-duplicate */
		{"GET", "/", "",
			{{"host", "example.amazonaws.com"}, {"my-header1", "value2"},
				{"my-header1", "value2"}, {"my-header1", "value1"},
				{"x-amz-date", "20150830T123600Z"}},
			EMPTY, "host;my-header1;x-amz-date",
			"c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
		/* get-header-value-trim */
		{"GET", "/", "",
			{{"host", "example.amazonaws.com"}, {"my-header1", "value1"},
				{"my-header2", "\"a   b   c\""}, {"x-amz-date", "20150830T123600Z"}},
			EMPTY, "host;my-header1;my-header2;x-amz-date",
			"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		/* post-vanilla */
		{"POST", "/", "", {{"x-amz-date", "20150830T123600Z"}, {"host", "example.amazonaws.com"}},
			EMPTY, "host;x-amz-date",
			"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		/* post-sts-header-before */
		{"POST", "/", "",
			{{"x-amz-security-token", TOKEN}, {"x-amz-date", "20150830T123600Z"},
				{"host", "example.amazonaws.com"}},
			EMPTY, "host;x-amz-date;x-amz-security-token",
			"85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
	};
	struct credentials c = example(STR("AKIDEXAMPLE"), STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
	struct signer *signer;

	assert_int_equal(signer_new(&signer), 0);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct sign_header headers[6];
		struct sign_input input = input_of(&vectors[i], headers);
		struct buf expected;

		input.service = STR("service");
		input.now = 1440938160; /* 2015-08-30T12:36:00Z */
		buf_init(&expected, 1000);
		buf_addf(&expected,
			"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
			"SignedHeaders=%s, Signature=%s",
			vectors[i].names, vectors[i].signature);
		signs_as(signer, &c, &input, buf_text(&expected));
		buf_release(&expected);
	}
	signer_free(signer);
}

static const struct vector plain = {
	"GET", "/", "", {{"host", "h"}, {"x-amz-date", "20150830T123600Z"}}, EMPTY, NULL, NULL};

/* More combinations than are kept, mixed: a signer of long standing says what a new one says. */
static void kept_keys_are_never_confused(void **state)
{
	static const char *const regions[] = {"us-east-1", "us-east-2", "eu-west-1"};
	static const char *const keys[] = {"A", "AB", "B"};
	static const char *const secrets[] = {
		"Bs", "s", "other"}; /* "A" "Bs" and "AB" "s" join to the same text */
	struct signer *old;

	assert_int_equal(signer_new(&old), 0);
	for (unsigned i = 0; i < 300; i++) {
		unsigned pick = i * 7919u;
		struct credentials c = example(str_of(keys[pick % 3]), str_of(secrets[pick / 3 % 3]));
		struct sign_header headers[6];
		struct sign_input input = input_of(&plain, headers);
		struct signer *fresh;
		struct buf expected;

		input.region = str_of(regions[pick / 9 % 3]);
		input.service = pick / 27 % 2 ? STR("s3") : STR("sts");
		input.now = 1440938160 + 86400 * (pick / 54 % 3);
		buf_init(&expected, 1000);
		assert_int_equal(signer_new(&fresh), 0);
		assert_int_equal(signer_sign(fresh, &c, &input, &expected), 0);
		signs_as(old, &c, &input, buf_text(&expected));
		signer_free(fresh);
		buf_release(&expected);
	}
	signer_free(old);
}

/* The value was computed with Python's hmac and hashlib; HMAC hashes a key of more than 64 bytes first. */
static void long_secret_is_hashed(void **state)
{
	char secret[256];
	struct credentials c;
	struct sign_header headers[6];
	struct sign_input input = input_of(&plain, headers);
	struct signer *signer;

	memset(secret, 's', sizeof(secret));
	c = example(STR("A"), str_n(secret, sizeof(secret)));
	input.service = STR("s3");
	input.now = 1440938160;
	assert_int_equal(signer_new(&signer), 0);
	signs_as(signer, &c, &input,
		"AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/s3/aws4_request, "
		"SignedHeaders=host;x-amz-date, "
		"Signature=dfe1e9aa62d312ce76a699b134dec70cc27d168d75c6ded5aae1709dc15ccacc");
	signer_free(signer);
}

static void refuses(void **state)
{
	struct credentials c = example(STR("A"), STR("s"));
	char region[65];
	struct sign_header headers[6];
	struct sign_input input = input_of(&plain, headers);
	struct signer *signer;
	struct buf b;

	memset(region, 'r', sizeof(region));
	buf_init(&b, 1000);
	assert_int_equal(signer_new(&signer), 0);
	assert_int_equal(signer_sign(signer, &c, &input, &b), -EINVAL); /* no service */
	input.service = STR("s3");
	input.region = STR("");
	assert_int_equal(signer_sign(signer, &c, &input, &b), -EINVAL);
	input.region = str_n(region, 65);
	assert_int_equal(signer_sign(signer, &c, &input, &b), -EINVAL);
	input.region = str_n(region, 64);
	assert_int_equal(signer_sign(signer, &c, &input, &b), 0);
	buf_clear(&b);
	credentials_wipe(&c);
	c.anonymous = true;
	assert_int_equal(signer_sign(signer, &c, &input, &b), -EINVAL);
	assert_int_equal(b.len, 0);
	buf_release(&b);
	signer_free(signer);
	signer_free(NULL);
}

static void hashes(void **state)
{
	char sha[SHA256_HEX + 1], md5[MD5_BASE64 + 1];
	struct signer *signer;

	assert_int_equal(signer_new(&signer), 0);
	assert_int_equal(signer_sha256(signer, NULL, 0, sha), 0);
	assert_string_equal(sha, EMPTY);
	assert_int_equal(signer_sha256(signer, "abc", 3, sha), 0); /* FIPS 180-2, B.1 */
	assert_string_equal(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(signer_md5(signer, "abc", 3, md5), 0); /* RFC 1321, A.5: 900150983cd2... */
	assert_string_equal(md5, "kAFQmDzST7DWlj99KOF/cg==");
	signer_free(signer);
}

/* OpenSSL's allocator, counted. */
static unsigned long allocations;

static void *counted_malloc(size_t size, const char *file, int line)
{
	allocations++;
	return malloc(size);
}

static void *counted_realloc(void *data, size_t size, const char *file, int line)
{
	allocations++;
	return realloc(data, size);
}

static void counted_free(void *data, const char *file, int line)
{
	free(data);
}

static void a_signature_allocates_nothing(void **state)
{
	struct credentials c = example(STR("A"), STR("s"));
	struct sign_header headers[6];
	struct sign_input input = input_of(&plain, headers);
	char md5[MD5_BASE64 + 1];
	struct signer *signer;
	struct buf b;

	buf_init(&b, 1000);
	input.service = STR("s3");
	allocations = 0;
	assert_int_equal(signer_new(&signer), 0);
	assert_int_equal(signer_md5(signer, "", 0, md5), 0);
	assert_true(allocations > 0); /* they are counted */
	assert_int_equal(signer_sign(signer, &c, &input, &b), 0);
	allocations = 0;
	for (int day = 0; day < 20; day++) {
		input.now = day * 86400;
		buf_clear(&b);
		assert_int_equal(signer_sign(signer, &c, &input, &b), 0);
	}
	assert_int_equal(allocations, 0);
	signer_free(signer);
	buf_release(&b);
}

int main(void)
{
	/* Refused when OpenSSL has allocated before, so first of all. */
	if (!CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_examples),
		cmocka_unit_test(test_suite),
		cmocka_unit_test(kept_keys_are_never_confused),
		cmocka_unit_test(long_secret_is_hashed),
		cmocka_unit_test(refuses),
		cmocka_unit_test(hashes),
		cmocka_unit_test(a_signature_allocates_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
