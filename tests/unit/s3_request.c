#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "s3/request.h"

enum { NOW = 1369353600 }; /* 2013-05-24T00:00:00Z */

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HASH64 "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

static struct endpoint plain, aws;
static struct credentials credentials;
static struct s3_target target;
static struct signer *signer;
static struct s3_wire wire;

static int setup(void **state)
{
	if (endpoint_parse("http://127.0.0.1:9000", &plain) ||
		endpoint_parse("https://s3.amazonaws.com", &aws) ||
		credentials_set(&credentials, STR("AKIAIOSFODNN7EXAMPLE"),
			STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), STR_NONE))
		return -1;
	target = (struct s3_target){
		.endpoint = &plain, .credentials = &credentials, .region = STR("us-east-1")};
	s3_wire_init(&wire);
	return signer_new(&signer);
}

static int teardown(void **state)
{
	s3_wire_release(&wire);
	signer_free(signer);
	return 0;
}

static int build(const struct s3_request *request)
{
	return s3_wire_build(&wire, request, &target, signer, NOW);
}

/* The value of the one line of this name; NULL where there is none. */
static const char *line(const char *name)
{
	size_t at = 0, len = strlen(name);
	const char *found = NULL, *l;

	while ((l = s3_wire_line(&wire, &at))) {
		if (strncmp(l, name, len) == 0 && l[len] == ':') {
			assert_null(found);
			found = l + len + 2;
		} else if (strncmp(l, name, len) == 0 && l[len] == ';') {
			found = "";
		}
	}
	return found;
}

static void line_is(const char *name, const char *value)
{
	const char *have = line(name);

	assert_non_null(have);
	assert_string_equal(have, value);
}

/* Every line but Authorization is among the signed ones. */
static void all_is_signed(void)
{
	const char *authorization = line("authorization"), *l;
	size_t at = 0;

	assert_non_null(authorization);
	assert_non_null(strstr(authorization, "SignedHeaders="));
	while ((l = s3_wire_line(&wire, &at))) {
		char name[100] = "";
		const char *list = strstr(authorization, "SignedHeaders=") + 14;

		memcpy(name, l, strcspn(l, ":;"));
		if (strcmp(name, "authorization") == 0)
			continue;
		for (;;) {
			size_t len = strcspn(list, ";,");

			if (len == strlen(name) && strncmp(list, name, len) == 0)
				break;
			assert_int_equal(list[len], ';');
			list += len + 1;
		}
	}
}

static void sends(const struct s3_request *request, const char *method, const char *rest)
{
	assert_int_equal(build(request), 0);
	assert_string_equal(wire.method, method);
	assert_memory_equal(buf_text(&wire.url), "http://127.0.0.1:9000", 21);
	assert_string_equal(buf_text(&wire.url) + 21, rest);
	line_is("x-amz-date", "20130524T000000Z");
	all_is_signed();
}

/* The examples of "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", whole
 * requests this time.  The listing there is of the first version, so it is left to the signer's own test. */
