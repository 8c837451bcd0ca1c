#include "fs/host/staging_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/account/account.h"
#include "fs/host/mountinfo.h"
#include "fs/host/opendir_at.h"
#include "fs/host/staging_file.h"

#define STAGING_OWN_NAME "/ferryfs-XXXXXX"

enum { MAKE_TRIES = 10 };

/* What staging_dir_open returns is the path in one of these.  The lock of a directory that was made up says
 * that its daemon lives: one that nobody holds is what a crash left, and goes when the next one is made. */
struct staging {
	int lock; /* -1: the user's own directory */
	char path[];
};

static int staging_dir_refuse(int error, const char *path, const char *reason, char *why)
{
	snprintf(why, ACCOUNT_WHY_MAX, "staging directory %s: %s", path, reason);
	return error;
}

/* Could someone else put another directory in the place of one on this canonical path? */
static int check_above(const char *path, char *why)
{
	char *copy = strdup(path);
	int error = 0;

	if (!copy)
		return staging_dir_refuse(-ENOMEM, path, strerror(ENOMEM), why);
	for (char *slash = strrchr(copy, '/'); slash && error == 0; slash = strrchr(copy, '/')) {
		struct stat st;

		*slash = '\0';
		if (lstat(copy[0] ? copy : "/", &st) < 0)
			error = staging_dir_refuse(-errno, path, strerror(errno), why);
		else if (st.st_uid != 0 && st.st_uid != geteuid())
			error = staging_dir_refuse(
				-EPERM, path, "a directory above it belongs to another user", why);
		else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
			error = staging_dir_refuse(
				-EPERM, path, "a directory above it can be written by everyone", why);
	}
	free(copy);
	return error;
}

static int check_itself(const char *path, char *why)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int error = 0;

	if (fd < 0)
		return staging_dir_refuse(-errno, path, strerror(errno), why);
	if (fstat(fd, &st) < 0)
		error = staging_dir_refuse(-errno, path, strerror(errno), why);
	else if (st.st_uid != geteuid())
		error = staging_dir_refuse(-EPERM, path, "belongs to another user", why);
	else if (st.st_mode & 077)
		error = staging_dir_refuse(-EPERM, path, "is open to others (it needs mode 0700)", why);
	else if (mountinfo_is_ferryfs(st.st_dev))
		error = staging_dir_refuse(-ELOOP, path, "is on a ferryfs mount", why);
	close(fd);
	return error;
}

/* Is this a name that make_own made? */
static bool is_own(const char *name)
{
	const char *own = STAGING_OWN_NAME + 1; /* behind the slash */

	return strlen(name) == strlen(own) && strncmp(name, own, strcspn(own, "X")) == 0;
}

/* What an open file has no name for, a crash takes with it; a file system without such files may have kept
 * one. */
static void clear_files(int directory)
{
	DIR *entries = opendir_at(directory);
	const struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)))
		if (strncmp(entry->d_name, STAGING_FILE_PREFIX, strlen(STAGING_FILE_PREFIX)) == 0)
			unlinkat(directory, entry->d_name, 0);
	closedir(entries);
}

static void clear_one(int base, const char *name)
{
	int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 07777) == 0700 &&
		flock(fd, LOCK_EX | LOCK_NB) == 0) {
		clear_files(fd);
		unlinkat(base, name, AT_REMOVEDIR);
	}
	close(fd);
}

/* Those whose daemons were killed. */
static void staging_dir_clear_dead(const char *base)
{
	DIR *entries = opendir(base);
	const struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)))
		if (is_own(entry->d_name))
			clear_one(dirfd(entries), entry->d_name);
	closedir(entries);
}

static struct staging *staging_new(const char *base, const char *name)
{
	size_t base_len = strlen(base), name_len = strlen(name);
	struct staging *staging = malloc(sizeof(*staging) + base_len + name_len + 1);

	if (!staging)
		return NULL;
	staging->lock = -1;
	memcpy(staging->path, base, base_len);
	memcpy(staging->path + base_len, name, name_len + 1);
	return staging;
}

