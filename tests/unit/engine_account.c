#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/account/account_internal.h"
#include "engine/account/account_name.h"
#include "engine/base/log.h"

static char home[] = "/tmp/ferryfs-account-XXXXXX";
static char why[ACCOUNT_WHY_MAX];

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/.aws/%s", home, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* Nothing set, nothing there. */
static int begin(void **state)
{
	static const char *const names[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_SHARED_CREDENTIALS_FILE",
		"AWS_CONFIG_FILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"};
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	setenv("HOME", home, 1);
	snprintf(path, sizeof(path), "%s/.aws/credentials", home);
	unlink(path);
	snprintf(path, sizeof(path), "%s/.aws/config", home);
	unlink(path);
	return 0;
}

static struct account *opened(const struct account_options *options)
{
	struct account *account = NULL;

	if (account_open(options, &account, why) != 0)
		fail_msg("%s", why);
	return account;
}

static int refused(const struct account_options *options)
{
	struct account *account = NULL;
	int rc = account_open(options, &account, why);

	assert_null(account);
	assert_true(why[0] != '\0');
	return rc;
}

static void test_nothing(void **state)
{
	assert_int_equal(refused(&(struct account_options){0}), -EACCES);
	assert_non_null(strstr(why, "AWS_ACCESS_KEY_ID"));
	assert_non_null(strstr(why, "--no-sign-request"));
}

static void test_anonymous(void **state)
{
	struct account *account =
		opened(&(struct account_options){.no_sign_request = true, .region = "eu-west-1"});

	assert_true(account_credentials(account)->anonymous);
	assert_true(account_endpoint(account)->aws);
	assert_string_equal(account_endpoint(account)->host, "s3.eu-west-1.amazonaws.com");
	account_unref(account);
}

static void test_environment(void **state)
{
	char region[REGION_MAX + 1];
	struct account *account;

	setenv("AWS_ACCESS_KEY_ID", "K", 1);
	assert_int_equal(refused(&(struct account_options){0}), -EINVAL);
	setenv("AWS_SECRET_ACCESS_KEY", "S", 1);
	setenv("AWS_SESSION_TOKEN", "T", 1);
	setenv("AWS_DEFAULT_REGION", "us-west-2", 1);
	setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000", 1);
	setenv("AWS_CA_BUNDLE", "/ca.pem", 1);
	account = opened(&(struct account_options){0});
	assert_string_equal(account_credentials(account)->access_key, "K");
	assert_string_equal(account_credentials(account)->token, "T");
	assert_string_equal(account_ca_bundle(account), "/ca.pem");
	assert_int_equal(account_endpoint(account)->port, 9000);
	account_region(account, STR("b"), region);
	assert_string_equal(region, "us-west-2");
	/* The environment stays what it was. */
	assert_int_equal(account_renew(account), -EACCES);
	assert_int_equal(account_renew(account), -EAGAIN);
	account_unref(account);
	setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9001", 1);
	setenv("AWS_REGION", "us-west-3", 1);
	account = opened(&(struct account_options){0});
	assert_int_equal(account_endpoint(account)->port, 9001);
	account_region(account, STR("b"), region);
	assert_string_equal(region, "us-west-3");
	account_unref(account);
	account = opened(&(struct account_options){.endpoint_url = "http://127.0.0.1:9002", .region = "r"});
	assert_int_equal(account_endpoint(account)->port, 9002);
	account_unref(account);
}

static void test_files(void **state)
{
	char region[REGION_MAX + 1];
	struct account *account;

	put("credentials", "[default]\naws_access_key_id = DK\naws_secret_access_key = DS\n"
			   "[other]\naws_access_key_id = OK\naws_secret_access_key = OS\n");
	put("config", "[profile other]\nregion = ap-south-1\nendpoint_url = http://localhost:1234\n"
		      "s3 =\n  addressing_style = virtual\n");
	account = opened(&(struct account_options){0});
	assert_string_equal(account_credentials(account)->access_key, "DK");
	account_unref(account);
	setenv("AWS_PROFILE", "other", 1);
	account = opened(&(struct account_options){0});
	assert_string_equal(account_credentials(account)->access_key, "OK");
	assert_int_equal(account_endpoint(account)->addressing, ADDRESSING_VIRTUAL);
	assert_int_equal(account_endpoint(account)->port, 1234);
	account_region(account, STR("b"), region);
	assert_string_equal(region, "ap-south-1");
	account_unref(account);
	/* Keys of the environment go before a profile of the environment, not before one of an option. */
	setenv("AWS_ACCESS_KEY_ID", "K", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "S", 1);
	account = opened(&(struct account_options){0});
	assert_string_equal(account_credentials(account)->access_key, "K");
	account_unref(account);
	account = opened(&(struct account_options){.profile = "other", .addressing = "path"});
	assert_string_equal(account_credentials(account)->access_key, "OK");
	assert_int_equal(account_endpoint(account)->addressing, ADDRESSING_PATH);
	account_unref(account);
	assert_int_equal(refused(&(struct account_options){.profile = "none"}), -ENOENT);
}

