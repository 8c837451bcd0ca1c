#include "engine/journal/journal_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NEW_SUFFIX ".new"

enum {
	NAMES_MAX = 65536, /* unfinished moves looked at in one go */
	TRIES = 100,
};

struct journal_dir {
	int fd;
	dev_t device;
	char *path;
};

static int journal_dir_refuse(int error, const char *path, const char *reason, char *why)
{
	snprintf(why, JOURNAL_WHY_MAX, "journal directory %.256s: %s", path, reason);
	return error;
}

static int make(const char *path, bool parents)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || !parents)
		return -errno;
	char *copy = strdup(path), *slash = copy ? strrchr(copy, '/') : NULL;
	int error = !copy ? -ENOMEM : !slash || slash == copy ? -ENOENT : 0;
	if (error == 0) {
		*slash = '\0';
		error = make(copy, true);
	}
	free(copy);
	return error != 0 ? error : mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

/* No other user may be able to put another directory in its place: each one above belongs to us or root, and
 * only we may write it, or the sticky bit protects its entries.  path is canonical. */
static int check_above(const char *path, char *why)
{
	char above[PATH_MAX];
	int error = 0;
	if (strlen(path) >= sizeof(above))
		return journal_dir_refuse(-ENAMETOOLONG, path, strerror(ENAMETOOLONG), why);
	strcpy(above, path);
	for (char *slash = strrchr(above, '/'); slash && error == 0; slash = strrchr(above, '/')) {
		struct stat st;
		*slash = '\0';
		if (lstat(above[0] != '\0' ? above : "/", &st) < 0)
			error = journal_dir_refuse(-errno, path, strerror(errno), why);
		else if (st.st_uid != 0 && st.st_uid != geteuid())
			error = journal_dir_refuse(
				-EPERM, path, "a directory above it belongs to another user", why);
		else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
			error = journal_dir_refuse(
				-EPERM, path, "a directory above it can be written by everyone", why);
	}
	return error;
}

static int check_itself(struct journal_dir *dir, char *why)
{
	struct stat st;
	if (fstat(dir->fd, &st) < 0)
		return journal_dir_refuse(-errno, dir->path, strerror(errno), why);
	if (st.st_uid != geteuid())
		return journal_dir_refuse(-EPERM, dir->path, "belongs to another user", why);
	if ((st.st_mode & 077) != 0)
		return journal_dir_refuse(-EPERM, dir->path, "is open to others (it needs mode 0700)", why);
	dir->device = st.st_dev;
	return 0;
}

/* The last part of a path may be no link: O_NOFOLLOW says so of the name as given, before it is resolved. */
static int open_it(struct journal_dir *dir, const char *path, char *why)
{
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd < 0)
		return journal_dir_refuse(-errno, path,
			errno == ELOOP || errno == ENOTDIR ? "is no directory, or a link" : strerror(errno),
			why);
	dir->path = realpath(path, NULL);
	if (!dir->path)
		return journal_dir_refuse(-errno, path, strerror(errno), why);
	int error = check_above(dir->path, why);
	return error != 0 ? error : check_itself(dir, why);
}

int journal_dir_open(const char *path, bool make_parents, struct journal_dir **ret, char *why)
{
	if (path[0] != '/')
		return journal_dir_refuse(-EINVAL, path, "must be an absolute path", why);
	int error = make(path, make_parents);
	if (error != 0)
		return journal_dir_refuse(error, path, strerror(-error), why);
	struct journal_dir *dir = calloc(1, sizeof(*dir));
	if (!dir)
		return journal_dir_refuse(-ENOMEM, path, strerror(ENOMEM), why);
	dir->fd = -1;
	error = open_it(dir, path, why);
	if (error != 0)
		journal_dir_free(dir);
	else
		*ret = dir;
	return error;
}

void journal_dir_free(struct journal_dir *dir)
{
	if (!dir)
		return;
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	free(dir);
}

const char *journal_dir_path(const struct journal_dir *dir)
{
	return dir->path;
}

dev_t journal_dir_device(const struct journal_dir *dir)
{
	return dir->device;
}

/* ---- files ---- */

