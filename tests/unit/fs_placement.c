/* Where the reading thread is held, by made-up callers whose CPU a made-up /proc tells. */
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

#include "fs/host/fuse_cpu.h"

static char proc[64];
static cpu_set_t before;
static int first, second; /* CPUs that we may use; the same where there is one only */

static int setup(void **state)
{
	if (sched_getaffinity(0, sizeof(before), &before) < 0)
		return -1;
	first = second = -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET((unsigned)cpu, &before))
			continue;
		if (first < 0)
			first = cpu;
		second = cpu;
	}
	snprintf(proc, sizeof(proc), "/tmp/ferryfs-placement.XXXXXX");
	return mkdtemp(proc) ? 0 : -1;
}

static void path_of(pid_t thread, const char *file, char ret[128])
{
	snprintf(ret, 128, "%s/%d%s", proc, (int)thread, file);
}

/* The thread is on this CPU; its name is as awkward as a name can be. */
static void runs_on(pid_t thread, int cpu)
{
	char path[128];

	path_of(thread, "", path);
	assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	path_of(thread, "/stat", path);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "%d (a b) R 1 (2)", (int)thread);
	for (int field = 3; field < 39; field++)
		fprintf(file, " %d", 1000 + field);
	fprintf(file, " %d 40 41\n", cpu);
	fclose(file);
}

static void ends(pid_t thread)
{
	char path[128];

	path_of(thread, "/stat", path);
	assert_int_equal(unlink(path), 0);
	path_of(thread, "", path);
	assert_int_equal(rmdir(path), 0);
}

static int teardown(void **state)
{
	return rmdir(proc);
}

static void ask(struct placement *placement, pid_t thread)
{
	assert_ptr_equal(placement->user, proc);
	placement_told(placement, thread, placement_cpu_of(proc, thread));
}

static void requests(struct placement *placement, pid_t thread, unsigned count)
{
	while (count--)
		placement_request(placement, thread);
}

/* The CPU that this thread is held on, or -1. */
static int held(void)
{
	cpu_set_t now;

	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	if (CPU_EQUAL(&now, &before))
		return -1;
	assert_int_equal(CPU_COUNT(&now), 1);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((unsigned)cpu, &now))
			return cpu;
	return -1;
}

/* Of a machine with one CPU held and free are the same. */
static void skip_one_cpu(void)
{
	if (first == second)
		skip();
}

static void test_words(void **state)
{
	char text[16], far[16];
	int cpu = 7777;

	assert_int_equal(placement_parse("auto", &cpu), 0);
	assert_int_equal(cpu, PLACEMENT_AUTO);
	assert_int_equal(placement_parse("none", &cpu), 0);
	assert_int_equal(cpu, PLACEMENT_NONE);
	placement_text(cpu, text);
	assert_string_equal(text, "none");
	snprintf(far, sizeof(far), "%d", second);
	assert_int_equal(placement_parse(far, &cpu), 0);
	assert_int_equal(cpu, second);
	placement_text(cpu, text);
	assert_string_equal(text, far);
	placement_text(PLACEMENT_AUTO, text);
	assert_string_equal(text, "auto");
	cpu = 7777;
	for (const char *const *bad =
			(const char *const[]){"", "-1", "0x1", "1 ", "Auto", "99999999999", NULL};
		*bad; bad++)
		assert_int_equal(placement_parse(*bad, &cpu), -EINVAL);
	assert_int_equal(placement_parse("1023", &cpu), CPU_ISSET(1023, &before) ? 0 : -ENODEV);
	assert_int_equal(placement_parse("999999", &cpu), -ENODEV);
	assert_int_equal(cpu, 7777);
}

static void test_number(void **state)
{
	struct placement placement;

	skip_one_cpu();
	placement_start(&placement, second, ask, proc);
	assert_int_equal(held(), second);
	runs_on(5, first);
	requests(&placement, 5, 1000);
	assert_int_equal(held(), second);
	placement_end(&placement);
	assert_int_equal(held(), -1);
	ends(5);
}

