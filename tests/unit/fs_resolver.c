/* Who calls, asked of real processes (a cp that waits, this one, one that has ended) and of made-up ones that
 * hang whoever reads them. */
#include "fs/host/caller_resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

/* Apart from all others. */
static unsigned others;

static void on_other_done(struct resolve *resolve)
{
	count(&done);
	count(&others);
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

/* ---- a /proc of our own, in which reading the command line of some processes hangs ---- */

static char proc[64];

static void make_file(pid_t pid, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%d/%s", proc, (int)pid, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A cp whose cmdline is a FIFO that nobody writes to, or a file. */
static void make_process(pid_t pid, bool hangs)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%d", proc, (int)pid);
	assert_int_equal(mkdir(path, 0700), 0);
	make_file(pid, "stat", "7 (cp) S 1 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1 1\n");
	make_file(pid, "comm", "cp\n");
	make_file(pid, "status", "Name:\tcp\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000100\n");
	snprintf(path, sizeof(path), "%s/%d/exe", proc, (int)pid);
	assert_int_equal(symlink("/bin/cp", path), 0);
	snprintf(path, sizeof(path), "%s/%d/cmdline", proc, (int)pid);
	if (hangs)
		assert_int_equal(mkfifo(path, 0600), 0);
	else
		make_file(pid, "cmdline", "cp");
}

static int make_proc(void **state)
{
	snprintf(proc, sizeof(proc), "/tmp/ferryfs-proc.XXXXXX");
	done = 0;
	return mkdtemp(proc) ? 0 : -1;
}

static int remove_proc(void **state)
{
	char words[128];

	snprintf(words, sizeof(words), "rm -r %s", proc);
	return system(words);
}

/* One user's processes cannot be read: everybody else's are, at once; and he can still be told killed. */
static void test_one_user_hangs(void **state)
{
	enum { HOSTILE = 600 };
	static struct resolve hostile[HOSTILE];
	struct resolver *resolver;
	struct resolve other = {.pid = 8, .uid = 2, .on_done = on_other_done};
	struct resolve fatal = {.pid = 7, .uid = 1, .question = CALLER_FATAL, .on_done = on_done};
	unsigned taken = 0;

	others = 0;
	make_process(7, true);
	make_process(8, false);
	assert_int_equal(resolver_new(proc, &resolver), 0);
	for (unsigned i = 0; i < HOSTILE; i++) {
		hostile[i] = (struct resolve){.pid = 7, .uid = 1, .on_done = on_done};
		taken += resolver_ask(resolver, &hostile[i]) == 0;
	}
	assert_int_equal(taken, HOSTILE);
	/* Answered before the hostile ones are given up. */
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(resolver_ask(resolver, &other), 0);
		await(&others, i + 1);
		assert_int_equal(other.caller.start, 4242);
		assert_int_equal(other.caller.tool, CALLER_CP);
	}
	assert_int_equal(resolver_ask(resolver, &fatal), 0);
	/* All of them, each once, as unknown: those that hang, and those that are not tried any more. */
	await(&done, HOSTILE + 101);
	assert_int_equal(fatal.len, sizeof(bool));
	for (unsigned i = 0; i < HOSTILE; i++) {
		assert_int_equal(hostile[i].caller.tool, CALLER_OTHER);
		assert_int_equal(hostile[i].pidfd, -1);
	}
	resolver_free(resolver);
	assert_int_equal(done, HOSTILE + 101);
}

/* Many users together lose no more helpers than there may be, and root's callers are known throughout. */
static void test_many_users_hang(void **state)
{
	enum { USERS = 40 };
	struct resolver *resolver;
	struct resolve hostile[USERS], root = {.pid = 8, .uid = 0, .on_done = on_done};

	make_process(7, true);
	make_process(8, false);
	assert_int_equal(resolver_new(proc, &resolver), 0);
	for (unsigned i = 0; i < USERS; i++) {
		hostile[i] = (struct resolve){.pid = 7, .uid = 1000 + i, .on_done = on_done};
		assert_int_equal(resolver_ask(resolver, &hostile[i]), 0);
	}
	await(&done, USERS);
	assert_int_equal(resolver_ask(resolver, &root), 0);
	await(&done, USERS + 1);
	assert_int_equal(root.caller.tool, CALLER_CP);
	resolver_free(resolver);
}

