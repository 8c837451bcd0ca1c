#include "fs/host/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/host/caller_mounts.h"

/* Room for the words of one command line; a longer one (cp *.txt of thousands) is not judged, so it waits. */
enum { CMDLINE_MAX = 128 * 1024, PATH_ROOM = 512, EXE_MAX = 4 << 20, EXES_KNOWN = 8 };

/* Programs looked into so far; busybox, toybox and the like carry the same names and other rules. */
static struct {
	dev_t dev;
	ino_t ino;
	struct timespec changed;
	enum caller_tool tool;
	bool gnu;
} exes[EXES_KNOWN];
static unsigned exes_next;
static pthread_mutex_t exes_lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t caller_read_all(const char *path, char *data, size_t size)
{
	size_t got = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (got < size && (n = read(fd, data + got, size - got)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			got = 0;
			break;
		}
		got += (size_t)n;
	}
	close(fd);
	return (ssize_t)got;
}

/* Field 22, counted after the last `)`: comm may hold anything (proc(5)). */
static uint64_t start_time(const char *proc, pid_t pid)
{
	char path[PATH_ROOM], text[2048], *at;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%d/stat", proc, (int)pid);
	len = caller_read_all(path, text, sizeof(text) - 1);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	at = strrchr(text, ')');
	for (unsigned field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

static bool has_text(const char *data, size_t len, const char *text)
{
	return memmem(data, len, text, strlen(text)) != NULL;
}

/* The messages by which coreutils' own sources (copy.c, remove.c) do the things that an early answer rests on. */
static bool text_is_gnu(const char *data, size_t len, enum caller_tool tool)
{
	static const char *const copying[] = {"GNU coreutils", "failed to close %s",
		"will not overwrite just-created %s with %s", "cannot copy a directory, %s, into itself, %s",
		"error reading %s", NULL};
	static const char *const removing[] = {"GNU coreutils", "cannot remove %s",
		"refusing to remove %s or %s directory: skipping %s", NULL};
	const char *const *wanted = tool == CALLER_RM ? removing : copying;

	if (len < 4 || memcmp(data, "\177ELF", 4) != 0 || has_text(data, len, "uutils"))
		return false;
	for (; *wanted; wanted++)
		if (!has_text(data, len, *wanted))
			return false;
	return true;
}

static bool file_is_gnu(const char *path, off_t size, enum caller_tool tool)
{
	bool gnu = false;
	char *data;
	ssize_t len;

	if (size <= 0 || size > EXE_MAX || !(data = malloc((size_t)size)))
		return false;
	len = caller_read_all(path, data, (size_t)size);
	if (len > 0)
		gnu = text_is_gnu(data, (size_t)len, tool);
	free(data);
	return gnu;
}

/* Root's, and nobody else may change it.  A directory of another group's, or with the sticky bit, is anybody's
 * of that group. */
static bool is_roots(const struct stat *st)
{
	mode_t others = st->st_gid == 0 ? S_IWOTH : S_IWGRP | S_IWOTH;

	return st->st_uid == 0 && !(st->st_mode & others);
}

static bool exe_is_gnu(const char *path, enum caller_tool tool)
{
	struct stat st;
	bool gnu;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !is_roots(&st))
		return false;
	pthread_mutex_lock(&exes_lock);
	for (unsigned i = 0; i < EXES_KNOWN; i++)
		if (exes[i].ino == st.st_ino && exes[i].dev == st.st_dev && exes[i].tool == tool &&
			exes[i].changed.tv_sec == st.st_ctim.tv_sec &&
			exes[i].changed.tv_nsec == st.st_ctim.tv_nsec) {
			gnu = exes[i].gnu;
			pthread_mutex_unlock(&exes_lock);
			return gnu;
		}
	pthread_mutex_unlock(&exes_lock);
	gnu = file_is_gnu(path, st.st_size, tool);
	pthread_mutex_lock(&exes_lock);
	exes[exes_next].dev = st.st_dev;
	exes[exes_next].ino = st.st_ino;
	exes[exes_next].changed = st.st_ctim;
	exes[exes_next].tool = tool;
	exes[exes_next].gnu = gnu;
	exes_next = (exes_next + 1) % EXES_KNOWN;
	pthread_mutex_unlock(&exes_lock);
	return gnu;
}

static enum caller_tool tool_named(const char *name)
{
	static const struct {
		const char *name;
		enum caller_tool tool;
	} tools[] = {{"cp", CALLER_CP}, {"mv", CALLER_MV}, {"rm", CALLER_RM}, {"install", CALLER_INSTALL}};

	for (unsigned i = 0; i < sizeof(tools) / sizeof(*tools); i++)
		if (strcmp(name, tools[i].name) == 0)
			return tools[i].tool;
	return CALLER_OTHER;
}

/* By its name: ls and its like, what removes, shells, which go on from an error without a word, and
 * interpreters, of whose program nothing is known and which lose all of a listing that ends in an error. */
static bool looks_only(const char *comm)
{
	static const char *const names[] = {"ls", "dir", "vdir", "tree", "rm", "rmdir", "sh", "bash", "dash",
		"zsh", "ksh", "mksh", "fish", "tcsh", "csh", "perl", "ruby", "node", NULL};

	for (const char *const *name = names; *name; name++)
		if (strcmp(comm, *name) == 0)
			return true;
	return strncmp(comm, "python", strlen("python")) == 0;
}

/* Where is the file of this path: below our root, or (another mount namespace) below the process's? */
static bool find_root(const char *proc, pid_t pid, const char *exe, char *prefix)
{
	char full[PATH_ROOM + PATH_MAX];
	struct stat is, st;

	snprintf(full, sizeof(full), "%s/%d/exe", proc, (int)pid);
	if (stat(full, &is) < 0)
		return false;
	prefix[0] = '\0';
	if (lstat(exe, &st) == 0 && st.st_dev == is.st_dev && st.st_ino == is.st_ino)
		return true;
	snprintf(prefix, PATH_ROOM, "%s/%d/root", proc, (int)pid);
	snprintf(full, sizeof(full), "%s%s", prefix, exe);
	return lstat(full, &st) == 0 && st.st_dev == is.st_dev && st.st_ino == is.st_ino;
}

/* The directories of the executable, up to the root; exe is cut up. */
static bool above_is_roots(const char *proc, pid_t pid, char *exe)
{
	char prefix[PATH_ROOM], full[PATH_ROOM + PATH_MAX];
	struct stat st;

	if (exe[0] != '/' || !find_root(proc, pid, exe, prefix))
		return false;
	for (char *slash = strrchr(exe, '/'); slash; slash = strrchr(exe, '/')) {
		*slash = '\0';
		snprintf(full, sizeof(full), "%s%s/", prefix, exe);
		if (stat(full, &st) < 0 || !is_roots(&st))
			return false;
	}
	return true;
}

/* By its own name and by its executable: a shell that exec'ed into cp has cp's exe, a script named cp has
 * not. */
static enum caller_tool tool_of(const char *proc, pid_t pid, bool *ret_looks)
{
	char path[PATH_ROOM], comm[32], exe[PATH_MAX], *base;
	enum caller_tool tool;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%d/comm", proc, (int)pid);
	len = caller_read_all(path, comm, sizeof(comm) - 1);
	if (len <= 0)
		return CALLER_OTHER;
	comm[len] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	*ret_looks = looks_only(comm);
	tool = tool_named(comm);
	if (tool == CALLER_OTHER)
		return CALLER_OTHER;
	snprintf(path, sizeof(path), "%s/%d/exe", proc, (int)pid);
	len = readlink(path, exe, sizeof(exe) - 1);
	if (len <= 0)
		return CALLER_OTHER;
	exe[len] = '\0';
	base = strrchr(exe, '/');
	if (!base || strcmp(base + 1, comm) != 0 || !above_is_roots(proc, pid, exe) ||
		!exe_is_gnu(path, tool))
		return CALLER_OTHER;
	return tool;
}

static void read_options(const char *proc, struct caller *caller)
{
	char path[PATH_ROOM], *text = malloc(CMDLINE_MAX);
	struct caller_words words = {0};
	ssize_t len;

	if (!text)
		return;
	snprintf(path, sizeof(path), "%s/%d/cmdline", proc, (int)caller->pid);
	len = caller_read_all(path, text, CMDLINE_MAX);
	if (len > 0 && len < CMDLINE_MAX)
		caller->plain = caller_options_plain(caller->tool, str_n(text, (size_t)len), &words);
	if (caller->plain) {
		caller->recursive = words.recursive;
		caller->forced = words.forced;
		if (caller->tool != CALLER_RM)
			caller->sources = caller_sources_device(proc, caller->pid, &words);
	}
	free(text);
}

void caller_read(const char *proc, pid_t pid, dev_t device, struct caller *ret)
{
	*ret = (struct caller){.pid = pid, .tool = CALLER_OTHER, .device = device};
	if (pid <= 0)
		return;
	ret->start = start_time(proc, pid);
	if (!ret->start)
		return;
	ret->tool = tool_of(proc, pid, &ret->looks);
	if (ret->tool != CALLER_OTHER)
		read_options(proc, ret);
	if (ret->plain && ret->tool != CALLER_RM)
		ret->clear = caller_mounts_clear(proc, pid, device);
	/* The process may have ended and its number been given to another while we read. */
	if (start_time(proc, pid) != ret->start)
		*ret = (struct caller){.pid = pid, .tool = CALLER_OTHER, .device = device};
}

bool caller_checks_close(const struct caller *caller)
{
	return caller->tool == CALLER_CP || caller->tool == CALLER_MV || caller->tool == CALLER_INSTALL;
}

const char *caller_tool_name(enum caller_tool tool)
{
	static const char *const names[] = {[CALLER_OTHER] = "another",
		[CALLER_CP] = "cp",
		[CALLER_MV] = "mv",
		[CALLER_RM] = "rm",
		[CALLER_INSTALL] = "install"};

	return names[tool];
}