static void builds_the_published_examples(void **state)
{
	struct s3_request get = {.op = S3_GET_OBJECT,
		.bucket = STR("examplebucket"),
		.key = STR("test.txt"),
		.range_length = 10};
	struct s3_request put = {.op = S3_PUT_OBJECT,
		.bucket = STR("examplebucket"),
		.key = STR("test$file.text"),
		.body_length = 21,
		.body_sha256 = STR(HASH64)};
	struct headers more;

	target.endpoint = &aws;
	assert_int_equal(build(&get), 0);
	assert_string_equal(buf_text(&wire.url), "https://examplebucket.s3.amazonaws.com/test.txt");
	line_is("range", "bytes=0-9");
	line_is("x-amz-content-sha256", EMPTY);
	line_is("authorization",
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
		"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
		"Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	headers_init(&more);
	headers_add(&more, STR("x-amz-storage-class"), STR("REDUCED_REDUNDANCY"));
	headers_add(&more, STR("Date"), STR("Fri, 24 May 2013 00:00:00 GMT"));
	put.headers = &more;
	assert_int_equal(build(&put), 0);
	assert_string_equal(buf_text(&wire.url), "https://examplebucket.s3.amazonaws.com/test%24file.text");
	assert_true(wire.upload);
	assert_int_equal(wire.body_length, 21);
	line_is("authorization",
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
		"SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
		"Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
	headers_release(&more);
	target.endpoint = &plain;
}

static void builds_listings(void **state)
{
	struct s3_request r = {.op = S3_LIST_BUCKETS};

	sends(&r, "GET", "/");
	r = (struct s3_request){.op = S3_LIST_OBJECTS, .bucket = STR("bucket")};
	sends(&r, "GET", "/bucket?encoding-type=url&list-type=2&max-keys=1000");
	r.prefix = STR("a b/");
	r.delimiter = STR("/");
	r.start_after = STR("a b/c+\n");
	r.token = STR("t/=");
	r.max_keys = 50;
	sends(&r, "GET",
		"/bucket?continuation-token=t%2F%3D&delimiter=%2F&encoding-type=url&list-type=2&max-keys=50"
		"&prefix=a%20b%2F&start-after=a%20b%2Fc%2B%0A");
	r.op = S3_LIST_UPLOADS;
	sends(&r, "GET",
		"/bucket?delimiter=%2F&encoding-type=url&key-marker=a%20b%2Fc%2B%0A&max-uploads=50"
		"&prefix=a%20b%2F&upload-id-marker=t%2F%3D&uploads=");
	r = (struct s3_request){.op = S3_HEAD_BUCKET, .bucket = STR("bucket")};
	sends(&r, "HEAD", "/bucket");
}

static void builds_object_reads(void **state)
{
	struct s3_request r = {.op = S3_HEAD_OBJECT,
		.bucket = STR("bucket"),
		.key = STR("/a//../\xc3\xa9"),
		.if_match = STR("e"),
		.version_id = STR("v/1"),
		.range_length = 5};

	sends(&r, "HEAD", "/bucket//a//../%C3%A9?versionId=v%2F1");
	line_is("if-match", "\"e\"");
	assert_null(line("range"));
	r.op = S3_GET_OBJECT;
	r.range_start = UINT64_MAX - 4;
	sends(&r, "GET", "/bucket//a//../%C3%A9?versionId=v%2F1");
	line_is("range", "bytes=18446744073709551611-18446744073709551615");
	r.range_length = 6;
	assert_int_equal(build(&r), -EINVAL);
	r.range_length = 0;
	sends(&r, "GET", "/bucket//a//../%C3%A9?versionId=v%2F1");
	assert_null(line("range"));
	r.op = S3_GET_TAGGING;
	sends(&r, "GET", "/bucket//a//../%C3%A9?tagging=");
	assert_null(line("if-match"));
}

static void builds_puts(void **state)
{
	struct s3_request r = {
		.op = S3_PUT_OBJECT, .bucket = STR("bucket"), .key = STR("k"), .if_none_match_any = true};

	sends(&r, "PUT", "/bucket/k");
	line_is("x-amz-content-sha256", EMPTY);
	line_is("if-none-match", "*");
	line_is("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");
	assert_true(wire.upload);
	r.body_length = 5;
	sends(&r, "PUT", "/bucket/k");
	line_is("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
	r.body_sha256 = STR(HASH64);
	sends(&r, "PUT", "/bucket/k");
	line_is("x-amz-content-sha256", HASH64);
	assert_null(line("content-md5"));
	assert_null(line("x-amz-checksum-sha256"));
	assert_int_equal(wire.body.len, 0);
	r.body_md5 = STR("kAFQmDzST7DWlj99KOF/cg==");
	sends(&r, "PUT", "/bucket/k");
	line_is("content-md5", "kAFQmDzST7DWlj99KOF/cg==");
	r.body_md5 = STR("kAFQ");
	assert_int_equal(build(&r), -EINVAL);
	r.body_md5 = STR_NONE;
	r.sum_sha256 = true;
	r.body_sha256 = STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sends(&r, "PUT", "/bucket/k");
	line_is("x-amz-checksum-sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
	assert_null(line("content-md5"));
	r.body_sha256 = STR("44CE");
	assert_int_equal(build(&r), -EINVAL);
	r = (struct s3_request){.op = S3_UPLOAD_PART,
		.bucket = STR("bucket"),
		.key = STR("k"),
		.upload_id = STR("u+d"),
		.part_number = 10000,
		.body_length = 9};
	sends(&r, "PUT", "/bucket/k?partNumber=10000&uploadId=u%2Bd");
	assert_true(wire.upload);
	assert_int_equal(wire.body_length, 9);
}

static void builds_copies(void **state)
{
	struct s3_request r = {.op = S3_COPY_OBJECT,
		.bucket = STR("bucket"),
		.key = STR("to"),
		.source_bucket = STR("from-bucket"),
		.source_key = STR("a/b c+\xc3\xa9%"),
		.range_length = 7};

	sends(&r, "PUT", "/bucket/to");
	line_is("x-amz-copy-source", "/from-bucket/a/b%20c%2B%C3%A9%25");
	assert_null(line("x-amz-copy-source-if-match"));
	assert_null(line("x-amz-copy-source-range"));
	line_is("x-amz-content-sha256", EMPTY);
	assert_false(wire.upload);
	assert_int_equal(wire.body_length, 0);
	r.source_if_match = STR("src-2");
	r.if_match = STR("dst");
	r.if_none_match_any = true;
	sends(&r, "PUT", "/bucket/to");
	line_is("x-amz-copy-source-if-match", "\"src-2\"");
	line_is("if-match", "\"dst\"");
	line_is("if-none-match", "*");
	assert_null(line("x-amz-copy-if-match"));
	r.op = S3_COPY_PART;
	r.upload_id = STR("u");
	r.part_number = 2;
	r.range_start = 5;
	sends(&r, "PUT", "/bucket/to?partNumber=2&uploadId=u");
	line_is("x-amz-copy-source-range", "bytes=5-11");
	line_is("x-amz-copy-source-if-match", "\"src-2\"");
	assert_null(line("if-match"));
	assert_null(line("if-none-match"));
}

static void builds_multipart_ends(void **state)
{
	struct s3_part parts[] = {{.number = 1, .etag = "a"}, {.number = 3, .etag = "b&c"}};
	struct s3_request r = {.op = S3_CREATE_UPLOAD,
		.bucket = STR("bucket"),
		.key = STR("k"),
		.upload_id = STR("u"),
		.parts = parts,
		.part_count = 2};
	struct headers more;
	char hash[SHA256_HEX + 1];

	sends(&r, "POST", "/bucket/k?uploads=");
	line_is("content-type", "binary/octet-stream");
	headers_init(&more);
	headers_add(&more, STR("Content-Type"), STR("text/plain"));
	r.headers = &more;
	sends(&r, "POST", "/bucket/k?uploads=");
	line_is("content-type", "text/plain");
	assert_null(line("x-amz-checksum-algorithm"));
	r.sum_sha256 = true;
	sends(&r, "POST", "/bucket/k?uploads=");
	line_is("x-amz-checksum-algorithm", "SHA256");
	r.sum_sha256 = false;
	r.headers = NULL;
	headers_release(&more);
	r.op = S3_ABORT_UPLOAD;
	sends(&r, "DELETE", "/bucket/k?uploadId=u");
	r.op = S3_COMPLETE_UPLOAD;
	sends(&r, "POST", "/bucket/k?uploadId=u");
	assert_string_equal(buf_text(&wire.body),
		"<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		"<Part><ETag>&quot;a&quot;</ETag><PartNumber>1</PartNumber></Part>"
		"<Part><ETag>&quot;b&amp;c&quot;</ETag><PartNumber>3</PartNumber></Part>"
		"</CompleteMultipartUpload>");
	assert_int_equal(wire.body_length, wire.body.len);
	signer_sha256(signer, wire.body.data, wire.body.len, hash);
	line_is("x-amz-content-sha256", hash);
	line_is("content-type", "application/xml");
	snprintf(parts[0].sha256, sizeof(parts[0].sha256), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
	sends(&r, "POST", "/bucket/k?uploadId=u");
	assert_non_null(strstr(buf_text(&wire.body),
		"<Part><ETag>&quot;a&quot;</ETag><ChecksumSHA256>ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
		"</ChecksumSHA256><PartNumber>1</PartNumber></Part><Part><ETag>&quot;b&amp;c&quot;</ETag>"
		"<PartNumber>3</PartNumber></Part>"));
	parts[1].number = 1;
	assert_int_equal(build(&r), -EINVAL);
	parts[1].number = 10001;
	assert_int_equal(build(&r), -EINVAL);
	parts[1] = (struct s3_part){.number = 2};
	assert_int_equal(build(&r), -EINVAL);
	r.part_count = 0;
	assert_int_equal(build(&r), -EINVAL);
}

static void builds_deletes(void **state)
{
	struct s3_request r = {.op = S3_DELETE_OBJECT,
		.bucket = STR("bucket"),
		.key = STR("a\rb"),
		.if_match = STR("e"),
		.version_id = STR("v")};

	sends(&r, "DELETE", "/bucket/a%0Db?versionId=v");
	line_is("if-match", "\"e\"");
	r = (struct s3_request){.op = S3_DELETE_OBJECTS, .bucket = STR("bucket"), .body = STR("abc")};
	sends(&r, "POST", "/bucket?delete=");
	assert_string_equal(buf_text(&wire.body), "abc");
	line_is("content-md5", "kAFQmDzST7DWlj99KOF/cg==");
	line_is("x-amz-content-sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	r.body = STR_NONE;
	assert_int_equal(build(&r), -EINVAL);
}

static void sends_token_and_given_headers(void **state)
{
	static const char *const own[] = {"Host", "authorization", "X-Amz-Date", "x-amz-content-sha256",
		"x-amz-security-token", "content-length", "transfer-encoding"};
	struct s3_request r = {.op = S3_HEAD_OBJECT, .bucket = STR("bucket"), .key = STR("k")};
	struct headers more;
	size_t at = 0;

	credentials_set(&credentials, STR("AKIAIOSFODNN7EXAMPLE"), STR("s"), STR("the/token=="));
	headers_init(&more);
	headers_add(&more, STR("x-amz-meta-e"), STR(""));
	headers_add(&more, STR("x-amz-meta-f"), STR("two  words"));
	r.headers = &more;
	sends(&r, "HEAD", "/bucket/k");
	line_is("x-amz-security-token", "the/token==");
	assert_string_equal(s3_wire_line(&wire, &at), "x-amz-meta-e;");
	assert_string_equal(s3_wire_line(&wire, &at), "x-amz-meta-f: two  words");
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		headers_clear(&more);
		headers_add(&more, str_of(own[i]), STR("x"));
		assert_int_equal(build(&r), -EINVAL);
	}
	headers_clear(&more);
	for (int i = 0; i < HEADERS_MAX; i++)
		headers_add(&more, STR("x-amz-meta-n"), STR("v"));
	assert_int_equal(build(&r), 0); /* as many as there can be */
	r.op = S3_COPY_OBJECT;
	r.source_bucket = STR("bucket");
	r.source_key = STR("s");
	r.source_if_match = r.if_match = STR("e");
	r.if_none_match_any = true;
	assert_int_equal(build(&r), 0);
	all_is_signed();
	headers_release(&more);
}

static void says_that_the_requester_pays(void **state)
{
	struct s3_request r = {.op = S3_HEAD_OBJECT, .bucket = STR("bucket"), .key = STR("k")};
	struct headers more;

	target.request_payer = true;
	sends(&r, "HEAD", "/bucket/k");
	line_is("x-amz-request-payer", "requester");
	headers_init(&more);
	headers_add(&more, STR("x-amz-request-payer"), STR("requester"));
	r.headers = &more;
	sends(&r, "HEAD", "/bucket/k");
	line_is("x-amz-request-payer", "requester"); /* once */
	headers_release(&more);
	r = (struct s3_request){.op = S3_LIST_BUCKETS};
	sends(&r, "GET", "/");
	assert_null(line("x-amz-request-payer"));
	target.request_payer = false;
	r = (struct s3_request){.op = S3_HEAD_BUCKET, .bucket = STR("bucket")};
	sends(&r, "HEAD", "/bucket");
	assert_null(line("x-amz-request-payer"));
}

static void signs_nothing_when_anonymous(void **state)
{
	struct s3_request r = {
		.op = S3_GET_OBJECT, .bucket = STR("bucket"), .key = STR("k"), .range_length = 1};
	size_t at = 0;

	credentials_wipe(&credentials);
	credentials.anonymous = true;
	assert_int_equal(build(&r), 0);
	assert_string_equal(s3_wire_line(&wire, &at), "range: bytes=0-0");
	assert_null(s3_wire_line(&wire, &at));
	assert_null(s3_wire_line(&wire, &at));
}

static void refuses(void **state)
{
	char many[2000];
	struct s3_request r;

	memset(many, 'k', sizeof(many));
	for (enum s3_op op = S3_HEAD_BUCKET; op < S3_OP_COUNT; op++) {
		r = (struct s3_request){.op = op, .key = STR("k")};
		assert_int_equal(build(&r), -EINVAL); /* no bucket */
		r.bucket = STR("../etc");
		assert_int_equal(build(&r), -EINVAL);
	}
	r = (struct s3_request){.op = S3_OP_COUNT, .bucket = STR("bucket"), .key = STR("k")};
	assert_int_equal(build(&r), -EINVAL);
	r = (struct s3_request){.op = S3_GET_OBJECT, .bucket = STR("bucket")};
	assert_int_equal(build(&r), -EINVAL);
	r.key = str_n(many, 1025);
	assert_int_equal(build(&r), -ENAMETOOLONG);
	r.key = str_n(many, 1024);
	assert_int_equal(build(&r), 0);
	r.if_match = STR("a\r\nx: y");
	assert_int_equal(build(&r), -EINVAL);
	r.if_match = STR("\"quoted\"");
	assert_int_equal(build(&r), -EINVAL);
	r.if_match = str_n(many, ETAG_MAX + 1);
	assert_int_equal(build(&r), -EINVAL);
	r = (struct s3_request){.op = S3_COPY_OBJECT, .bucket = STR("bucket"), .key = STR("k")};
	assert_int_equal(build(&r), -EINVAL);
	r.source_bucket = STR("bucket");
	assert_int_equal(build(&r), -EINVAL);
	r.source_key = str_n(many, 1025);
	assert_int_equal(build(&r), -ENAMETOOLONG);
	r = (struct s3_request){
		.op = S3_UPLOAD_PART, .bucket = STR("bucket"), .key = STR("k"), .part_number = 1};
	assert_int_equal(build(&r), -EINVAL);
	r.upload_id = STR("u");
	assert_int_equal(build(&r), 0);
	r.part_number = 0;
	assert_int_equal(build(&r), -EINVAL);
	r.part_number = 10001;
	assert_int_equal(build(&r), -EINVAL);
	r = (struct s3_request){.op = S3_LIST_OBJECTS, .bucket = STR("bucket"), .prefix = str_n(many, 1025)};
	assert_int_equal(build(&r), -ENAMETOOLONG);
	r = (struct s3_request){.op = S3_LIST_OBJECTS, .bucket = STR("bucket"), .max_keys = 1001};
	assert_int_equal(build(&r), -EINVAL);
}

static void the_longest_of_all_fits(void **state)
{
	static char key[1024], token[CREDENTIALS_TOKEN_MAX], body[2 << 20];
	struct s3_request r = {.op = S3_LIST_OBJECTS, .bucket = STR("bucket"), .delimiter = STR("/")};

	memset(key, '\xff', sizeof(key));
	memset(token, 't', sizeof(token));
	memset(body, 'b', sizeof(body));
	credentials_set(&credentials, STR("A"), STR("s"), str_n(token, sizeof(token)));
	r.prefix = r.start_after = r.token = str_n(key, sizeof(key));
	assert_int_equal(build(&r), 0);
	all_is_signed();
	r = (struct s3_request){.op = S3_COPY_OBJECT,
		.bucket = STR("bucket"),
		.key = str_n(key, sizeof(key)),
		.source_bucket = STR("bucket"),
		.source_key = str_n(key, sizeof(key))};
	assert_int_equal(build(&r), 0);
	assert_int_equal(strlen(line("x-amz-copy-source")), 8 + 3072);
	r = (struct s3_request){
		.op = S3_DELETE_OBJECTS, .bucket = STR("bucket"), .body = str_n(body, sizeof(body))};
	assert_int_equal(build(&r), 0);
	assert_int_equal(wire.body_length, sizeof(body));
}

static void names_ops(void **state)
{
	for (enum s3_op op = 0; op < S3_OP_COUNT; op++)
		assert_non_null(s3_op_name(op));
	assert_string_equal(s3_op_name(S3_COPY_OBJECT), "CopyObject");
	assert_string_equal(s3_op_name(S3_OP_COUNT), "unknown");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(builds_the_published_examples),
		TEST(builds_listings),
		TEST(builds_object_reads),
		TEST(builds_puts),
		TEST(builds_copies),
		TEST(builds_multipart_ends),
		TEST(builds_deletes),
		TEST(sends_token_and_given_headers),
		TEST(says_that_the_requester_pays),
		TEST(signs_nothing_when_anonymous),
		TEST(refuses),
		TEST(the_longest_of_all_fits),
		TEST(names_ops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
