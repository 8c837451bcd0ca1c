/* Who calls, asked of real processes: a cp that waits, this one, one that has ended. */
#include "fs/resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static unsigned done, ended;

static void count(unsigned *what)
{
	pthread_mutex_lock(&lock);
	++*what;
	pthread_cond_broadcast(&wake);
	pthread_mutex_unlock(&lock);
}

static void await(const unsigned *what, unsigned wanted)
{
	pthread_mutex_lock(&lock);
	while (*what < wanted)
		pthread_cond_wait(&wake, &lock);
	pthread_mutex_unlock(&lock);
}

static void on_done(struct resolve *resolve)
{
	count(&done);
}

static void on_end(struct process_watch *watch)
{
	count(&ended);
}

/* cp of a FIFO blocks for as long as nobody writes to it: a GNU cp that can be looked at. */
static pid_t start_cp(const char *dir, const char *options)
{
	char fifo[128], copy[128];
	pid_t pid;

	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	snprintf(copy, sizeof(copy), "%s/copy", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execlp("cp", "cp", options, fifo, copy, (char *)NULL);
		_exit(127);
	}
	/* Its end of the FIFO opens once it has become cp; ours stays open, so that it goes on reading. */
	return pid;
}

static int open_fifo(const char *dir)
{
	char fifo[128];

	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	return open(fifo, O_WRONLY | O_CLOEXEC);
}

static void test_cp(void **state)
{
	char dir[] = "/tmp/ferryfs-resolver.XXXXXX", path[128];
	struct resolver *resolver;
	struct resolve resolve = {.on_done = on_done};
	struct process_watch watch = {.on_end = on_end};

	assert_non_null(mkdtemp(dir));
	done = ended = 0;
	assert_int_equal(resolver_new("/proc", &resolver), 0);
	resolve.pid = start_cp(dir, "-v");
	int fifo = open_fifo(dir);

	assert_true(fifo >= 0);
	assert_int_equal(resolver_ask(resolver, &resolve), 0);
	await(&done, 1);
	assert_int_equal(resolve.caller.tool, CALLER_CP);
	assert_true(resolve.caller.plain);
	assert_true(resolve.pidfd >= 0);
	assert_false(process_ended(resolve.pidfd));
	watch.pidfd = resolve.pidfd;
	assert_int_equal(resolver_watch(resolver, &watch), 0);
	assert_int_equal(ended, 0);
	close(fifo);
	await(&ended, 1);
	assert_true(process_ended(resolve.pidfd));
	close(resolve.pidfd);
	assert_int_equal(waitpid(resolve.pid, NULL, 0), resolve.pid);
	resolver_free(resolver);
	snprintf(path, sizeof(path), "rm -r %s", dir);
	assert_int_equal(system(path), 0);
}

static void test_others(void **state)
{
	struct resolver *resolver;
	struct resolve self = {.pid = getpid(), .on_done = on_done}, none = {.pid = 0, .on_done = on_done};
	struct resolve gone = {.on_done = on_done};

	done = 0;
	assert_int_equal(resolver_new("/proc", &resolver), 0);
	gone.pid = fork();
	if (gone.pid == 0)
		_exit(0);
	assert_int_equal(waitpid(gone.pid, NULL, 0), gone.pid);
	assert_int_equal(resolver_ask(resolver, &self), 0);
	assert_int_equal(resolver_ask(resolver, &none), 0);
	assert_int_equal(resolver_ask(resolver, &gone), 0);
	await(&done, 3);
	assert_int_equal(self.caller.tool, CALLER_OTHER);
	assert_int_equal(self.pidfd, -1);
	assert_int_equal(none.caller.tool, CALLER_OTHER);
	assert_int_equal(none.pidfd, -1);
	assert_int_equal(gone.caller.start, 0);
	assert_int_equal(gone.pidfd, -1);
	resolver_free(resolver);
}

static void test_all_are_answered_at_the_end(void **state)
{
	enum { COUNT = 200 };
	struct resolver *resolver;
	struct resolve asked[COUNT];
	unsigned taken = 0;

	done = 0;
	assert_int_equal(resolver_new("/proc", &resolver), 0);
	for (unsigned i = 0; i < COUNT; i++) {
		asked[i] = (struct resolve){.pid = getpid(), .on_done = on_done};
		taken += resolver_ask(resolver, &asked[i]) == 0;
	}
	resolver_free(resolver);
	assert_int_equal(taken, COUNT);
	assert_int_equal(done, COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cp),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_all_are_answered_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
