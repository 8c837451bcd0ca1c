/* The words of `ferryfs mount`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "fs/cmd/mount_options.h"
#include "fs/host/fuse_cpu.h"

static char why[ACCOUNT_WHY_MAX];

/* The words, NULL at their end, into options that the caller releases. */
static int parse(struct mount_options *options, const char *const *words)
{
	int argc = 0;

	while (words[argc])
		argc++;
	why[0] = '\0';
	assert_int_equal(mount_options_init(options), 0);
	return mount_options_parse(options, argc, (char **)words, why);
}

#define PARSE(options, ...) parse(options, (const char *const[]){__VA_ARGS__, NULL})

static void refused(const char *const *words, const char *reason)
{
	struct mount_options options;

	assert_int_equal(parse(&options, words), -EINVAL);
	if (!strstr(why, reason))
		fail_msg("'%s' lacks '%s'", why, reason);
	mount_options_release(&options);
}

#define REFUSED(reason, ...) refused((const char *const[]){__VA_ARGS__, NULL}, reason)

static void test_plain(void **state)
{
	struct mount_options options;

	assert_int_equal(PARSE(&options, "s3://bucket", "/mnt"), 0);
	assert_string_equal(options.view->url.bucket, "bucket");
	assert_int_equal(options.view->url.key_len, 0);
	assert_string_equal(options.view->source, "s3://bucket");
	assert_string_equal(options.mountpoint, "/mnt");
	assert_false(options.foreground);
	assert_false(options.view->ro);
	assert_int_equal(options.view->uid, geteuid());
	assert_int_equal(options.view->file_mode, 0644);
	assert_int_equal(options.view->dir_mode, 0755);
	assert_int_equal(options.view->cache_ttl_ms, 5000);
	assert_int_equal(options.view->flush_after_ms, 30000);
	assert_int_equal(options.view->keep_open, 64 << 20);
	assert_null(options.log);
	mount_options_release(&options);
}

static void test_fuse_cpu(void **state)
{
	struct mount_options options;

	assert_int_equal(PARSE(&options, "s3://bucket", "/mnt"), 0);
	assert_int_equal(options.fuse_cpu, PLACEMENT_AUTO);
	assert_false(options.fuse_cpu_given);
	mount_options_release(&options);
	assert_int_equal(PARSE(&options, "s3://bucket", "/mnt", "-o", "fuse_cpu=none"), 0);
	assert_int_equal(options.fuse_cpu, PLACEMENT_NONE);
	assert_true(options.fuse_cpu_given);
	mount_options_release(&options);
	assert_int_equal(PARSE(&options, "--fuse-cpu", "auto", "s3://bucket", "/mnt"), 0);
	assert_int_equal(options.fuse_cpu, PLACEMENT_AUTO);
	assert_true(options.fuse_cpu_given);
	mount_options_release(&options);
	REFUSED("fuse_cpu: '1,2' is not", "s3://bucket", "/mnt", "-o", "fuse_cpu=1\\,2");
	REFUSED("fuse_cpu: '999999' is not a CPU", "s3://bucket", "/mnt", "-o", "fuse_cpu=999999");
	REFUSED("fuse_cpu needs a value", "s3://bucket", "/mnt", "-o", "fuse_cpu");
}

static void test_sources(void **state)
{
	struct mount_options options;

	assert_int_equal(PARSE(&options, "s3://", "m"), 0);
	assert_string_equal(options.view->url.bucket, "");
	assert_string_equal(options.view->source, "s3://");
	mount_options_release(&options);
	assert_int_equal(PARSE(&options, "s3://bucket/", "m"), 0);
	assert_string_equal(options.view->source, "s3://bucket");
	mount_options_release(&options);
	assert_int_equal(PARSE(&options, "s3://bucket/a/b", "m"), 0);
	assert_string_equal(options.view->url.key, "a/b/");
	assert_int_equal(options.view->url.key_len, 4);
	assert_string_equal(options.view->source, "s3://bucket/a/b");
	mount_options_release(&options);
	assert_int_equal(PARSE(&options, "s3://bucket/a/b/", "m"), 0);
	assert_string_equal(options.view->url.key, "a/b/");
	mount_options_release(&options);
	REFUSED("no address", "bucket", "m");
	REFUSED("no address", "http://bucket", "m");
	REFUSED("directory to mount on is missing", "s3://bucket");
	REFUSED("is missing", "-f");
	REFUSED("not also 'x'", "s3://bucket", "m", "x");

	char longest[5 + 7 + KEY_MAX + 2];

	memcpy(longest, "s3://bucket/", 12);
	memset(longest + 12, 'k', KEY_MAX);
	longest[12 + KEY_MAX] = '\0';
	REFUSED("1024 bytes", longest, "m");
	longest[12 + KEY_MAX - 1] = '\0';
	assert_int_equal(PARSE(&options, longest, "m"), 0);
	assert_int_equal(options.view->url.key_len, KEY_MAX);
	mount_options_release(&options);
}

