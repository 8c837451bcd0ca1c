/* The list of mounts: what is there, what is not, and a list that can't be read, which says neither. */
#include "fs/host/mountinfo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

static void test_finds(void **state)
{
	struct mountinfo info;
	struct stat st;

	assert_int_equal(stat("/proc", &st), 0);
	assert_int_equal(mountinfo_find("/proc", &info), 0);
	assert_int_equal(info.dev, st.st_dev);
	assert_false(info.ferryfs);
	assert_int_equal(mountinfo_find("/proc/self/no mount", &info), -ENOENT);
}

static void test_unread_is_not_absent(void **state)
{
	struct mountinfo info;
	struct rlimit was, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int there = mountinfo_find("/proc", &info), absent = mountinfo_find("/proc/self/no mount", &info);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(there, -EMFILE);
	assert_int_equal(absent, -EMFILE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_unread_is_not_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
