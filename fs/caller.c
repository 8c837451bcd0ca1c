#include "fs/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for the words of one command line; a longer one (cp *.txt of thousands) is not judged, so it waits. */
enum { CMDLINE_MAX = 128 * 1024, PATH_ROOM = 512, EXE_MAX = 4 << 20, EXES_KNOWN = 8 };

/* Programs looked into so far: an executable is GNU's when its text says so.  busybox, toybox and the like
 * carry the same names and other rules. */
static struct {
	dev_t dev;
	ino_t ino;
	struct timespec changed;
	bool gnu;
} exes[EXES_KNOWN];
static unsigned exes_next;
static pthread_mutex_t exes_lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t read_all(const char *path, char *data, size_t size)
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
	len = read_all(path, text, sizeof(text) - 1);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	at = strrchr(text, ')');
	for (unsigned field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

static bool text_says_gnu(const char *path, off_t size)
{
	static const char mark[] = "GNU coreutils";
	bool found = false;
	char *text;
	ssize_t len;

	if (size <= 0 || size > EXE_MAX || !(text = malloc((size_t)size)))
		return false;
	len = read_all(path, text, (size_t)size);
	if (len > 0)
		found = memmem(text, (size_t)len, mark, sizeof(mark) - 1) != NULL;
	free(text);
	return found;
}

static bool exe_is_gnu(const char *path)
{
	struct stat st;
	bool gnu;

	if (stat(path, &st) < 0)
		return false;
	pthread_mutex_lock(&exes_lock);
	for (unsigned i = 0; i < EXES_KNOWN; i++)
		if (exes[i].ino == st.st_ino && exes[i].dev == st.st_dev &&
			exes[i].changed.tv_sec == st.st_ctim.tv_sec &&
			exes[i].changed.tv_nsec == st.st_ctim.tv_nsec) {
			gnu = exes[i].gnu;
			pthread_mutex_unlock(&exes_lock);
			return gnu;
		}
	pthread_mutex_unlock(&exes_lock);
	gnu = text_says_gnu(path, st.st_size);
	pthread_mutex_lock(&exes_lock);
	exes[exes_next].dev = st.st_dev;
	exes[exes_next].ino = st.st_ino;
	exes[exes_next].changed = st.st_ctim;
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

/* By what it calls itself and by what it is: a shell that exec'ed into cp has cp's exe, a script named cp has
 * not. */
static enum caller_tool tool_of(const char *proc, pid_t pid)
{
	char path[PATH_ROOM], comm[32], exe[PATH_MAX], *base;
	enum caller_tool tool;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%d/comm", proc, (int)pid);
	len = read_all(path, comm, sizeof(comm) - 1);
	if (len <= 0)
		return CALLER_OTHER;
	comm[len] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	tool = tool_named(comm);
	if (tool == CALLER_OTHER)
		return CALLER_OTHER;
	snprintf(path, sizeof(path), "%s/%d/exe", proc, (int)pid);
	len = readlink(path, exe, sizeof(exe) - 1);
	if (len <= 0)
		return CALLER_OTHER;
	exe[len] = '\0';
	base = strrchr(exe, '/');
	if (!base || strcmp(base + 1, comm) != 0 || !exe_is_gnu(path))
		return CALLER_OTHER;
	return tool;
}

static bool options_of_pid(const char *proc, pid_t pid, enum caller_tool tool, bool *ret_recursive)
{
	char path[PATH_ROOM], *words = malloc(CMDLINE_MAX);
	bool plain = false;
	ssize_t len;

	if (!words)
		return false;
	snprintf(path, sizeof(path), "%s/%d/cmdline", proc, (int)pid);
	len = read_all(path, words, CMDLINE_MAX);
	if (len > 0 && len < CMDLINE_MAX)
		plain = caller_options_plain(tool, str_n(words, (size_t)len), ret_recursive);
	free(words);
	return plain;
}

void caller_read(const char *proc, pid_t pid, struct caller *ret)
{
	*ret = (struct caller){.pid = pid, .tool = CALLER_OTHER};
	if (pid <= 0)
		return;
	ret->start = start_time(proc, pid);
	if (!ret->start)
		return;
	ret->tool = tool_of(proc, pid);
	if (ret->tool != CALLER_OTHER)
		ret->plain = options_of_pid(proc, pid, ret->tool, &ret->recursive);
	/* The process may have ended and its number been given to another while we read. */
	if (start_time(proc, pid) != ret->start)
		*ret = (struct caller){.pid = pid, .tool = CALLER_OTHER};
}

bool caller_checks_close(const struct caller *caller)
{
	return caller->tool == CALLER_CP || caller->tool == CALLER_MV || caller->tool == CALLER_INSTALL;
}