static void test_options(void **state)
{
	struct mount_options options;

	assert_int_equal(
		PARSE(&options, "-o",
			"ro,uid=5,gid=6,umask=077,cache_ttl=0.25,flush_after=90s,keep_open=1M,copy_ack=close",
			"s3://bucket", "-f", "m",
			"-oallow_other,recognise=no,attrs=meta,tags=no,storage_class=GLACIER_IR,staging=/"
			"s,staging_reserve=7%,,",
			"--part-size", "16M", "--log-file=/var/log/x", "-o", "noatime,noexec,dumpable"),
		0);
	assert_true(options.foreground);
	assert_true(options.noexec);
	assert_true(options.connect.dumpable);
	assert_true(options.view->ro);
	assert_true(options.view->allow_other);
	assert_true(options.view->noatime);
	assert_true(options.view->attrs_meta);
	assert_int_equal(options.view->uid, 5);
	assert_int_equal(options.view->gid, 6);
	assert_int_equal(options.view->file_mode, 0600);
	assert_int_equal(options.view->dir_mode, 0700);
	assert_int_equal(options.view->cache_ttl_ms, 250);
	assert_int_equal(options.view->flush_after_ms, 90000);
	assert_int_equal(options.view->keep_open, 1 << 20);
	assert_int_equal(options.view->copy_ack, COPY_ACK_CLOSE);
	assert_false(options.view->recognise);
	assert_int_equal(options.view->tags, COPY_TAGS_NO);
	assert_int_equal(options.view->part_size, 16 << 20);
	assert_string_equal(options.view->storage_class, "GLACIER_IR");
	assert_string_equal(options.view->staging_dir, "/s");
	assert_int_equal(options.staging_reserve.per_cent, 7);
	assert_string_equal(options.log, "/var/log/x");
	mount_options_release(&options);

	assert_int_equal(PARSE(&options, "-o", "acl=public-read,sse_kms_key_id=alias/k", "--request-payer",
				 "requester", "s3://bucket", "m"),
		0);
	assert_true(str_eq(headers_get(&options.view->headers, STR("x-amz-acl")), STR("public-read")));
	assert_true(str_eq(
		headers_get(&options.view->headers, STR("x-amz-server-side-encryption")), STR("aws:kms")));
	assert_true(options.connect.account.request_payer);
	mount_options_release(&options);

	assert_int_equal(PARSE(&options, "--sse", "s3://bucket", "m"), 0);
	assert_true(str_eq(
		headers_get(&options.view->headers, STR("x-amz-server-side-encryption")), STR("AES256")));
	mount_options_release(&options);

	assert_int_equal(PARSE(&options, "-o", "ro,rw", "-o", "uid=root,log=syslog", "s3://bucket", "m"), 0);
	assert_false(options.view->ro);
	assert_int_equal(options.view->uid, 0);
	assert_string_equal(options.log, "syslog");
	mount_options_release(&options);
}

static void test_connect_options(void **state)
{
	struct mount_options options;

	assert_int_equal(PARSE(&options, "-o", "endpoint_url=http://h:1,region=r,no_sign_request,workers=3",
				 "--inflight=64", "--profile", "p", "--no-verify-ssl", "s3://bucket", "m",
				 "-o", "timeout=2.5"),
		0);
	assert_string_equal(options.connect.account.endpoint_url, "http://h:1");
	assert_string_equal(options.connect.account.region, "r");
	assert_string_equal(options.connect.account.profile, "p");
	assert_true(options.connect.account.no_sign_request);
	assert_int_equal(options.connect.engine.workers, 3);
	assert_int_equal(options.connect.engine.inflight, 64);
	assert_int_equal(options.connect.engine.timeout_ms, 2500);
	assert_true(options.connect.engine.no_verify_tls);
	assert_string_equal(options.mountpoint, "m");
	mount_options_release(&options);
}

static void test_commas(void **state)
{
	struct mount_options options;

	assert_int_equal(PARSE(&options, "-o", "staging=/a\\,b\\\\c,ro,profile=x\\,", "s3://bucket", "m"), 0);
	assert_string_equal(options.view->staging_dir, "/a,b\\c");
	assert_string_equal(options.connect.account.profile, "x,");
	assert_true(options.view->ro);
	mount_options_release(&options);
}

static void test_ignored(void **state)
{
	struct mount_options options;

	assert_int_equal(PARSE(&options, "-o",
				 "_netdev,nofail,noauto,defaults,user,x-systemd.requires=a.service,relatime",
				 "-o", "comment=anything,nosuid,nodev,exec", "s3://bucket", "m"),
		0);
	mount_options_release(&options);
}

