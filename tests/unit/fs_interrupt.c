#include "fs/host/fatal_signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static bool fatal(const char *pending, const char *shared, const char *blocked, const char *ignored)
{
	char text[512];

	snprintf(text, sizeof(text),
		"Name:\tmv\nThreads:\t1\nSigQ:\t1/"
		"7\nSigPnd:\t%s\nShdPnd:\t%s\nSigBlk:\t%s\nSigIgn:\t%s\nSigCgt:\t0\n",
		pending, shared, blocked, ignored);
	return interrupt_fatal_status(text);
}

#define NONE "0000000000000000"
#define KILL "0000000000000100"
#define INT "0000000000000002"
#define TSTP "0000000000080000"
#define URG "0000000000400000"

static void test_fatal(void **state)
{
	assert_true(fatal(KILL, NONE, NONE, NONE));
	assert_true(fatal(NONE, KILL, NONE, NONE));
	assert_true(fatal(NONE, KILL, KILL, KILL));
	assert_true(fatal(NONE, INT, NONE, NONE));
}

static void test_not_fatal(void **state)
{
	assert_false(fatal(NONE, NONE, NONE, NONE));
	assert_false(fatal(NONE, TSTP, NONE, NONE));
	assert_false(fatal(URG, NONE, NONE, NONE));
	assert_false(fatal(NONE, INT, INT, NONE));
	assert_false(fatal(NONE, INT, NONE, INT));
	/* A program that handles it: Python's SIGINT, say. */
	assert_false(interrupt_fatal_status("\nSigPnd:\t" NONE "\nShdPnd:\t" INT "\nSigBlk:\t" NONE
					    "\nSigIgn:\t" NONE "\nSigCgt:\t" INT "\n"));
	assert_true(interrupt_fatal_status("\nSigPnd:\t" NONE "\nShdPnd:\t" INT "\nSigBlk:\t" NONE
					   "\nSigIgn:\t" NONE "\nSigCgt:\t" URG "\n"));
	assert_false(interrupt_fatal_status(""));
	assert_false(interrupt_fatal_status("SigPnd"));
}

static void test_live(void **state)
{
	assert_false(interrupt_fatal("/proc", getpid()));
	assert_false(interrupt_fatal("/proc", 0));
	assert_false(interrupt_fatal("/proc", -1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fatal),
		cmocka_unit_test(test_not_fatal),
		cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
