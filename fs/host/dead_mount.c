#include "fs/host/dead_mount.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "engine/account/account.h"
#include "fs/host/fusermount.h"
#include "fs/host/mountinfo.h"
#include "fs/host/path.h"
#include "fs/host/runtime_dir.h"

enum {
	STACKED_MAX = 64, /* dead ones on one path */
	INSIDE_MAX = 1024, /* and mounts inside one */
	LOCK_MS = 60000, /* while somebody starts a hub */
};

/* STATFS is never answered from a cache (fuse_statfs, fs/fuse/inode.c). */
static bool answers_not(const char *path)
{
	struct statfs unused;

	return statfs(path, &unused) < 0 && errno == ENOTCONN;
}

static bool is_dead(const char *path, const struct mountinfo *info)
{
	return info->ferryfs && !runtime_claimed(info->dev) && answers_not(path);
}

bool dead_mount_is(const char *path, bool *ret_own)
{
	struct mountinfo *info = malloc(sizeof(*info));
	bool dead = info && mountinfo_find(path, info) == 0 && is_dead(path, info);

	if (dead && ret_own)
		*ret_own = info->owner == geteuid();
	free(info);
	return dead;
}

/* ---- clearing ---- */

struct inside {
	unsigned ids[INSIDE_MAX];
	unsigned count;
	char *living; /* a mount point inside that is not dead itself; malloc'd */
};

/* Parents come before the mounts on them. */
static bool visit_inside(const struct mountinfo_line *line, void *user)
{
	struct inside *inside = user;

	for (unsigned i = 0; i < inside->count; i++) {
		if (inside->ids[i] != line->parent)
			continue;
		if (!line->ferryfs || runtime_claimed(line->dev) || inside->count == INSIDE_MAX) {
			inside->living = strdup(line->point);
			return true;
		}
		inside->ids[inside->count++] = line->id;
		break;
	}
	return false;
}

/* Mounts inside go along with a lazy detach; no process can reach it by its path any more, but
 * that is not for us to end. */
static int check_inside(const char *path, unsigned id, char *why)
{
	struct inside *inside = malloc(sizeof(*inside));
	int error = 0;

	if (!inside) {
		snprintf(why, ACCOUNT_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	inside->ids[0] = id;
	inside->count = 1;
	inside->living = NULL;
	error = mountinfo_walk(visit_inside, inside);
	if (error > 0) {
		error = -EBUSY;
		snprintf(why, ACCOUNT_WHY_MAX,
			"%.120s: a mount whose daemon is gone is still there, and %.120s is mounted inside "
			"it; "
			"'umount -l %.120s' clears both",
			path, inside->living ? inside->living : "something", path);
	} else if (error < 0) {
		snprintf(why, ACCOUNT_WHY_MAX, "the list of mounts: %s", strerror(-error));
	}
	free(inside->living);
	free(inside);
	return error;
}

static int dead_mount_detach(const char *path)
{
	if (geteuid() != 0)
		return fusermount_unmount(path, true);
	return umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}

static int host_dead_mount_clear(const char *path, char *why)
{
	struct mountinfo *info = malloc(sizeof(*info));
	int error = info ? 0 : -ENOMEM;

	for (unsigned i = 0; i < STACKED_MAX && error == 0; i++) {
		if (mountinfo_find(path, info) < 0 || info->owner != geteuid() || !is_dead(path, info))
			break;
		error = check_inside(path, info->id, why);
		if (error == 0)
			error = dead_mount_detach(path);
	}
	free(info);
	if (error < 0 && !why[0])
		snprintf(why, ACCOUNT_WHY_MAX, "%.300s: a mount whose daemon is gone cannot be unmounted: %s",
			path, strerror(-error));
	return error;
}

int dead_mount_clear(const char *path, char *why)
{
	int lock = -1, directory, error;

	if (!dead_mount_is(path, NULL))
		return 0;
	/* Of two that find it dead the second must not take away the mount that the first has made instead. */
	directory = runtime_dir_open(true, NULL);
	if (directory >= 0 && runtime_hub_lock(directory, runtime_namespace(), LOCK_MS, &lock) < 0)
		lock = -1;
	why[0] = '\0';
	error = host_dead_mount_clear(path, why);
	if (lock >= 0)
		close(lock);
	if (directory >= 0)
		close(directory);
	return error;
}

/* ---- naming ---- */

struct naming {
	void (*found)(const char *point, void *user);
	void *user;
	char base[PATH_MAX]; /* the runtime directory */
	unsigned ids[INSIDE_MAX]; /* dead ones */
	unsigned count;
};

/* A runtime file names its owner: no daemon of another runtime directory is waited for. */
static bool had_daemon(dev_t dev)
{
	int fd;

	if (runtime_open(dev, &fd) < 0)
		return false;
	close(fd);
	return !runtime_claimed(dev);
}

/* One inside a dead one goes with it, and could not be named to the kernel. */
static bool is_inside(const struct naming *naming, const struct mountinfo_line *line)
{
	for (unsigned i = 0; i < naming->count; i++)
		if (naming->ids[i] == line->parent)
			return true;
	return false;
}

static bool visit_dead(const struct mountinfo_line *line, void *user)
{
	struct naming *naming = user;

	if (!line->ferryfs || line->owner != geteuid() || naming->count == INSIDE_MAX ||
		!had_daemon(line->dev) || !answers_not(line->point))
		return false;
	if (!is_inside(naming, line) && !path_is_below(line->point, naming->base))
		naming->found(line->point, naming->user);
	naming->ids[naming->count++] = line->id;
	return false;
}

void dead_mount_each(void (*found)(const char *point, void *user), void *user)
{
	struct naming *naming = malloc(sizeof(*naming));
	int directory;

	if (!naming)
		return;
	naming->found = found;
	naming->user = user;
	naming->count = 0;
	directory = runtime_dir_open(false, naming->base);
	if (directory >= 0) {
		close(directory);
		mountinfo_each(visit_dead, naming);
	}
	free(naming);
}