int journal_dir_create(struct journal_dir *dir, int *ret_fd, char *ret_name)
{
	static atomic_uint next;
	char name[JOURNAL_NAME_MAX + 1];
	for (unsigned tries = 0; tries < TRIES; tries++) {
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		snprintf(name, sizeof(name), "%lld.%09ld-%ld-%u" NEW_SUFFIX, (long long)now.tv_sec,
			now.tv_nsec, (long)getpid(), atomic_fetch_add(&next, 1));
		int fd = openat(dir->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return -errno;
		struct stat st = {.st_nlink = 0};
		int error = flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0 ? -errno : 0;
		if (error == 0 && st.st_nlink > 0) {
			*ret_fd = fd;
			strcpy(ret_name, name);
			return 0;
		}
		/* A journal_dir_names of another process or thread came between our open and our lock. */
		if (error != 0 && error != -EWOULDBLOCK)
			unlinkat(dir->fd, name, 0);
		close(fd);
		if (error != 0 && error != -EWOULDBLOCK)
			return error;
	}
	return -EEXIST;
}

int journal_dir_publish(struct journal_dir *dir, char *name)
{
	return journal_dir_publish_as(dir, name, JOURNAL_SUFFIX);
}

int journal_dir_publish_as(struct journal_dir *dir, char *name, const char *suffix)
{
	char lasting[JOURNAL_NAME_MAX + 1];
	size_t stem = strlen(name) - strlen(NEW_SUFFIX);
	if (stem + strlen(suffix) > JOURNAL_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(lasting, name, stem);
	strcpy(lasting + stem, suffix);
	if (renameat(dir->fd, name, dir->fd, lasting) < 0)
		return -errno;
	strcpy(name, lasting);
	return fsync(dir->fd) == 0 ? 0 : -errno;
}

static int lock(struct journal_dir *dir, const char *name, int *ret_fd)
{
	struct stat st;
	int fd = openat(dir->fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int error = flock(fd, LOCK_EX | LOCK_NB) < 0 ? (errno == EWOULDBLOCK ? -EBUSY : -errno) : 0;
	if (error == 0 && fstat(fd, &st) < 0)
		error = -errno;
	/* Its owner may have finished it between our open and our lock. */
	if (error == 0 && st.st_nlink == 0)
		error = -ENOENT;
	if (error == 0 && (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0 ||
				  st.st_nlink != 1))
		error = -EPERM;
	if (error != 0)
		close(fd);
	else
		*ret_fd = fd;
	return error;
}

int journal_dir_lock(struct journal_dir *dir, const char *name, int *ret_fd)
{
	return strchr(name, '/') ? -EINVAL : lock(dir, name, ret_fd);
}

int journal_dir_remove(struct journal_dir *dir, const char *name)
{
	return unlinkat(dir->fd, name, 0) == 0 ? 0 : -errno;
}

/* ---- the journals that are there ---- */

static bool ends_in(const char *name, const char *suffix)
{
	size_t len = strlen(name), end = strlen(suffix);
	return len > end && strcmp(name + len - end, suffix) == 0;
}

static void remove_abandoned(struct journal_dir *dir, const char *name)
{
	int fd = -1;
	if (lock(dir, name, &fd) != 0)
		return;
	unlinkat(dir->fd, name, 0);
	close(fd);
}

struct names {
	char **array;
	size_t count, size;
};

static int names_add(struct names *names, const char *name)
{
	if (names->count + 1 >= names->size) {
		size_t size = names->size != 0 ? 2 * names->size : 16;
		char **grown = reallocarray(names->array, size, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		names->array = grown;
		names->size = size;
	}
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	names->array[names->count++] = copy;
	names->array[names->count] = NULL;
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(struct journal_dir *dir, DIR *stream, const char *suffix, struct names *names)
{
	int error = 0;
	while (error == 0 && names->count < NAMES_MAX) {
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (!entry)
			return -errno;
		if (strlen(entry->d_name) > JOURNAL_NAME_MAX)
			continue;
		if (ends_in(entry->d_name, suffix))
			error = names_add(names, entry->d_name);
		else if (ends_in(entry->d_name, NEW_SUFFIX))
			remove_abandoned(dir, entry->d_name);
	}
	return error;
}

int journal_dir_names(struct journal_dir *dir, char ***ret)
{
	return journal_dir_names_of(dir, JOURNAL_SUFFIX, ret);
}

int journal_dir_names_of(struct journal_dir *dir, const char *suffix, char ***ret)
{
	struct names names = {.size = 1};
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = fd < 0 ? -errno : 0;
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	if (error == 0 && !stream) {
		error = -errno;
		close(fd);
	}
	names.array = calloc(1, sizeof(*names.array));
	if (error == 0 && !names.array)
		error = -ENOMEM;
	if (error == 0 && stream)
		error = read_names(dir, stream, suffix, &names);
	if (stream)
		closedir(stream);
	if (error != 0) {
		journal_names_free(names.array);
		return error;
	}
	qsort(names.array, names.count, sizeof(*names.array), by_text);
	*ret = names.array;
	return 0;
}

void journal_names_free(char **names)
{
	for (char **at = names; at && *at; at++)
		free(*at);
	free(names);
}
