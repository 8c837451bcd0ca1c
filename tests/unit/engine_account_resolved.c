#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/account/account.h"

static char folder[] = "/tmp/ferryfs-resolved-XXXXXX";
static char path[256], why[ACCOUNT_WHY_MAX];

static void put_profile(const char *key, const char *secret)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "[one]\naws_access_key_id = %s\naws_secret_access_key = %s\n", key, secret);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static int begin(void **state)
{
	setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
	setenv("AWS_CONFIG_FILE", "/nowhere", 1);
	setenv("AWS_REGION", "eu-west-9", 1);
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_PROFILE");
	unsetenv("AWS_CA_BUNDLE");
	return 0;
}

static struct account *opened(const char *profile)
{
	const struct account_options options = {.endpoint_url = "http://127.0.0.1:9000", .profile = profile};
	struct account *account = NULL;

	if (account_open(&options, &account, why) != 0)
		fail_msg("%s", why);
	return account;
}

/* As another process would have it, whose environment says something else. */
static struct account *handed_over(struct account *account)
{
	struct account_resolved resolved;
	struct account *other = NULL;

	assert_int_equal(account_export(account, &resolved), 0);
	setenv("AWS_ACCESS_KEY_ID", "wrong", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "wrong", 1);
	setenv("AWS_REGION", "wrong-1", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/wrong", 1);
	assert_int_equal(account_from_resolved(&resolved, &other), 0);
	account_resolved_release(&resolved);
	assert_string_equal(resolved.credentials.secret, "");
	return other;
}

static void test_profile(void **state)
{
	char region[REGION_MAX + 1];

	put_profile("first", "secret");
	struct account *account = opened("one"), *other = handed_over(account);

	assert_true(account_same(account, other));
	assert_true(account_is_like(account, other));
	account_region(other, STR("bucket"), region);
	assert_string_equal(region, "eu-west-9");
	/* Renewed from the same file, whatever the environment here. */
	put_profile("second", "other");
	assert_int_equal(account_renew(other), 0);
	assert_string_equal(account_credentials(other)->access_key, "second");
	assert_false(account_is_like(account, other));
	account_unref(account);
	account_unref(other);
}

static void test_environment(void **state)
{
	setenv("AWS_ACCESS_KEY_ID", "key", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	struct account *account = opened(NULL), *other = handed_over(account);

	assert_true(account_same(account, other));
	/* There is nothing to read anew, and nobody else's is taken instead. */
	assert_int_equal(account_renew(other), -EACCES);
	assert_string_equal(account_credentials(other)->access_key, "key");
	account_unref(account);
	account_unref(other);
}

static void test_adopt(void **state)
{
	put_profile("same", "old");
	struct account *account = opened("one");

	put_profile("same", "new");
	struct account *newer = opened("one");

	assert_true(account_is_like(account, newer));
	assert_false(account_same(account, newer));
	assert_int_equal(account_adopt(account, newer), 0);
	assert_true(account_same(account, newer));
	assert_string_equal(account_credentials(account)->secret, "new");
	account_unref(account);
	account_unref(newer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_profile, begin),
		cmocka_unit_test_setup(test_environment, begin),
		cmocka_unit_test_setup(test_adopt, begin),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/credentials", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(folder);
	return failed;
}