/* A directory by mkdtemp that is locked.  Another daemon may clear it away between the two: -EAGAIN. */
static int make_locked(struct staging *staging)
{
	struct stat st;

	strcpy(strrchr(staging->path, '/'), STAGING_OWN_NAME);
	if (!mkdtemp(staging->path))
		return -errno;
	int fd = open(staging->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 || fstat(fd, &st) < 0 || st.st_nlink == 0) {
		close(fd);
		return -EAGAIN;
	}
	staging->lock = fd;
	return 0;
}

static int make_own(struct staging **ret, char *why)
{
	const char *base = getenv("TMPDIR");
	int error = -EAGAIN;

	if (!base || base[0] != '/')
		base = "/var/tmp";
	char *real = realpath(base, NULL);

	if (!real)
		return staging_dir_refuse(-errno, base, strerror(errno), why);
	struct staging *staging = staging_new(strcmp(real, "/") == 0 ? "" : real, STAGING_OWN_NAME);

	if (!staging) {
		free(real);
		return staging_dir_refuse(-ENOMEM, base, strerror(ENOMEM), why);
	}
	staging_dir_clear_dead(real);
	free(real);
	int above = check_above(staging->path, why);

	for (int tries = 0; above == 0 && error == -EAGAIN && tries < MAKE_TRIES; tries++)
		error = make_locked(staging);
	if (above < 0 || error < 0) {
		free(staging);
		return above < 0 ? above : staging_dir_refuse(error, base, strerror(-error), why);
	}
	*ret = staging;
	return 0;
}

/* An existing directory, or one that is made; not where a link leads: another may lead elsewhere tomorrow. */
static int use_wanted(const char *wanted, bool *ret_made, struct staging **ret, char *why)
{
	char name[PATH_MAX];
	size_t len = strlen(wanted);
	struct stat st;

	if (wanted[0] != '/')
		return staging_dir_refuse(-EINVAL, wanted, "must be an absolute path", why);
	while (len > 1 && wanted[len - 1] == '/') /* with a slash at its end a link is followed */
		len--;
	if (len >= sizeof(name))
		return staging_dir_refuse(-ENAMETOOLONG, wanted, strerror(ENAMETOOLONG), why);
	memcpy(name, wanted, len);
	name[len] = '\0';
	bool made = mkdir(name, 0700) == 0;

	if (!made && errno != EEXIST)
		return staging_dir_refuse(-errno, wanted, strerror(errno), why);
	if (lstat(name, &st) == 0 && S_ISLNK(st.st_mode))
		return staging_dir_refuse(-ELOOP, wanted, "is a symbolic link", why);
	char *path = realpath(name, NULL);

	if (!path)
		return staging_dir_refuse(-errno, wanted, strerror(errno), why);
	struct staging *staging = staging_new(path, "");

	free(path);
	if (!staging)
		return staging_dir_refuse(-ENOMEM, wanted, strerror(ENOMEM), why);
	*ret = staging;
	*ret_made = made;
	return check_above(staging->path, why);
}

int staging_dir_open(const char *wanted, char **ret, char *why)
{
	struct staging *staging = NULL;
	bool made = true; /* by us, just now */
	int error = wanted ? use_wanted(wanted, &made, &staging, why) : make_own(&staging, why);

	if (!staging)
		return error;
	if (error == 0)
		error = check_itself(staging->path, why);
	if (error < 0) {
		if (made)
			rmdir(staging->path);
		if (staging->lock >= 0)
			close(staging->lock);
		free(staging);
		return error;
	}
	*ret = staging->path;
	return 0;
}

void staging_dir_close(char *path)
{
	if (!path)
		return;
	struct staging *staging = (struct staging *)(path - offsetof(struct staging, path));

	/* Content there has no names: a directory that is not empty stays. */
	if (staging->lock >= 0) {
		rmdir(path);
		close(staging->lock);
	}
	free(staging);
}
