#include "fs/host/process_exit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* linux/pidfd.h of Linux 6.15; older headers have neither. */
struct pidfd_exit_info {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define PIDFD_EXIT_INFO _IOWR(0xFF, 11, struct pidfd_exit_info)
#define PIDFD_EXIT_MASK (UINT64_C(1) << 3)

enum { STAT_FIELD = 52 };

static int by_pidfd(int pidfd)
{
	struct pidfd_exit_info info = {.mask = PIDFD_EXIT_MASK};

	if (ioctl(pidfd, PIDFD_EXIT_INFO, &info) < 0 || !(info.mask & PIDFD_EXIT_MASK))
		return -ENODATA;
	return info.exit_code;
}

static int by_stat(pid_t pid)
{
	char path[64], text[2048], *at;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ENODATA;
	ssize_t len = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (len <= 0)
		return -ENODATA;
	text[len] = '\0';
	at = strrchr(text, ')');
	/* Another process of that number, or one that has not ended: "Z" is field 3. */
	if (!at || strncmp(at, ") Z", 3) != 0)
		return -ENODATA;
	for (unsigned field = 2; at && field < STAT_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at ? (int)strtol(at + 1, NULL, 10) : -ENODATA;
}

int process_exit_status(int pidfd, pid_t pid)
{
	int status = by_pidfd(pidfd);

	if (status < 0)
		status = by_stat(pid);
	/* Waited for meanwhile? */
	if (status < 0)
		status = by_pidfd(pidfd);
	return status;
}

const char *process_exit_text(int status, char *text)
{
	if (status < 0)
		snprintf(text, PROCESS_EXIT_TEXT_MAX, "exit status unknown");
	else if (WIFSIGNALED(status))
		snprintf(text, PROCESS_EXIT_TEXT_MAX, "signal %d", WTERMSIG(status));
	else
		snprintf(text, PROCESS_EXIT_TEXT_MAX, "exit status %d", WEXITSTATUS(status));
	return text;
}
