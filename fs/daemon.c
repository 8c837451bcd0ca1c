#include "fs/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/account.h"

static ssize_t read_all(int fd, char *to, size_t size)
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
	ssize_t len = read_all(fd, message, sizeof(message));
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
	setsid();
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

static void tell(struct daemon *daemon, int status, const char *sentence)
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
	if (daemon->fd < 0)
		return;
	if (daemon->front) {
		tell(daemon, 0, "");
		return;
	}
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	umask(0);
	/* A daemon's cwd keeps what it is on from being unmounted; "/" is always there. */
	if (chdir("/") < 0)
		return tell(daemon, 1, "cannot change to /");
	tell(daemon, 0, "");
}

bool daemon_failed(struct daemon *daemon, int status, const char *sentence)
{
	if (daemon->fd < 0)
		return false;
	tell(daemon, status, sentence);
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

void daemon_harden(bool dumpable)
{
	struct rlimit limit;

	daemon_hide(dumpable);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}
