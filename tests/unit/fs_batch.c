/* Promises, errors and waits of batches, with real processes to own them. */
#include "fs/early/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct resolver *resolver;
static struct batches *batches;
static unsigned hurried, settle_more, settled;
static pid_t child;

static void hurry(void *user)
{
	hurried++;
}

/* settle_more things were put off. */
static void settle(void *user, struct batch *batch)
{
	settled++;
	for (; settle_more > 0; settle_more--)
		batch_promise_more(batch);
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static void end_child(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	child = 0;
}

static struct batch *open_batch(void)
{
	struct caller caller = {.tool = CALLER_CP, .plain = true, .recursive = true};

	child = start_child();
	caller.pid = child;
	struct batch *batch = batches_open(batches, &caller, (int)syscall(SYS_pidfd_open, child, 0));

	assert_non_null(batch);
	return batch;
}

static int setup(void **state)
{
	const struct batches_hooks hooks = {.hurry = hurry, .settle = settle};

	hurried = settle_more = settled = 0;
	assert_int_equal(resolver_new("/proc", &resolver), 0);
	assert_int_equal(batches_new(resolver, &hooks, &batches), 0);
	return 0;
}

static int teardown(void **state)
{
	resolver_free(resolver);
	batches_free(batches);
	end_child();
	return 0;
}

struct waiter {
	struct batch_wait wait;
	unsigned called;
	int error;
};

static void on_done(struct batch_wait *wait, int error)
{
	struct waiter *waiter = wait->user;

	waiter->called++;
	waiter->error = error;
}

static void start_wait(struct batch *batch, struct waiter *waiter)
{
	*waiter = (struct waiter){.wait = {.on_done = on_done, .user = waiter}};
	batch_wait(batch, &waiter->wait);
}

static void test_nothing_promised(void **state)
{
	struct batch *batch = open_batch();
	struct waiter waiter;

	start_wait(batch, &waiter);
	assert_int_equal(waiter.called, 1);
	assert_int_equal(waiter.error, 0);
	assert_int_equal(hurried, 1);
	batch_unref(batch);
}

static void test_waits_for_all(void **state)
{
	struct batch *batch = open_batch();
	struct waiter waiter;

	for (unsigned i = 0; i < 3; i++)
		assert_true(batch_promise(batch, NULL));
	start_wait(batch, &waiter);
	batch_keep(batch, 0);
	batch_keep(batch, 0);
	assert_int_equal(waiter.called, 0);
	batch_keep(batch, 0);
	assert_int_equal(waiter.called, 1);
	assert_int_equal(waiter.error, 0);
	batch_unref(batch);
}

static void test_first_error_is_told_once(void **state)
{
	struct batch *batch = open_batch();
	struct waiter waiter;

	for (unsigned i = 0; i < 3; i++)
		assert_true(batch_promise(batch, NULL));
	batch_keep(batch, -EACCES);
	batch_keep(batch, -EIO);
	start_wait(batch, &waiter);
	batch_keep(batch, 0);
	assert_int_equal(waiter.error, -EACCES);
	start_wait(batch, &waiter);
	assert_int_equal(waiter.called, 1);
	assert_int_equal(waiter.error, 0);
	assert_true(batch_promise(batch, NULL));
	batch_keep(batch, -EIO);
	assert_int_equal(batch_take_error(batch), -EIO);
	assert_int_equal(batch_take_error(batch), 0);
	batch_unref(batch);
}

static void test_one_of_two_waiters_is_told(void **state)
{
	struct batch *batch = open_batch();
	struct waiter first, second;

	assert_true(batch_promise(batch, NULL));
	start_wait(batch, &first);
	start_wait(batch, &second);
	batch_keep(batch, -EACCES);
	assert_int_equal(first.called, 1);
	assert_int_equal(second.called, 1);
	assert_int_equal(first.error, -EACCES);
	assert_int_equal(second.error, 0);
	batch_unref(batch);
}

static void test_what_was_put_off(void **state)
{
	struct batch *batch = open_batch();
	struct waiter waiter;

	assert_true(batch_promise(batch, NULL));
	settle_more = 2;
	start_wait(batch, &waiter);
	assert_int_equal(settled, 0);
	batch_keep(batch, 0);
	assert_int_equal(settled, 1);
	assert_int_equal(waiter.called, 0);
	batch_keep(batch, 0);
	batch_keep(batch, -EACCES);
	assert_int_equal(settled, 2);
	assert_int_equal(waiter.called, 1);
	assert_int_equal(waiter.error, -EACCES);
	batch_unref(batch);
}

static void test_room(void **state)
{
	struct batch *batch = open_batch();
	struct waiter waiters[2];
	unsigned processes, outstanding;

	for (unsigned i = 0; i < BATCH_OUTSTANDING_MAX; i++)
		assert_true(batch_promise(batch, NULL));
	for (unsigned i = 0; i < 2; i++) {
		waiters[i] = (struct waiter){.wait = {.on_done = on_done, .user = &waiters[i]}};
		assert_false(batch_promise(batch, &waiters[i].wait));
	}
	assert_int_equal(hurried, 2);
	batch_keep(batch, 0);
	assert_int_equal(waiters[0].called, 1);
	assert_int_equal(waiters[1].called, 0);
	batches_count(batches, &processes, &outstanding);
	assert_int_equal(processes, 1);
	assert_int_equal(outstanding, BATCH_OUTSTANDING_MAX);
	batch_keep(batch, 0);
	assert_int_equal(waiters[1].called, 1);
	for (unsigned i = 0; i < BATCH_OUTSTANDING_MAX; i++)
		batch_keep(batch, 0);
	batches_count(batches, &processes, &outstanding);
	assert_int_equal(outstanding, 0);
	batch_unref(batch);
}

static void test_found_while_its_process_lives(void **state)
{
	struct batch *batch = open_batch();
	struct batch *again = batches_find(batches, child);
	pid_t pid = child;

	assert_ptr_equal(again, batch);
	batch_unref(again);
	assert_null(batches_find(batches, getpid()));
	end_child();
	while ((again = batches_find(batches, pid))) /* it is looked at every few milliseconds */
		batch_unref(again);
	batch_unref(batch);
}

static void test_drains_after_its_process(void **state)
{
	struct batch *batch = open_batch();
	unsigned processes = 1, outstanding;

	assert_true(batch_promise(batch, NULL));
	settle_more = 1;
	end_child();
	while (processes > 0)
		batches_count(batches, &processes, &outstanding);
	assert_int_equal(outstanding, 1);
	batch_keep(batch, -EACCES);
	/* The resolver's thread may be the one that settles. */
	do {
		batches_count(batches, &processes, &outstanding);
	} while (outstanding == 0 && settle_more > 0);
	batch_keep(batch, 0);
	assert_int_equal(batches_settle(batches, 10000), 0);
	batch_unref(batch);
}

static void *keep_later(void *user)
{
	for (unsigned i = 0; i < 100; i++)
		batch_keep(user, i == 50 ? -EIO : 0);
	return NULL;
}

static void test_settle_all(void **state)
{
	struct batch *batch = open_batch();
	pthread_t thread;

	for (unsigned i = 0; i < 100; i++)
		assert_true(batch_promise(batch, NULL));
	assert_int_equal(batches_settle(batches, 1), -ETIMEDOUT);
	assert_int_equal(pthread_create(&thread, NULL, keep_later, batch), 0);
	assert_int_equal(batches_settle(batches, 10000), 0);
	pthread_join(thread, NULL);
	assert_int_equal(batch_take_error(batch), -EIO);
	batch_unref(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_promised, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_error_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_of_two_waiters_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_was_put_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_found_while_its_process_lives, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drains_after_its_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settle_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