static void test_wrong(void **state)
{
	setenv("AWS_ACCESS_KEY_ID", "K", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "S", 1);
	assert_int_equal(refused(&(struct account_options){.endpoint_url = "ftp://x"}), -EINVAL);
	assert_int_equal(refused(&(struct account_options){.addressing = "sideways"}), -EINVAL);
	assert_int_equal(refused(&(struct account_options){.region = "a/b"}), -EINVAL);
	put("config", "[default]\nthis is not a setting\n");
	assert_int_equal(refused(&(struct account_options){0}), -EINVAL);
	assert_non_null(strstr(why, "line 2"));
}

static void test_other_kinds(void **state)
{
	put("config",
		"[profile sso]\nsso_session = x\n[profile role]\nrole_arn = arn:x\nsource_profile = default\n"
		"[profile process]\ncredential_process = /bin/x\n");
	assert_int_equal(refused(&(struct account_options){.profile = "sso"}), -EACCES);
	assert_non_null(strstr(why, "export-credentials --profile sso"));
	assert_int_equal(refused(&(struct account_options){.profile = "role"}), -EACCES);
	assert_non_null(strstr(why, "role_arn"));
	assert_int_equal(refused(&(struct account_options){.profile = "process"}), -EACCES);
	assert_non_null(strstr(why, "credential_process"));
}

/* A profile that says who else acts never acts as its own keys. */
static void test_identity(void **state)
{
	put("credentials", "[default]\naws_access_key_id = K\naws_secret_access_key = S\n"
			   "[both]\naws_access_key_id = U\naws_secret_access_key = S\n"
			   "[sso]\naws_access_key_id = U\naws_secret_access_key = S\n"
			   "[login]\naws_access_key_id = U\naws_secret_access_key = S\n"
			   "[process]\naws_access_key_id = U\naws_secret_access_key = S\n");
	put("config", "[profile both]\nrole_arn = arn:x\nsource_profile = default\n"
		      "[profile sso]\nsso_session = x\nsso_account_id = 1\n"
		      "[profile login]\nlogin_session = arn:x\n"
		      "[profile process]\ncredential_process = /bin/x\n"
		      "[profile web]\nrole_arn = arn:x\nweb_identity_token_file = /x\n"
		      "[profile ec2]\ncredential_source = Ec2InstanceMetadata\n");
	assert_int_equal(refused(&(struct account_options){.profile = "both"}), -EACCES);
	assert_non_null(strstr(why, "role_arn"));
	assert_int_equal(refused(&(struct account_options){.profile = "sso"}), -EACCES);
	assert_non_null(strstr(why, "SSO"));
	assert_int_equal(refused(&(struct account_options){.profile = "login"}), -EACCES);
	assert_non_null(strstr(why, "login_session"));
	assert_int_equal(refused(&(struct account_options){.profile = "web"}), -EACCES);
	assert_non_null(strstr(why, "web_identity_token_file"));
	assert_int_equal(refused(&(struct account_options){.profile = "ec2"}), -EACCES);
	assert_non_null(strstr(why, "credential_source"));
	/* the AWS CLI, too, takes the file's keys before it runs a program */
	account_unref(opened(&(struct account_options){.profile = "process"}));
	/* a role by a token goes before the default profile's keys, not before those of a profile asked for */
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/x", 1);
	setenv("AWS_ROLE_ARN", "arn:x", 1);
	assert_int_equal(refused(&(struct account_options){0}), -EACCES);
	assert_non_null(strstr(why, "AWS_WEB_IDENTITY_TOKEN_FILE"));
	account_unref(opened(&(struct account_options){.profile = "process"}));
	setenv("AWS_ACCESS_KEY_ID", "E", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "S", 1);
	account_unref(opened(&(struct account_options){0}));
}

/* Where credentials could be had is named in the error. */
static void test_sources(void **state)
{
	static const char *const sources[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		setenv(sources[i], "/x", 1);
		assert_int_equal(refused(&(struct account_options){0}), -EACCES);
		assert_non_null(strstr(why, sources[i]));
		assert_non_null(strstr(why, "export-credentials"));
		unsetenv(sources[i]);
	}
}