static void test_refusals(void **state)
{
	REFUSED("unknown option 'colour'", "-o", "colour=red", "s3://bucket", "m");
	REFUSED("unknown option 'no-such'", "--no-such", "s3://bucket", "m");
	REFUSED("unknown option '-x'", "-x", "s3://bucket", "m");
	REFUSED("unknown option", "-o", "=5", "s3://bucket", "m");
	REFUSED("-o needs options", "s3://bucket", "m", "-o");
	REFUSED("uid needs a value", "-o", "uid", "s3://bucket", "m");
	REFUSED("uid needs a value", "s3://bucket", "m", "--uid");
	REFUSED("ro takes no value", "-o", "ro=1", "s3://bucket", "m");
	REFUSED("is not a user", "-o", "uid=no such user", "s3://bucket", "m");
	REFUSED("is not a group", "-o", "gid=-1", "s3://bucket", "m");
	REFUSED("octal", "-o", "umask=8", "s3://bucket", "m");
	REFUSED("octal", "-o", "umask=1000", "s3://bucket", "m");
	REFUSED("cache_ttl", "-o", "cache_ttl=-1", "s3://bucket", "m");
	REFUSED("cache_ttl", "-o", "cache_ttl=1e3", "s3://bucket", "m");
	REFUSED("cache_ttl", "-o", "cache_ttl=86401", "s3://bucket", "m");
	REFUSED("cache_ttl", "-o", "cache_ttl=1.2.3", "s3://bucket", "m");
	REFUSED("flush_after", "-o", "flush_after=s", "s3://bucket", "m");
	REFUSED("flush_after", "-o", "flush_after=86401", "s3://bucket", "m");
	REFUSED("flush_after", "-o", "flush_after=5m", "s3://bucket", "m");
	REFUSED("keep_open", "-o", "keep_open=-1", "s3://bucket", "m");
	REFUSED("keep_open", "-o", "keep_open=6G", "s3://bucket", "m");
	REFUSED("yes, no", "-o", "recognise=perhaps", "s3://bucket", "m");
	REFUSED("early, close", "-o", "copy_ack=late", "s3://bucket", "m");
	REFUSED("none, meta", "-o", "attrs=all", "s3://bucket", "m");
	REFUSED("auto, no, required", "-o", "tags=yes", "s3://bucket", "m");
	REFUSED("storage class", "-o", "storage_class=standard", "s3://bucket", "m");
	REFUSED("AES256, aws:kms", "-o", "sse=yes", "s3://bucket", "m");
	REFUSED("leave one", "-o", "sse=AES256,sse_kms_key_id=k", "s3://bucket", "m");
	REFUSED("needs a value", "-o", "acl", "s3://bucket", "m");
	REFUSED("private, public-read", "-o", "acl=all", "s3://bucket", "m");
	REFUSED("requester", "-o", "request_payer=me", "s3://bucket", "m");
	REFUSED("a size, or N%", "-o", "staging_reserve=101%", "s3://bucket", "m");
	REFUSED("a size, or N%", "-o", "staging_reserve=-1", "s3://bucket", "m");
	REFUSED("a size, or N%", "-o", "staging_reserve=5%x", "s3://bucket", "m");
	REFUSED("absolute", "-o", "staging=here", "s3://bucket", "m");
	REFUSED("absolute", "-o", "journal=here", "s3://bucket", "m");
	REFUSED("5M to 5G", "-o", "part_size=4M", "s3://bucket", "m");
	REFUSED("5M to 5G", "-o", "part_size=6G", "s3://bucket", "m");
	REFUSED("5M to 5G", "-o", "part_size=16Q", "s3://bucket", "m");
	REFUSED("5M to 5G", "-o", "part_size=99999999999999999999", "s3://bucket", "m");
	REFUSED("not possible", "-o", "suid", "s3://bucket", "m");
	REFUSED("workers", "-o", "workers=0", "s3://bucket", "m");
	REFUSED("no_sign_request takes no value", "--no-sign-request=yes", "s3://bucket", "m");
}

static void test_helper(void **state)
{
	const char *const words[] = {
		"s3://bucket", "m", "-sn", "-f", "-N", "/ns", "-t", "fuse.ferryfs", "-o", "rw,_netdev"};
	struct mount_options options;

	assert_int_equal(mount_options_init(&options), 0);
	options.helper = true;
	assert_int_equal(mount_options_parse(&options, 10, (char **)words, why), 0);
	assert_true(options.fake);
	assert_false(options.foreground);
	assert_string_equal(options.mountpoint, "m");
	mount_options_release(&options);
}

static void test_help(void **state)
{
	struct mount_options options;

	assert_int_equal(PARSE(&options, "--help"), 0);
	assert_true(options.help);
	mount_options_release(&options);
}

/* Whatever the bytes, an answer and no crash: sanitizers look on. */
static void test_any_text(void **state)
{
	static const char letters[] = "ro,=\\uid-_x5/";
	char text[24];

	srand(3);
	for (int i = 0; i < 20000; i++) {
		struct mount_options options;
		int len = rand() % (int)sizeof(text);

		for (int k = 0; k < len; k++)
			text[k] = letters[rand() % (int)(sizeof(letters) - 1)];
		text[len] = '\0';
		assert_int_equal(mount_options_init(&options), 0);
		why[0] = '\0';
		int error = mount_options_text(&options, text, why);

		assert_true(error == 0 || (error == -EINVAL && why[0]));
		mount_options_release(&options);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_fuse_cpu),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_connect_options),
		cmocka_unit_test(test_commas),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_helper),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_any_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
