#include "fs/host/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/account/account.h"

static ssize_t daemon_read_all(int fd, char *to, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, to + len, size - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

/* The message: one byte of status, then the sentence. */
static int other_wait(int fd, pid_t child, int *ret_status, char *why)
{
	char message[ACCOUNT_WHY_MAX];
	ssize_t len = daemon_read_all(fd, message, sizeof(message));
	int status;

	close(fd);
	if (len > 0) {
		memcpy(why, message + 1, (size_t)len - 1);
		why[len - 1] = '\0';
		*ret_status = message[0];
		return 1;
	}
	if (child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status))
		snprintf(why, ACCOUNT_WHY_MAX, "the daemon was killed while starting: %s",
			strsignal(WTERMSIG(status)));
	else
		snprintf(why, ACCOUNT_WHY_MAX, "the daemon ended while starting");
	*ret_status = 1;
	return 1;
}

int daemon_fork(struct daemon *daemon, int *ret_status, char *why)
{
	int ends[2];

	daemon->fd = -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	pid_t child = fork();

	if (child < 0) {
		int error = -errno;

		close(ends[0]);
		close(ends[1]);
		return error;
	}
	if (child > 0) {
		close(ends[1]);
		return other_wait(ends[0], child, ret_status, why);
	}
	close(ends[0]);
	daemon->fd = ends[1];
	return 0;
}

int daemon_front(struct daemon *daemon, int *ret_status, char *why)
{
	int ends[2];

	daemon->fd = -1;
	daemon->front = true;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	daemon->other = fork();
	if (daemon->other < 0) {
		int error = -errno;

		close(ends[0]);
		close(ends[1]);
		return error;
	}
	if (daemon->other == 0) {
		close(ends[1]);
		return other_wait(ends[0], -1, ret_status, why);
	}
	close(ends[0]);
	daemon->fd = ends[1];
	return 0;
}

static void daemon_tell(struct daemon *daemon, int status, const char *sentence)
{
	char message[ACCOUNT_WHY_MAX];
	size_t len = strnlen(sentence, sizeof(message) - 1), done = 0;

	message[0] = (char)status;
	memcpy(message + 1, sentence, len);
	while (done < len + 1) {
		ssize_t put = write(daemon->fd, message + done, len + 1 - done);

		if (put < 0 && errno != EINTR)
			break;
		if (put > 0)
			done += (size_t)put;
	}
	close(daemon->fd);
	daemon->fd = -1;
}

void daemon_ready(struct daemon *daemon)
{
	int null = daemon->front ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	/* Only now: an automounter lets through to its mount point the processes of its own group, and would make
	 * any other wait for the mount that is just being made. */
	if (!daemon->front)
		setsid();
	/* A daemon's cwd keeps its file system from being unmounted; "/" is always there. */
	int failed = chdir("/");

	if (daemon->fd >= 0)
		daemon_tell(daemon, failed ? 1 : 0, failed ? "cannot change to /" : "");
}

bool daemon_failed(struct daemon *daemon, int status, const char *sentence)
{
	if (daemon->fd < 0)
		return false;
	daemon_tell(daemon, status, sentence);
	return true;
}

/* LeakSanitizer looks at its own process as a debugger does. */
#ifdef __SANITIZE_ADDRESS__
enum { NEVER_HIDES = 1 };
#else
enum { NEVER_HIDES = 0 };
#endif

void daemon_hide(bool dumpable)
{
	if (!dumpable && !NEVER_HIDES)
		prctl(PR_SET_DUMPABLE, 0);
}

/* ---- things that a daemon must not take along from the job that started it ---- */

enum { GIVEN_MAX = 1024 };

/* Written by daemon_begin, before any thread starts. */
static int given[GIVEN_MAX];
static unsigned given_count;

static void given_add(int fd)
{
	if (fd > STDERR_FILENO && given_count < GIVEN_MAX)
		given[given_count++] = fd;
}

void daemon_begin(void)
{
	DIR *entries = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(entries))
			given_add(atoi(entry->d_name));
	if (entries)
		closedir(entries);
	for (int fd = 0; !entries && fd < GIVEN_MAX; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			given_add(fd);
	signal(SIGCHLD, SIG_DFL); /* ignored, no child could be waited for */
}

void daemon_drop_given(void)
{
	for (unsigned i = 0; i < given_count; i++)
		close(given[i]);
	given_count = 0;
}

/* exec(2) hands on ignored and blocked signals.  A write past a limit on file sizes is an error of
 * that write (EFBIG), and one to a broken pipe of that one. */
static void reset_signals(void)
{
	struct sigaction now;
	sigset_t none;

	for (int number = 1; number <= SIGRTMAX; number++)
		if (sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

/* own: also past the hard limit, where we may; else as far as that allows. */
static void raise_limit(int resource, rlim_t wanted, bool own)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return;
	if (own && limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted &&
		setrlimit(resource, &(struct rlimit){.rlim_cur = wanted, .rlim_max = wanted}) == 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(resource, &limit);
}

static void reset_limits(bool own)
{
	/* Not of this many at once, but of what one mount of many programs has open (fs.nr_open is 1 Mi). */
	const rlim_t files = 65536;
	static const int unlimited[] = {RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_AS, RLIMIT_DATA, RLIMIT_NPROC};

	for (size_t i = 0; i < sizeof(unlimited) / sizeof(unlimited[0]); i++)
		raise_limit(unlimited[i], RLIM_INFINITY, own);
	raise_limit(RLIMIT_NOFILE, files, own);
}

/* A thread's stack is by default what the limit on stacks was when the program began: too small for a thread
 * after ulimit -s 64, and of gigabytes after another. */
static void reset_stacks(void)
{
	const size_t least = 512 << 10, usual = 8 << 20;
	pthread_attr_t attributes;
	size_t size;

	if (pthread_getattr_default_np(&attributes) != 0)
		return;
	if (pthread_attr_getstacksize(&attributes, &size) == 0 && (size < least || size > 8 * usual) &&
		pthread_attr_setstacksize(&attributes, usual) == 0)
		pthread_setattr_default_np(&attributes);
	pthread_attr_destroy(&attributes);
}

/* A niced job's daemon serves everybody, and a job's wish to be killed first is not the daemon's.  A priority
 * lowered on purpose stays. */
static void reset_priority(void)
{
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	char text[16] = "";

	if (getpriority(PRIO_PROCESS, 0) > 0)
		setpriority(PRIO_PROCESS, 0, 0);
	if (fd < 0)
		return;
	/* Without the right to it, it stays. */
	if (read(fd, text, sizeof(text) - 1) > 0 && atoi(text) > 0 && pwrite(fd, "0", 1, 0) < 0)
		errno = 0;
	close(fd);
}

void daemon_harden(const struct daemon *daemon, bool dumpable)
{
	daemon_drop_given();
	daemon_hide(dumpable);
	reset_signals();
	reset_limits(!daemon->front);
	reset_stacks();
	if (!daemon->front)
		reset_priority();
	if (!dumpable && !NEVER_HIDES)
		setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	umask(077);
}