/* A helper that hung and came back works again. */
static void test_comes_back(void **state)
{
	struct resolver *resolver;
	struct resolve asked[3];
	char path[128];

	make_process(7, true);
	assert_int_equal(resolver_new(proc, &resolver), 0);
	for (unsigned i = 0; i < 3; i++) {
		asked[i] = (struct resolve){.pid = 7, .uid = 1, .on_done = on_done};
		assert_int_equal(resolver_ask(resolver, &asked[i]), 0);
	}
	await(&done, 3);
	snprintf(path, sizeof(path), "%s/7/cmdline", proc);
	int fifo = open(path, O_WRONLY | O_NONBLOCK);

	assert_true(fifo >= 0); /* both of them wait at it */
	assert_int_equal(unlink(path), 0);
	make_file(7, "cmdline", "cp");
	close(fifo);
	unsigned count = 3;

	do {
		assert_int_equal(resolver_ask(resolver, &asked[0]), 0);
		await(&done, ++count);
	} while (asked[0].caller.tool != CALLER_CP);
	resolver_free(resolver);
}

/* The resolver ends while a helper hangs: what is asked is answered, and nobody waits for the helper. */
static void test_ends_while_one_hangs(void **state)
{
	struct resolver *resolver;
	struct resolve asked = {.pid = 7, .uid = 1, .on_done = on_done},
		       late = {.pid = 7, .on_done = on_done};

	make_process(7, true);
	assert_int_equal(resolver_new(proc, &resolver), 0);
	assert_int_equal(resolver_ask(resolver, &asked), 0);
	resolver_stop(resolver);
	assert_int_equal(done, 1);
	assert_int_equal(asked.caller.tool, CALLER_OTHER);
	assert_int_equal(resolver_ask(resolver, &late), -ECANCELED);
	resolver_free(resolver);
}

/* A helper has no descriptor but its socket, and no environment that may hold a secret. */
static void test_helper_is_bare(void **state)
{
	pid_t process;
	int fd, kept = fcntl(0, F_DUPFD, 20); /* not closed on exec */
	char path[64], byte;
	struct stat st;

	assert_true(kept >= 20);
	assert_int_equal(caller_helper_start("/proc", &fd, &process), 0);
	assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 60000), 1);
	assert_int_equal(recv(fd, &byte, 1, 0), 1); /* it has started */
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)process, kept);
	assert_int_equal(lstat(path, &st), -1);
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)process);
	FILE *file = fopen(path, "r");
	char text[4096] = "";

	assert_non_null(file);
	size_t len = fread(text, 1, sizeof(text) - 1, file);

	fclose(file);
	assert_null(memmem(text, len, "FERRYFS_SECRET_WORD", 19));
	close(fd); /* it ends with its socket */
	assert_int_equal(waitpid(process, NULL, 0), process);
	close(kept);
}

int main(int argc, char **argv)
{
	int status;

	if (caller_helper_main(argc, argv, &status))
		return status;
	setenv("AWS_SECRET_ACCESS_KEY", "FERRYFS_SECRET_WORD", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cp),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_all_are_answered_at_the_end),
		cmocka_unit_test_setup_teardown(test_one_user_hangs, make_proc, remove_proc),
		cmocka_unit_test_setup_teardown(test_many_users_hang, make_proc, remove_proc),
		cmocka_unit_test_setup_teardown(test_comes_back, make_proc, remove_proc),
		cmocka_unit_test_setup_teardown(test_ends_while_one_hangs, make_proc, remove_proc),
		cmocka_unit_test(test_helper_is_bare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
