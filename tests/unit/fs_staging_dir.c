/* The staging directory: what it must be, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/account/account.h"
#include "fs/host/staging_dir.h"

static char base[64], why[ACCOUNT_WHY_MAX];

static int setup(void **state)
{
	strcpy(base, "/tmp/ferryfs-test-XXXXXX");
	return mkdtemp(base) ? 0 : -1;
}

static int teardown(void **state)
{
	return rmdir(base);
}

static const char *below(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static void refused(const char *path, int error, const char *reason)
{
	char *got = NULL;

	assert_int_equal(staging_dir_open(path, &got, why), error);
	assert_null(got);
	if (!strstr(why, reason))
		fail_msg("'%s' lacks '%s'", why, reason);
}

static void test_made_up(void **state)
{
	char *path = NULL;
	struct stat st;

	setenv("TMPDIR", base, 1);
	assert_int_equal(staging_dir_open(NULL, &path, why), 0);
	assert_int_equal(strncmp(path, base, strlen(base)), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);

	char *name = strdup(path);

	staging_dir_close(path);
	assert_int_equal(access(name, F_OK), -1);
	free(name);
	setenv("TMPDIR", below("none"), 1);
	refused(NULL, -ENOENT, "No such file");
	unsetenv("TMPDIR");
	staging_dir_close(NULL);
}

static void test_wanted(void **state)
{
	char *path = NULL;

	assert_int_equal(staging_dir_open(below("new"), &path, why), 0);
	assert_string_equal(path, below("new"));
	staging_dir_close(path);
	assert_int_equal(access(below("new"), F_OK), 0); /* the user's: it stays */
	assert_int_equal(staging_dir_open(below("new"), &path, why), 0);
	staging_dir_close(path);
	rmdir(below("new"));
}

/* What a daemon that was killed left goes with the next; what another one uses, and what only looks like
 * ours, stays. */
static void test_left(void **state)
{
	char *one = NULL, *two = NULL, file[160];

	setenv("TMPDIR", base, 1);
	assert_int_equal(mkdir(below("ferryfs-dead12"), 0700), 0);
	snprintf(file, sizeof(file), "%s/draft-abcdef", below("ferryfs-dead12"));
	fclose(fopen(file, "w"));
	assert_int_equal(mkdir(below("ferryfs-full12"), 0700), 0);
	snprintf(file, sizeof(file), "%s/theirs", below("ferryfs-full12"));
	fclose(fopen(file, "w"));
	assert_int_equal(mkdir(below("ferryfs-open12"), 0700), 0);
	chmod(below("ferryfs-open12"), 0755);
	assert_int_equal(mkdir(below("ferryfs-longer1"), 0700), 0);
	assert_int_equal(staging_dir_open(NULL, &one, why), 0);
	assert_int_equal(staging_dir_open(NULL, &two, why), 0);
	assert_string_not_equal(one, two);
	assert_int_equal(access(one, F_OK), 0);
	assert_int_equal(access(below("ferryfs-dead12"), F_OK), -1);
	assert_int_equal(access(file, F_OK), 0);
	staging_dir_close(one);
	staging_dir_close(two);
	unlink(file);
	assert_int_equal(rmdir(below("ferryfs-full12")), 0);
	assert_int_equal(rmdir(below("ferryfs-open12")), 0);
	assert_int_equal(rmdir(below("ferryfs-longer1")), 0);
	unsetenv("TMPDIR");
}

static void test_refusals(void **state)
{
	FILE *file;
	char link[128];

	refused("relative", -EINVAL, "absolute");
	refused(below("a/b"), -ENOENT, "No such file");
	mkdir(below("open"), 0700);
	chmod(below("open"), 0750);
	refused(below("open"), -EPERM, "open to others");
	rmdir(below("open"));
	file = fopen(below("file"), "w");
	assert_non_null(file);
	fclose(file);
	refused(below("file"), -ENOTDIR, "Not a directory");
	unlink(below("file"));
	mkdir(below("real"), 0700);
	strcpy(link, below("link"));
	assert_int_equal(symlink(below("real"), link), 0);
	refused(link, -ELOOP, "symbolic link");
	strcat(link, "//");
	refused(link, -ELOOP, "symbolic link");
	unlink(below("link"));
	rmdir(below("real"));
	/* Someone could put another directory in its place. */
	mkdir(below("wide"), 0700);
	chmod(below("wide"), 0777);
	refused(below("wide/in"), -EPERM, "written by everyone");
	assert_int_equal(access(below("wide/in"), F_OK), -1); /* what was made for it is gone again */
	rmdir(below("wide"));
}

static void test_other_owner(void **state)
{
	if (geteuid() != 0)
		skip();
	mkdir(below("theirs"), 0700);
	assert_int_equal(chown(below("theirs"), 12345, 12345), 0);
	refused(below("theirs"), -EPERM, "another user");
	refused(below("theirs/in"), -EPERM, "belongs to another user");
	rmdir(below("theirs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_up),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_other_owner),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