static void test_none(void **state)
{
	struct placement placement;

	placement_start(&placement, PLACEMENT_NONE, ask, proc);
	runs_on(5, first);
	requests(&placement, 5, 1000);
	assert_int_equal(held(), -1);
	placement_end(&placement);
	ends(5);
}

static void test_follows_one(void **state)
{
	struct placement placement;

	skip_one_cpu();
	placement_start(&placement, PLACEMENT_AUTO, ask, proc);
	runs_on(5, first);
	requests(&placement, 5, PLACEMENT_AFTER);
	assert_int_equal(held(), -1);
	requests(&placement, 5, 1);
	assert_int_equal(held(), first);
	/* Moved: seen at the next look.  What the kernel sends by itself does not count. */
	runs_on(5, second);
	for (unsigned i = 1; i < PLACEMENT_EVERY; i++) {
		requests(&placement, 5, 1);
		requests(&placement, 0, 1);
	}
	assert_int_equal(held(), first);
	requests(&placement, 5, 1);
	assert_int_equal(held(), second);
	/* Ended: nothing is known of it, and nothing held. */
	ends(5);
	requests(&placement, 5, PLACEMENT_EVERY);
	assert_int_equal(held(), -1);
	placement_end(&placement);
}

static void test_several_roam(void **state)
{
	struct placement placement;

	skip_one_cpu();
	placement_start(&placement, PLACEMENT_AUTO, ask, proc);
	runs_on(5, first);
	runs_on(6, first);
	requests(&placement, 5, PLACEMENT_AFTER + 1);
	assert_int_equal(held(), first);
	requests(&placement, 6, 1);
	assert_int_equal(held(), -1);
	for (unsigned i = 0; i < 1000; i++) {
		requests(&placement, 5, PLACEMENT_AFTER / 2);
		requests(&placement, 6, PLACEMENT_AFTER / 2);
	}
	assert_int_equal(held(), -1);
	requests(&placement, 6, PLACEMENT_AFTER + 1);
	assert_int_equal(held(), first);
	placement_end(&placement);
	assert_int_equal(held(), -1);
	ends(5);
	ends(6);
}

static void test_a_cpu_that_is_not_ours(void **state)
{
	struct placement placement;

	placement_start(&placement, PLACEMENT_AUTO, ask, proc);
	runs_on(5, CPU_SETSIZE + 3);
	requests(&placement, 5, 1000);
	assert_int_equal(held(), -1);
	placement_end(&placement);
	ends(5);
	placement_start(&placement, CPU_SETSIZE - 1, ask, proc);
	assert_int_equal(held(), CPU_ISSET(CPU_SETSIZE - 1, &before) ? CPU_SETSIZE - 1 : -1);
	placement_end(&placement);
}

/* A scheduler that always puts the caller elsewhere. */
static void test_gives_up(void **state)
{
	struct placement placement;

	skip_one_cpu();
	placement_start(&placement, PLACEMENT_AUTO, ask, proc);
	requests(&placement, 5, PLACEMENT_AFTER);
	for (int i = 0; i <= PLACEMENT_LOST; i++) {
		runs_on(5, i % 2 ? second : first);
		requests(&placement, 5, i ? PLACEMENT_EVERY : 1);
		if (i < PLACEMENT_LOST)
			assert_int_equal(held(), i % 2 ? second : first);
	}
	assert_int_equal(held(), -1);
	requests(&placement, 5, PLACEMENT_REST);
	assert_int_equal(held(), -1);
	requests(&placement, 5, PLACEMENT_EVERY);
	assert_int_not_equal(held(), -1);
	placement_end(&placement);
	ends(5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_follows_one),
		cmocka_unit_test(test_several_roam),
		cmocka_unit_test(test_a_cpu_that_is_not_ours),
		cmocka_unit_test(test_gives_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