static void host_is(const struct account_options *options, const char *region, const char *host)
{
	struct account *account = opened(options);
	struct endpoint space;

	assert_string_equal(account_endpoint_for(account, region, &space)->host, host);
	account_unref(account);
}

static void test_variants(void **state)
{
	const struct account_options fips = {.profile = "fips"}, plain = {.no_sign_request = true};

	put("config", "[profile fips]\naws_access_key_id = K\naws_secret_access_key = S\n"
		      "use_fips_endpoint = true\nuse_dualstack_endpoint = true\nmax_attempts = 3\n"
		      "s3 =\n  use_accelerate_endpoint = true\n  max_concurrent_requests = 3\n");
	host_is(&fips, "us-east-1", "s3-fips.dualstack.us-east-1.amazonaws.com");
	host_is(&fips, "us-west-2", "s3-fips.dualstack.us-west-2.amazonaws.com");
	host_is(&plain, "us-east-1", "s3.us-east-1.amazonaws.com");
	setenv("AWS_USE_FIPS_ENDPOINT", "true", 1);
	host_is(&plain, "us-east-1", "s3-fips.us-east-1.amazonaws.com");
	setenv("AWS_USE_FIPS_ENDPOINT", "false", 1);
	host_is(&fips, "us-east-1", "s3.dualstack.us-east-1.amazonaws.com");
	unsetenv("AWS_USE_FIPS_ENDPOINT");
	setenv("AWS_USE_DUALSTACK_ENDPOINT", "TRUE", 1);
	host_is(&plain, "us-east-1", "s3.dualstack.us-east-1.amazonaws.com");
}

/* Two partitions of AWS have nothing in common but the names of their buckets. */
static void test_partitions(void **state)
{
	struct account *ours =
		opened(&(struct account_options){.no_sign_request = true, .region = "eu-west-1"});
	struct account *china =
		opened(&(struct account_options){.no_sign_request = true, .region = "cn-north-1"});
	struct account *gov =
		opened(&(struct account_options){.no_sign_request = true, .region = "us-gov-west-1"});
	struct account *far =
		opened(&(struct account_options){.no_sign_request = true, .region = "us-west-2"});
	struct buf name;

	assert_true(account_same_service(ours, far));
	assert_false(account_same_service(ours, china));
	assert_false(account_same_service(ours, gov));
	assert_false(account_is_like(ours, china));
	buf_init(&name, 100);
	assert_int_equal(account_service_name(china, &name), 0);
	assert_string_equal(buf_text(&name), "aws-cn");
	buf_release(&name);
	account_unref(ours);
	account_unref(china);
	account_unref(gov);
	account_unref(far);
}

static void test_renew(void **state)
{
	const struct credentials *old;
	struct account *account;

	put("credentials", "[default]\naws_access_key_id = K1\naws_secret_access_key = S1\n");
	account = opened(&(struct account_options){0});
	old = account_credentials(account);
	put("credentials", "[default]\naws_access_key_id = K2\naws_secret_access_key = S2\n");
	assert_int_equal(account_renew(account), 0);
	assert_string_equal(account_credentials(account)->access_key, "K2");
	/* Whoever still signs with the old ones may. */
	assert_string_equal(old->access_key, "K1");
	assert_int_equal(account_renew(account), -EAGAIN);
	for (unsigned i = 3; i < 12; i++) {
		char text[128];

		snprintf(text, sizeof(text),
			"[default]\naws_access_key_id = K%u\naws_secret_access_key = S\n", i);
		put("credentials", text);
		account->renewed_s = 0;
		assert_int_equal(account_renew(account), 0);
	}
	assert_string_equal(account_credentials(account)->access_key, "K11");
	account_unref(account);
}

static void test_open_file_is_told_once(void **state)
{
	char path[256], text[4096];
	int ends[2];
	ssize_t got;

	put("credentials", "[default]\naws_access_key_id = K1\naws_secret_access_key = S1\n");
	snprintf(path, sizeof(path), "%s/.aws/credentials", home);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	log_open(ends[1], LOG_LEVEL_WARNING);
	account_unref(opened(&(struct account_options){0}));
	account_unref(opened(&(struct account_options){0}));
	log_open(STDERR_FILENO, LOG_LEVEL_WARNING);
	got = read(ends[0], text, sizeof(text) - 1);
	assert_true(got > 0);
	text[got] = '\0';
	assert_non_null(strstr(text, "mode 644"));
	assert_ptr_equal(strchr(text, '\n'), text + got - 1);
	close(ends[0]);
	close(ends[1]);
}

