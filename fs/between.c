#include "fs/between.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/log.h"
#include "fs/hub.h"
#include "fs/mountinfo.h"

enum {
	LOOK_MS = 10, /* between two looks: each costs some 50 microseconds of a worker's time */
	FILES_MAX = 256, /* of a process; what copies has few */
};

struct opened {
	unsigned mounts[FILES_MAX]; /* of the open files */
	unsigned count;
	dev_t dev; /* a file system of ours that one of them is on; 0: none yet */
	bool two;
};

/* The line "mnt_id: N" of a file below /proc/PID/fdinfo (proc_pid_fdinfo(5)). */
static void read_mount(int directory, const char *name, struct opened *opened)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	char line[128];

	if (!file) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "mnt_id: %u", &opened->mounts[opened->count]) == 1) {
			opened->count++;
			break;
		}
	fclose(file);
}

static void read_mounts(pid_t pid, struct opened *opened)
{
	char path[64];
	const struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%ld/fdinfo", (long)pid);
	DIR *entries = opendir(path);

	if (!entries)
		return;
	while (opened->count < FILES_MAX && (entry = readdir(entries)))
		if (entry->d_name[0] != '.')
			read_mount(dirfd(entries), entry->d_name, opened);
	closedir(entries);
}

static bool compare(const struct mountinfo_line *line, void *user)
{
	struct opened *opened = user;

	for (unsigned i = 0; line->ferryfs && i < opened->count; i++) {
		if (opened->mounts[i] != line->id)
			continue;
		opened->two |= opened->dev && opened->dev != line->dev;
		opened->dev = line->dev;
	}
	return opened->two;
}

bool between_is(pid_t pid)
{
	struct opened opened = {.count = 0};

	read_mounts(pid, &opened);
	mountinfo_each(compare, &opened);
	return opened.two;
}

struct look {
	struct task task;
	struct hub *hub;
	pid_t pid;
};

static void run(struct task *task, struct worker *worker)
{
	struct look *look = (struct look *)task;

	if (between_is(look->pid) && !atomic_exchange(&look->hub->between.said, true))
		log_text(LOG_LEVEL_WARNING,
			"copies from another mount with a daemon of its own pass through this machine; "
			"inside one "
			"mount of s3://, which shows all buckets, the service makes them");
	free(look);
}

void between_look(struct hub *hub, pid_t pid)
{
	struct between *between = &hub->between;
	uint64_t now = hub_now_ms(), last = atomic_load(&between->looked_ms);

	if (pid <= 0 || atomic_load(&between->said) || (last && now - last < LOOK_MS) ||
		!atomic_compare_exchange_strong(&between->looked_ms, &last, now))
		return;
	struct look *look = malloc(sizeof(*look));

	if (!look)
		return;
	*look = (struct look){.task = {.run = run}, .hub = hub, .pid = pid};
	worker_post(engine_pick(hub->engine), &look->task);
}
