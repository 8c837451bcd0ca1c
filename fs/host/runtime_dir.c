#include "fs/host/runtime_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define KEPT_WORD "kept\n"

enum { WAIT_STEP_MS = 5 };

static int dir_path(char *ret, size_t size)
{
	const char *own = getenv("FERRYFS_RUN_DIR");
	const char *base = own && own[0] ? own : geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
	char usual[64]; /* pam_systemd(8) makes it, and sets the variable, but su and cron drop that */
	int len;

	if (!base) {
		snprintf(usual, sizeof(usual), "/run/user/%lu", (unsigned long)geteuid());
		base = usual;
	}
	if (base[0] != '/')
		return -ENOENT;
	len = snprintf(ret, size, base == own ? "%s" : "%s/ferryfs", base);
	return len > 0 && (size_t)len < size ? 0 : -ENAMETOOLONG;
}

/* The directory must be ours alone: whoever can write it could have us wait for, or lock, something else, and
 * who can search it could get at what the hub shows to nobody. */
int runtime_dir_open(bool create, char *ret_path)
{
	char path[PATH_MAX], *real;
	struct stat st;
	int error = dir_path(path, sizeof(path));

	if (error < 0)
		return error;
	if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077)) {
		close(fd);
		return -EPERM;
	}
	real = ret_path ? realpath(path, NULL) : NULL;
	if (ret_path && !real) {
		error = -errno;
		close(fd);
		return error;
	}
	if (real)
		snprintf(ret_path, PATH_MAX, "%s", real);
	free(real);
	return fd;
}

uint64_t runtime_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/mnt", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

void runtime_hub_name(uint64_t namespace, const char *what, char ret[64])
{
	snprintf(ret, 64, "hub-%llu.%s", (unsigned long long)namespace, what);
}

static void address_of(int directory, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", directory, name);
}

void runtime_hub_address(int directory, uint64_t namespace, struct sockaddr_un *ret)
{
	char name[64];

	runtime_hub_name(namespace, "sock", name);
	address_of(directory, name, ret);
}

void runtime_mount_name(dev_t dev, char ret[64])
{
	snprintf(ret, 64, "%u:%u.sock", major(dev), minor(dev));
}

void runtime_mount_address(int directory, dev_t dev, struct sockaddr_un *ret)
{
	char name[64];

	runtime_mount_name(dev, name);
	address_of(directory, name, ret);
}

int runtime_hub_lock(int directory, uint64_t namespace, unsigned limit_ms, int *ret_fd)
{
	char name[64];

	runtime_hub_name(namespace, "lock", name);
	int fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += WAIT_STEP_MS) {
		if (waited >= limit_ms) {
			close(fd);
			return limit_ms ? -ETIMEDOUT : -EAGAIN;
		}
		nanosleep(&(struct timespec){.tv_nsec = WAIT_STEP_MS * 1000000L}, NULL);
	}
	*ret_fd = fd;
	return 0;
}

static void runtime_dir_name_of(dev_t dev, char ret[32])
{
	snprintf(ret, 32, "%u:%u", major(dev), minor(dev));
}

int runtime_claim(dev_t dev, const char *note, int *ret_fd)
{
	char name[32];
	int dir = runtime_dir_open(true, NULL);

	if (dir < 0)
		return dir;
	runtime_dir_name_of(dev, name);
	/* The device is ours now: a file of that name is of a daemon whose mount is gone, whether or not it
	 * still runs. */
	unlinkat(dir, name, 0);
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int error = fd < 0 ? -errno : 0;

	close(dir);
	if (error == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		error = -errno;
	if (error == 0 && dprintf(fd, "%ld\n%s%s", (long)getpid(), note ? note : "", note ? "\n" : "") < 0)
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
	int dir = runtime_dir_open(false, NULL);

	runtime_dir_name_of(dev, name);
	/* By now the device's number may be another mount's. */
	if (dir >= 0 && fstat(fd, &ours) == 0 && fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
		unlinkat(dir, name, 0);
	if (dir >= 0)
		close(dir);
	/* fd stays open: others wait for its lock, which ends with the process. */
}

int runtime_open(dev_t dev, int *ret_fd)
{
	char name[32];
	int dir = runtime_dir_open(false, NULL);

	if (dir < 0)
		return dir;
	runtime_dir_name_of(dev, name);
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int error = fd < 0 ? -errno : 0;

	close(dir);
	if (error == 0)
		*ret_fd = fd;
	return error;
}

int runtime_note(dev_t dev, char *ret, size_t size)
{
	char text[2048];
	int fd = -1, error = runtime_open(dev, &fd);

	if (error < 0)
		return error;
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	close(fd);
	if (len < 0)
		return -EIO;
	text[len] = '\0';
	char *line = strchr(text, '\n'), *end = line ? strchr(line + 1, '\n') : NULL;

	if (!end)
		return -ENOENT;
	*end = '\0';
	if (strlen(line + 1) >= size)
		return -ENAMETOOLONG;
	strcpy(ret, line + 1);
	return 0;
}

bool runtime_claimed(dev_t dev)
{
	int fd = -1;

	if (runtime_open(dev, &fd) < 0)
		return false;
	bool claimed = flock(fd, LOCK_SH | LOCK_NB) < 0;

	close(fd);
	return claimed;
}

void runtime_kept(int fd)
{
	if (fd >= 0 && lseek(fd, 0, SEEK_END) >= 0)
		dprintf(fd, "%s", KEPT_WORD);
}

static bool is_kept(int fd)
{
	char text[64];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len <= 0)
		return false;
	text[len] = '\0';
	return strstr(text, KEPT_WORD);
}

int runtime_wait(int fd, unsigned limit_ms)
{
	int result = -ETIMEDOUT;

	if (fd < 0)
		return 0;
	for (unsigned waited = 0; waited <= limit_ms; waited += WAIT_STEP_MS) {
		if (flock(fd, LOCK_SH | LOCK_NB) == 0)
			result = 0;
		else if (is_kept(fd))
			result = 1;
		if (result >= 0)
			break;
		nanosleep(&(struct timespec){.tv_nsec = WAIT_STEP_MS * 1000000L}, NULL);
	}
	close(fd);
	return result;
}
