#include "fs/cmd/mount_point.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/control/client.h"
#include "fs/host/dead_mount.h"
#include "fs/host/mountinfo.h"
#include "fs/host/path.h"
#include "fs/host/runtime_dir.h"

struct searching {
	const char *path;
	char *above; /* malloc'd */
};

static void see_dead(const char *point, void *user)
{
	struct searching *searching = user;

	if (!searching->above && path_is_below(searching->path, point))
		searching->above = strdup(point);
}

/* Some call for this directory said ENOTCONN: because of which mount?  malloc'd, or NULL. */
static char *dead_above(const char *directory)
{
	struct searching searching = {0};
	char *here = directory[0] == '/' ? NULL : getcwd(NULL, 0), *path = NULL;

	if (asprintf(&path, "%s%s%s", here ? here : "", here ? "/" : "", directory) >= 0) {
		searching.path = path;
		dead_mount_each(see_dead, &searching);
		free(path);
	}
	free(here);
	return searching.above;
}

static void explain_dead(const char *directory, char *why)
{
	char *above = dead_above(directory);

	if (above && strcmp(above, directory) != 0)
		snprintf(why, ACCOUNT_WHY_MAX,
			"%.160s: the daemon of the mount on %.120s is gone; 'ferryfs umount %.120s' clears "
			"it",
			directory, above, above);
	else
		snprintf(why, ACCOUNT_WHY_MAX,
			"%.200s: a mount whose daemon is gone is still there; 'ferryfs umount %.200s' clears "
			"it",
			directory, directory);
	free(above);
}

static int refuse_mountpoint(int error, const char *directory, char *why)
{
	switch (error) {
	case -ENOENT:
		snprintf(why, ACCOUNT_WHY_MAX, "%.300s: there is no such directory", directory);
		break;
	case -ENOTDIR:
		snprintf(why, ACCOUNT_WHY_MAX, "%.300s: not a directory", directory);
		break;
	case -ENOTCONN:
		explain_dead(directory, why);
		break;
	default:
		snprintf(why, ACCOUNT_WHY_MAX, "%.300s: %s", directory, strerror(-error));
	}
	return error;
}

static int refuse_mounted(const char *path, const char *directory, const struct mountinfo *info, char *why)
{
	bool is_view = strncmp(info->source, "s3://", 5) != 0;
	char *source = is_view ? control_source_of(path) : NULL;

	snprintf(why, ACCOUNT_WHY_MAX, "%.200s: %.200s is already mounted there", directory,
		source ? source : info->source);
	free(source);
	return -EBUSY;
}

static int check_directory(const char *path, const char *directory, char *why)
{
	struct mountinfo *info = malloc(sizeof(*info));
	char *above = dead_above(path);
	struct stat st;
	int error = 0;

	if (!info)
		error = refuse_mountpoint(-ENOMEM, directory, why);
	else if (above) /* the kernel may remember it for a while */
		error = refuse_mountpoint(-ENOTCONN, path, why);
	else if (stat(path, &st) < 0)
		error = refuse_mountpoint(-errno, directory, why);
	else if (!S_ISDIR(st.st_mode))
		error = refuse_mountpoint(-ENOTDIR, directory, why);
	else if (mountinfo_find(path, info) == 0 && info->ferryfs)
		error = refuse_mounted(path, directory, info, why);
	free(above);
	free(info);
	return error;
}

int mount_point_check(const char *directory, char **ret, char *why)
{
	char *path = realpath(directory, NULL);
	bool own = false;
	int error = 0;

	if (!path)
		return refuse_mountpoint(-errno, directory, why);
	/* What is below it can be seen only once it is gone; the kernel says then whether it is a directory.
	 * Also where the dead one would still be a directory by what the kernel remembers of it. */
	if (!dead_mount_is(path, &own))
		error = check_directory(path, directory, why);
	else if (!own)
		error = refuse_mountpoint(-ENOTCONN, directory, why);
	if (error < 0) {
		free(path);
		return error;
	}
	*ret = path;
	return 0;
}
