#include "fs/host/fusermount.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

int fusermount_unmount(const char *path, bool lazy)
{
	const char *const argv[] = {"fusermount3", lazy ? "-uz" : "-u", "--", path, NULL};
	pid_t pid;
	int status, error = posix_spawnp(&pid, "fusermount3", NULL, NULL, (char *const *)argv, environ);

	if (error)
		return -error;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EREMOTEIO;
}
