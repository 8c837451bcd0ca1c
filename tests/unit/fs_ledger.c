/* The ledger of requests: each wants one answer, but for those that want none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/fuse.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/request/ledger.h"

static void took(struct ledger *ledger, uint64_t unique, uint32_t opcode)
{
	const struct fuse_in_header in = {.len = sizeof(in), .unique = unique, .opcode = opcode};

	ledger_took(ledger, &in, sizeof(in));
}

static bool answered(struct ledger *ledger, uint64_t unique)
{
	const struct fuse_out_header out = {.len = sizeof(out), .unique = unique};

	return ledger_answer(ledger, &out, sizeof(out));
}

static size_t left(struct ledger *ledger)
{
	struct ledger_entry entry;

	return ledger_left(ledger, &entry);
}

static void each_is_answered_once(void **state)
{
	struct ledger *ledger = ledger_new();

	assert_false(answered(ledger, 2));
	took(ledger, 2, FUSE_LOOKUP);
	took(ledger, 4, FUSE_READ);
	assert_int_equal(left(ledger), 2);
	assert_true(answered(ledger, 2));
	assert_false(answered(ledger, 2));
	struct ledger_entry entry = {0};

	assert_int_equal(ledger_left(ledger, &entry), 1);
	assert_int_equal(entry.unique, 4);
	assert_int_equal(entry.opcode, FUSE_READ);
	assert_true(answered(ledger, 4));
	assert_int_equal(left(ledger), 0);
	ledger_free(ledger);
}

static void some_want_no_answer(void **state)
{
	static const uint32_t opcodes[] = {FUSE_FORGET, FUSE_BATCH_FORGET, FUSE_INTERRUPT, FUSE_NOTIFY_REPLY};
	struct ledger *ledger = ledger_new();

	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		took(ledger, 2 * i + 2, opcodes[i]);
	assert_int_equal(left(ledger), 0);
	assert_true(answered(ledger, 0)); /* a notice */
	assert_true(answered(ledger, 7)); /* an interrupt that came too late */
	ledger_free(ledger);
}

static void many(void **state)
{
	struct ledger *ledger = ledger_new();

	for (uint64_t i = 1; i <= 1000; i++)
		took(ledger, 2 * i, FUSE_GETATTR);
	assert_int_equal(left(ledger), 1000);
	for (uint64_t i = 1; i <= 1000; i += 2)
		assert_true(answered(ledger, 2 * i));
	for (uint64_t i = 1000; i >= 2; i -= 2)
		assert_true(answered(ledger, 2 * i));
	assert_int_equal(left(ledger), 0);
	ledger_free(ledger);
}

/* The signal that a process ends by which closes a ledger with this many requests left. */
static int closed_with(unsigned count)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct ledger *ledger = ledger_new();

		setrlimit(RLIMIT_CORE, &(struct rlimit){0});
		signal(SIGABRT, SIG_DFL);
		for (unsigned i = 1; i <= count; i++)
			took(ledger, 2 * i, FUSE_OPEN);
		ledger_close(ledger);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void the_end_is_loud(void **state)
{
	assert_int_equal(closed_with(0), 0);
	assert_int_equal(closed_with(3), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_answered_once),
		cmocka_unit_test(some_want_no_answer),
		cmocka_unit_test(many),
		cmocka_unit_test(the_end_is_loud),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