static void test_regions(void **state)
{
	struct account *account = opened(&(struct account_options){.no_sign_request = true, .region = "r0"});
	char region[REGION_MAX + 1], bucket[32];

	account_learn_region(account, STR("b"), STR("r1"));
	account_region(account, STR("b"), region);
	assert_string_equal(region, "r1");
	account_region(account, STR("c"), region);
	assert_string_equal(region, "r0");
	account_region(account, STR_NONE, region);
	assert_string_equal(region, "r0");
	/* What can't be part of a host name is no region. */
	account_learn_region(account, STR("b"), STR("evil.example/"));
	account_region(account, STR("b"), region);
	assert_string_equal(region, "r1");
	for (unsigned i = 0; i < 3 * ACCOUNT_REGIONS_MAX; i++) {
		snprintf(bucket, sizeof(bucket), "bucket%u", i);
		account_learn_region(account, str_of(bucket), STR("r2"));
		account_region(account, str_of(bucket), region);
		assert_string_equal(region, "r2");
	}
	account_unref(account);
}

static void test_regional_endpoint(void **state)
{
	struct account *aws =
		opened(&(struct account_options){.no_sign_request = true, .region = "us-east-2"});
	struct account *own = opened(
		&(struct account_options){.no_sign_request = true, .endpoint_url = "http://127.0.0.1:1"});
	struct endpoint space;

	assert_ptr_equal(account_endpoint_for(aws, "us-east-2", &space), account_endpoint(aws));
	assert_string_equal(
		account_endpoint_for(aws, "eu-west-1", &space)->host, "s3.eu-west-1.amazonaws.com");
	assert_ptr_equal(account_endpoint_for(own, "eu-west-1", &space), account_endpoint(own));
	account_unref(aws);
	account_unref(own);
}

static void test_same(void **state)
{
	struct account_options options = {.endpoint_url = "http://127.0.0.1:1", .no_sign_request = true};
	struct account *a = opened(&options), *b = opened(&options), *c, *d;

	setenv("AWS_ACCESS_KEY_ID", "K", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "S", 1);
	options.no_sign_request = false;
	c = opened(&options);
	options.endpoint_url = "http://127.0.0.1:2";
	d = opened(&options);
	assert_true(account_same(a, b));
	assert_false(account_same(a, c));
	assert_true(account_same_service(a, c));
	assert_false(account_same_service(c, d));
	account_unref(a);
	account_unref(account_ref(b));
	account_unref(b);
	account_unref(c);
	account_unref(d);
}

static void test_traits_and_clock(void **state)
{
	struct account *account = opened(&(struct account_options){.no_sign_request = true});

	assert_int_equal(account_trait(account, TRAIT_COPY_IF_MATCH), TRAIT_UNKNOWN);
	account_learn(account, TRAIT_COPY_IF_MATCH, true);
	account_learn(account, TRAIT_DELETE_IF_MATCH, false);
	assert_int_equal(account_trait(account, TRAIT_COPY_IF_MATCH), TRAIT_YES);
	assert_int_equal(account_trait(account, TRAIT_DELETE_IF_MATCH), TRAIT_NO);
	assert_int_equal(account_clock_offset(account), 0);
	account_learn_clock(account, 0);
	assert_true(account_clock_offset(account) < -1000000000);
	account_unref(account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing, begin),
		cmocka_unit_test_setup(test_anonymous, begin),
		cmocka_unit_test_setup(test_environment, begin),
		cmocka_unit_test_setup(test_files, begin),
		cmocka_unit_test_setup(test_wrong, begin),
		cmocka_unit_test_setup(test_other_kinds, begin),
		cmocka_unit_test_setup(test_identity, begin),
		cmocka_unit_test_setup(test_sources, begin),
		cmocka_unit_test_setup(test_variants, begin),
		cmocka_unit_test_setup(test_partitions, begin),
		cmocka_unit_test_setup(test_renew, begin),
		cmocka_unit_test_setup(test_open_file_is_told_once, begin),
		cmocka_unit_test_setup(test_regions, begin),
		cmocka_unit_test_setup(test_regional_endpoint, begin),
		cmocka_unit_test_setup(test_same, begin),
		cmocka_unit_test_setup(test_traits_and_clock, begin),
	};
	char path[256];
	int rc;

	if (!mkdtemp(home))
		return 1;
	snprintf(path, sizeof(path), "%s/.aws", home);
	if (mkdir(path, 0700) < 0)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	begin(NULL);
	rmdir(path);
	rmdir(home);
	return rc;
}
