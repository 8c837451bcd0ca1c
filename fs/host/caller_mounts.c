#include "fs/host/caller_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/host/mountinfo.h"

/* Each mount looks for its parent among those before it: with more than this many, that takes too long. */
enum { MOUNTS_MAX = 8192, PATH_ROOM = 512, TRIES = 8 };

struct seen_mount {
	unsigned id, parent;
	bool ours;
	char *point; /* owned */
};

struct mounts_walk {
	dev_t device; /* of ours; 0: any ferryfs mount is */
	struct seen_mount *mounts;
	unsigned count, size;
	bool lost; /* there are too many, or memory was short */
};

static const struct seen_mount *caller_mounts_find(const struct mounts_walk *walk, unsigned id)
{
	for (unsigned at = walk->count; at > 0; at--)
		if (walk->mounts[at - 1].id == id)
			return &walk->mounts[at - 1];
	return NULL;
}

static bool caller_mounts_add(struct mounts_walk *walk, const struct mountinfo_line *line)
{
	if (walk->count == walk->size) {
		unsigned size = walk->size ? 2 * walk->size : 64;
		struct seen_mount *grown = NULL;

		if (size <= MOUNTS_MAX)
			grown = realloc(walk->mounts, size * sizeof(*grown));
		if (!grown)
			return false;
		walk->mounts = grown;
		walk->size = size;
	}
	char *point = strdup(line->point);

	if (!point)
		return false;
	walk->mounts[walk->count++] = (struct seen_mount){.id = line->id,
		.parent = line->parent,
		.ours = walk->device ? line->dev == walk->device : line->ferryfs,
		.point = point};
	return true;
}

static bool caller_mounts_visit(const struct mountinfo_line *line, void *user)
{
	struct mounts_walk *walk = user;

	walk->lost = !caller_mounts_add(walk, line);
	return walk->lost;
}

/* Does something lie over an entry of ours?  *ret_outside: one has a parent that is not listed. */
static bool covered(const struct mounts_walk *walk, bool *ret_outside)
{
	*ret_outside = false;
	for (unsigned i = 0; i < walk->count; i++) {
		const struct seen_mount *mount = &walk->mounts[i],
					*parent = caller_mounts_find(walk, mount->parent);

		/* One on top of a whole view leaves nothing of it to be met. */
		if (parent && parent->ours && strcmp(parent->point, mount->point) != 0)
			return true;
		if (!parent && strcmp(mount->point, "/") != 0)
			*ret_outside = true;
	}
	return false;
}

static void walk_release(struct mounts_walk *walk)
{
	for (unsigned i = 0; i < walk->count; i++)
		free(walk->mounts[i].point);
	free(walk->mounts);
}

/* A place of the process, "root" or "cwd": no file system is asked. */
struct spot {
	dev_t dev;
	uint64_t mount, ino;
	char path[PATH_MAX];
};

static bool caller_mounts_look_at(const char *proc, pid_t pid, const char *name, struct spot *ret)
{
	char path[PATH_ROOM];
	struct statx st;

	snprintf(path, sizeof(path), "%s/%d/%s", proc, (int)pid, name);
	ssize_t len = readlink(path, ret->path, sizeof(ret->path) - 1);

	if (len <= 0 || statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID, &st) < 0)
		return false;
	ret->path[len] = '\0';
	ret->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	ret->ino = st.stx_ino;
	ret->mount = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id : 0;
	return ret->mount != 0;
}

/* Can the working directory be reached from the root? */
static bool inside(const struct spot *root, const struct spot *cwd)
{
	size_t len = strlen(root->path);

	if (strcmp(root->path, "/") == 0)
		return cwd->path[0] == '/';
	return strncmp(cwd->path, root->path, len) == 0 && (!cwd->path[len] || cwd->path[len] == '/');
}

bool caller_mounts_clear(const char *proc, pid_t pid, dev_t device)
{
	char path[PATH_ROOM];
	struct mounts_walk walk = {.device = device};
	struct spot root, cwd;
	bool outside;

	snprintf(path, sizeof(path), "%s/%d/mountinfo", proc, (int)pid);
	bool clear = caller_mounts_look_at(proc, pid, "root", &root) &&
		     caller_mounts_look_at(proc, pid, "cwd", &cwd) && inside(&root, &cwd) &&
		     mountinfo_walk_file(path, caller_mounts_visit, &walk) == 0 && !covered(&walk, &outside);

	if (clear && cwd.mount != root.mount)
		clear = caller_mounts_find(&walk, (unsigned)cwd.mount) != NULL;
	if (clear && outside)
		clear = device ? root.dev != device : !mountinfo_is_ferryfs(root.dev);
	walk_release(&walk);
	return clear;
}

static bool same_root(const char *proc, pid_t pid)
{
	struct spot root, ours;

	return caller_mounts_look_at(proc, pid, "root", &root) &&
	       caller_mounts_look_at("/proc", getpid(), "root", &ours) && root.dev == ours.dev &&
	       root.ino == ours.ino && root.mount == ours.mount;
}

/* 0: not cached. */
static dev_t device_of(int cwd, const char *word)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED};
	struct statx st;
	int fd = -1;

	/* Any mount or rename on the machine meanwhile makes the kernel say that it would have to look again. */
	for (unsigned i = 0; i < TRIES && fd < 0 && (i == 0 || errno == EAGAIN); i++)
		fd = (int)syscall(SYS_openat2, cwd, word, &how, sizeof(how));
	if (fd < 0)
		return 0;
	bool known = statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) == 0;

	close(fd);
	return known ? makedev(st.stx_dev_major, st.stx_dev_minor) : 0;
}

dev_t caller_sources_device(const char *proc, pid_t pid, const struct caller_words *words)
{
	char path[PATH_ROOM];
	dev_t device = 0;

	/* Absolute names are looked up from our own root. */
	if (words->count == 0 || words->count > CALLER_SOURCES_MAX || !same_root(proc, pid))
		return 0;
	snprintf(path, sizeof(path), "%s/%d/cwd", proc, (int)pid);
	int cwd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (cwd < 0)
		return 0;
	for (unsigned i = 0; i < words->count; i++) {
		dev_t found = device_of(cwd, words->sources[i]);

		if (found == 0 || (i > 0 && found != device)) {
			device = 0;
			break;
		}
		device = found;
	}
	close(cwd);
	return device;
}
