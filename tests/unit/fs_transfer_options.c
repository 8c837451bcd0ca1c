/* The options of cp, mv and rm, and the headers that come of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>
#include "fs/cmd/transfer_options.h"

enum { WORDS_MAX = 16 };

static struct transfer_options options;

/* Splits text at blanks and parses it; complaints go nowhere. */
static enum transfer_parse parse(enum job_kind kind, const char *text)
{
	static char copy[512];
	char *argv[WORDS_MAX + 1] = {NULL}, *save = NULL;
	int argc = 0, old = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
	enum transfer_parse r;

	transfer_options_release(&options);
	transfer_options_init(&options);
	snprintf(copy, sizeof(copy), "x %s", text);
	for (char *word = strtok_r(copy, " ", &save); word && argc < WORDS_MAX;
		word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	fflush(stderr);
	dup2(nowhere, STDERR_FILENO);
	r = transfer_options_parse(&options, kind, argc, argv);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	close(nowhere);
	if (r == TRANSFER_RUN)
		assert_int_equal(argc - optind, 2);
	return r;
}

static void assert_header(const char *name, const char *value)
{
	struct str got = headers_get(&options.headers, str_of(name));

	if (!value) {
		assert_null(got.data);
		return;
	}
	assert_non_null(got.data);
	assert_true(str_eq(got, str_of(value)));
}

static int teardown(void **state)
{
	transfer_options_release(&options);
	headers_init(&options.headers);
	return 0;
}

static void test_plain(void **state)
{
	assert_int_equal(parse(JOB_COPY, "-rv s3://a s3://b"), TRANSFER_RUN);
	assert_true(options.recursive);
	assert_true(options.verbose);
	assert_null(options.copy.headers);
	assert_int_equal(parse(JOB_COPY, "s3://a --help"), TRANSFER_HELP);
	assert_int_equal(parse(JOB_COPY, "--nonsense s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "-qv s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--workers x s3://a s3://b"), TRANSFER_WRONG);
}

static void test_sse(void **state)
{
	assert_int_equal(parse(JOB_COPY, "--sse s3://a s3://b"), TRANSFER_RUN);
	assert_header("x-amz-server-side-encryption", "AES256");
	assert_int_equal(parse(JOB_COPY, "--sse aws:kms s3://a s3://b"), TRANSFER_RUN);
	assert_header("x-amz-server-side-encryption", "aws:kms");
	assert_int_equal(parse(JOB_MOVE, "--sse-kms-key-id k s3://a s3://b"), TRANSFER_RUN);
	assert_header("x-amz-server-side-encryption", "aws:kms");
	assert_header("x-amz-server-side-encryption-aws-kms-key-id", "k");
	assert_int_equal(parse(JOB_COPY, "--sse AES256 --sse-kms-key-id k s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_REMOVE, "--sse s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--sse=nonsense s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--acl nonsense s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--storage-class standard s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--acl bucket-owner-full-control s3://a s3://b"), TRANSFER_RUN);
	assert_header("x-amz-acl", "bucket-owner-full-control");
}

/* A first pattern that is an --include leaves nothing out: not what anybody means who removes or moves. */
static void test_include_first(void **state)
{
	assert_int_equal(parse(JOB_REMOVE, "-r --include *.tmp s3://a"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_MOVE, "-r --include *.tmp s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_MOVE, "-r --include x --exclude y s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_REMOVE, "-r --exclude * --include *.tmp s3://a s3://b"), TRANSFER_RUN);
	assert_int_equal(parse(JOB_COPY, "-r --include *.tmp s3://a s3://b"), TRANSFER_RUN);
}

static void test_metadata(void **state)
{
	assert_int_equal(parse(JOB_COPY, "--metadata A=1,b=2=3 s3://a s3://b"), TRANSFER_RUN);
	assert_header("x-amz-meta-a", "1");
	assert_header("x-amz-meta-b", "2=3");
	assert_header("x-amz-metadata-directive", "REPLACE");
	assert_int_equal(parse(JOB_COPY, "--content-type text/html s3://a s3://b"), TRANSFER_RUN);
	assert_header("content-type", "text/html");
	assert_header("x-amz-metadata-directive", "REPLACE");
	assert_int_equal(
		parse(JOB_COPY, "--metadata-directive COPY --metadata a=1 s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--metadata-directive copy s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--metadata =1 s3://a s3://b"), TRANSFER_WRONG);
}

static void test_tags(void **state)
{
	assert_int_equal(parse(JOB_COPY, "--tagging a=b&c=d s3://a s3://b"), TRANSFER_RUN);
	assert_header("x-amz-tagging", "a=b&c=d");
	assert_header("x-amz-tagging-directive", "REPLACE");
	assert_int_equal(parse(JOB_COPY, "--no-tags s3://a s3://b"), TRANSFER_RUN);
	assert_header("x-amz-tagging-directive", "REPLACE");
	assert_header("x-amz-tagging", NULL);
	assert_int_equal(options.copy.tags, COPY_TAGS_NO);
	assert_int_equal(parse(JOB_COPY, "--no-tags --tagging a=b s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(
		parse(JOB_COPY, "--tagging-directive COPY --tagging a=b s3://a s3://b"), TRANSFER_WRONG);
}

static void test_sync(void **state)
{
	assert_int_equal(parse(JOB_COPY, "-r --sync s3://a s3://b"), TRANSFER_RUN);
	assert_int_equal(options.sync, SYNC_CHANGED);
	assert_int_equal(parse(JOB_COPY, "--sync s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_MOVE, "-r --sync s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "-r --sync --if-missing s3://a s3://b"), TRANSFER_WRONG);
}

static void test_sizes(void **state)
{
	assert_int_equal(parse(JOB_COPY, "--part-size 8M --part-threshold 5GiB s3://a s3://b"), TRANSFER_RUN);
	assert_int_equal(options.copy.part_size, 8 << 20);
	assert_true(options.copy.part_threshold == (uint64_t)5 << 30);
	assert_int_equal(parse(JOB_COPY, "--part-size 6G s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--part-size 1K s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--part-threshold 4M s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--part-threshold 5M s3://a s3://b"), TRANSFER_RUN);
	assert_int_equal(parse(JOB_COPY, "--part-size 0 s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--part-size 1X s3://a s3://b"), TRANSFER_WRONG);
	assert_int_equal(parse(JOB_COPY, "--part-size 18446744073709551617 s3://a s3://b"), TRANSFER_WRONG);
}

static void test_payer(void **state)
{
	assert_int_equal(parse(JOB_COPY, "--request-payer requester s3://a s3://b"), TRANSFER_RUN);
	assert_true(options.connect.account.request_payer);
	assert_int_equal(parse(JOB_COPY, "--request-payer s3://a s3://b"), TRANSFER_RUN);
	assert_true(options.connect.account.request_payer);
	assert_int_equal(parse(JOB_COPY, "--request-payer=me s3://a s3://b"), TRANSFER_WRONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_plain, teardown),
		cmocka_unit_test_teardown(test_sse, teardown),
		cmocka_unit_test_teardown(test_include_first, teardown),
		cmocka_unit_test_teardown(test_metadata, teardown),
		cmocka_unit_test_teardown(test_tags, teardown),
		cmocka_unit_test_teardown(test_sync, teardown),
		cmocka_unit_test_teardown(test_sizes, teardown),
		cmocka_unit_test_teardown(test_payer, teardown),
	};

	transfer_options_init(&options);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
