#include "fs/staging_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/account.h"
#include "fs/mountinfo.h"

#define STAGING_OWN_NAME "/ferryfs-XXXXXX"

static int refuse(int error, const char *path, const char *reason, char *why)
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
		return refuse(-ENOMEM, path, strerror(ENOMEM), why);
	for (char *slash = strrchr(copy, '/'); slash && error == 0; slash = strrchr(copy, '/')) {
		struct stat st;

		*slash = '\0';
		if (lstat(copy[0] ? copy : "/", &st) < 0)
			error = refuse(-errno, path, strerror(errno), why);
		else if (st.st_uid != 0 && st.st_uid != geteuid())
			error = refuse(-EPERM, path, "a directory above it belongs to another user", why);
		else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
			error = refuse(-EPERM, path, "a directory above it can be written by everyone", why);
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
		return refuse(-errno, path, strerror(errno), why);
	if (fstat(fd, &st) < 0)
		error = refuse(-errno, path, strerror(errno), why);
	else if (st.st_uid != geteuid())
		error = refuse(-EPERM, path, "belongs to another user", why);
	else if (st.st_mode & 077)
		error = refuse(-EPERM, path, "is open to others (it needs mode 0700)", why);
	else if (mountinfo_is_ferryfs(st.st_dev))
		error = refuse(-ELOOP, path, "is on a ferryfs mount", why);
	close(fd);
	return error;
}

static int make_own(char **ret, char *why)
{
	const char *base = getenv("TMPDIR");
	char *real, *path;

	if (!base || base[0] != '/')
		base = "/var/tmp";
	real = realpath(base, NULL);
	if (!real)
		return refuse(-errno, base, strerror(errno), why);
	if (asprintf(&path, "%s" STAGING_OWN_NAME, strcmp(real, "/") == 0 ? "" : real) < 0)
		path = NULL;
	free(real);
	if (!path)
		return refuse(-ENOMEM, base, strerror(ENOMEM), why);
	int error = check_above(path, why);

	if (error == 0 && !mkdtemp(path))
		error = refuse(-errno, base, strerror(errno), why);
	if (error < 0) {
		free(path);
		return error;
	}
	*ret = path;
	return 0;
}

/* Is this a name that make_own made? */
static bool is_own(const char *path)
{
	const char *name = strrchr(path, '/');
	size_t fixed = strcspn(STAGING_OWN_NAME, "X");

	return name && strlen(name) == strlen(STAGING_OWN_NAME) &&
	       strncmp(name, STAGING_OWN_NAME, fixed) == 0;
}

int staging_dir_open(const char *wanted, char **ret, char *why)
{
	char *path = NULL;
	bool made = true; /* by us, just now */
	int error = 0;

	if (!wanted) {
		error = make_own(&path, why);
		if (!path)
			return error;
	} else {
		if (wanted[0] != '/')
			return refuse(-EINVAL, wanted, "must be an absolute path", why);
		made = mkdir(wanted, 0700) == 0;
		if (!made && errno != EEXIST)
			return refuse(-errno, wanted, strerror(errno), why);
		path = realpath(wanted, NULL);
		if (!path)
			return refuse(-errno, wanted, strerror(errno), why);
		error = check_above(path, why);
	}
	if (error == 0)
		error = check_itself(path, why);
	if (error < 0) {
		if (made)
			rmdir(path);
		free(path);
		return error;
	}
	*ret = path;
	return 0;
}

void staging_dir_close(char *path)
{
	/* Content there has no names (or is what a crash left): a directory that is not empty stays. */
	if (path && is_own(path))
		rmdir(path);
	free(path);
}
