#include "fs/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_STEP_MS = 5 };

static int runtime_dir(char *ret, size_t size)
{
	const char *base = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
	int len;

	if (!base || base[0] != '/')
		return -ENOENT;
	len = snprintf(ret, size, "%s/ferryfs", base);
	return len > 0 && (size_t)len < size ? 0 : -ENAMETOOLONG;
}

/* The directory must be ours alone: whoever can write it could have us wait for, or lock, something else. */
static int open_dir(bool create)
{
	char path[PATH_MAX];
	struct stat st;
	int error = runtime_dir(path, sizeof(path));

	if (error < 0)
		return error;
	if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

static void name_of(dev_t dev, char ret[32])
{
	snprintf(ret, 32, "%u:%u", major(dev), minor(dev));
}

int runtime_claim(dev_t dev, int *ret_fd)
{
	char name[32];
	int dir = open_dir(true);

	if (dir < 0)
		return dir;
	name_of(dev, name);
	/* The device is ours now: a file of that name is of a daemon whose mount is gone, whether or not it
	 * still runs. */
	unlinkat(dir, name, 0);
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int error = fd < 0 ? -errno : 0;

	close(dir);
	if (error == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		error = -errno;
	if (error == 0 && dprintf(fd, "%ld\n", (long)getpid()) < 0)
		error = -errno;
	if (error < 0) {
		if (fd >= 0)
			close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

void runtime_release(dev_t dev, int fd)
{
	struct stat ours, there;
	char name[32];

	if (fd < 0)
		return;
	int dir = open_dir(false);

	name_of(dev, name);
	/* By now the device's number may be another mount's. */
	if (dir >= 0 && fstat(fd, &ours) == 0 && fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
		unlinkat(dir, name, 0);
	if (dir >= 0)
		close(dir);
	/* fd stays open: its lock is what others wait for, and ends with the process. */
}

int runtime_open(dev_t dev, int *ret_fd)
{
	char name[32];
	int dir = open_dir(false);

	if (dir < 0)
		return dir;
	name_of(dev, name);
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int error = fd < 0 ? -errno : 0;

	close(dir);
	if (error == 0)
		*ret_fd = fd;
	return error;
}

int runtime_wait(int fd, unsigned limit_ms)
{
	int error = -ETIMEDOUT;

	if (fd < 0)
		return 0;
	for (unsigned waited = 0; waited <= limit_ms; waited += WAIT_STEP_MS) {
		if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
			error = 0;
			break;
		}
		nanosleep(&(struct timespec){.tv_nsec = WAIT_STEP_MS * 1000000L}, NULL);
	}
	close(fd);
	return error;
}
