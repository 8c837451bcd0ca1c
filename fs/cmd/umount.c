/*
 * ferryfs umount: waits for what is under way below, unmounts, and, where that was the last of its daemon,
 * waits until the daemon has ended.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "fs/cmd/command.h"
#include "fs/cmd/cli.h"
#include "fs/control/client.h"
#include "fs/control/control.h"
#include "fs/host/dead_mount.h"
#include "fs/host/fusermount.h"
#include "fs/host/mountinfo.h"
#include "fs/host/runtime_dir.h"

enum {
	DAEMON_END_MS = 60000,
	DAEMON_STEP_MS = 250,
	SETTLE_MS = CONTROL_SETTLE_MS + CONTROL_CLIENT_MS,
	/* A helper of the daemon that looks at a caller's working directory holds it for 3 s at most. */
	BUSY_MS = 4000,
	BUSY_STEP_MS = 50,
};

static const char usage[] = "Usage: ferryfs umount DIR\n"
			    "\n"
			    "Waits for what is under way, unmounts DIR and, if it was the last, waits until "
			    "the daemon has ended.\n"
			    "A mount in use stays, with exit status 1.\n";

static int unmount_once(const char *path)
{
	if (geteuid() != 0)
		return fusermount_unmount(path, false);
	return umount2(path, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}

static int unmount(const char *path, const char *directory)
{
	int error = unmount_once(path);

	/* The helper's look at a process that just ended is no use by anybody: it passes. */
	for (int waited = 0; error == -EBUSY && waited < BUSY_MS; waited += BUSY_STEP_MS) {
		nanosleep(&(struct timespec){.tv_nsec = BUSY_STEP_MS * 1000000L}, NULL);
		error = unmount_once(path);
	}
	if (error == -EBUSY)
		words_failed("umount", "%s: in use; see fuser -m or lsof for by whom", directory);
	else if (error == -ENOENT && geteuid() != 0)
		words_failed("umount", "fusermount3 is missing, and only root can unmount without it");
	else if (error == -EREMOTEIO)
		words_failed("umount", "%s: not unmounted", directory);
	else if (error < 0)
		words_failed("umount", "%s: %s", directory, strerror(-error));
	return error;
}

static bool is_view(const struct mountinfo *info)
{
	return strncmp(info->source, "s3://", 5) != 0;
}

/* Asks the daemon; one that is gone, or does not know the mount, has nothing under way. */
static int umount_settle(const char *path, const char *directory, const struct mountinfo *info)
{
	const struct control_request request = {.op = CONTROL_SETTLE, .point = (char *)path};
	int fd = -1, error = 0, runtime = runtime_dir_open(false, NULL);
	char why[ACCOUNT_WHY_MAX] = "";
	json_t *reply = NULL;

	if (runtime < 0)
		return 0;
	if ((is_view(info) ? control_connect(runtime, runtime_namespace(), &fd)
			   : control_connect_mount(runtime, info->dev, &fd)) == 0) {
		error = control_ask(fd, &request, SETTLE_MS, &reply, why);
		json_decref(reply);
		close(fd);
	}
	close(runtime);
	if (error != -EREMOTEIO)
		return 0;
	words_failed("umount", "%s: %s", directory, why);
	return error;
}

struct remaining {
	dev_t dev;
	unsigned count;
};

static bool count_mount(const struct mountinfo_line *line, void *user)
{
	struct remaining *remaining = user;

	remaining->count += line->dev == remaining->dev && line->ferryfs;
	return false;
}

/* Is this mount the last of its daemon here?  A hub has one of its own beside the views. */
static bool is_last(const struct mountinfo *info)
{
	struct remaining remaining = {.dev = info->dev};

	mountinfo_each(count_mount, &remaining);
	return remaining.count <= (is_view(info) ? 2 : 1);
}

/* Is any mount of its daemon here, beside the hub's own? */
static bool is_shown(const struct mountinfo *info)
{
	struct remaining remaining = {.dev = info->dev};

	mountinfo_each(count_mount, &remaining);
	return remaining.count > (is_view(info) ? 1 : 0);
}

/* Until the daemon has ended, or says it won't yet, or a mount that came meanwhile shows that it won't.
 * Closes fd. */
static int wait_for_daemon(int fd, const struct mountinfo *info)
{
	int result = fd < 0 ? 0 : -ETIMEDOUT;

	for (unsigned waited = 0; result == -ETIMEDOUT && waited < DAEMON_END_MS; waited += DAEMON_STEP_MS) {
		result = runtime_wait(dup(fd), DAEMON_STEP_MS);
		if (result < 0 && is_shown(info))
			result = 0;
	}
	if (fd >= 0)
		close(fd);
	return result;
}

/* No operation of it is under way, and a program that still has a file open there can do no more with it. */
static int run_dead(const char *path)
{
	char why[ACCOUNT_WHY_MAX] = "";

	return dead_mount_clear(path, why) < 0 ? words_failed("umount", "%s", why) : EXIT_OK;
}

static int umount_run(const char *directory)
{
	struct mountinfo info;
	bool own = false;
	int fd = -1, status = EXIT_SOME;
	char *path = realpath(directory, NULL);

	if (!path)
		return words_failed("umount", "%s: %s", directory, strerror(errno));
	if (mountinfo_find(path, &info) < 0) {
		words_failed("umount", "%s: nothing is mounted there", directory);
	} else if (!info.ferryfs) {
		words_failed("umount", "%s: not a ferryfs mount", directory);
	} else if (dead_mount_is(path, &own) && own) {
		status = run_dead(path);
	} else {
		if (is_last(&info))
			runtime_open(info.dev, &fd);
		if (umount_settle(path, directory, &info) == 0 && unmount(path, directory) == 0) {
			status = EXIT_OK;
			if (wait_for_daemon(fd, &info) < 0)
				status = words_failed("umount",
					"%s: unmounted, but its daemon has not ended yet", directory);
			fd = -1;
		}
		if (fd >= 0)
			close(fd);
	}
	free(path);
	return status;
}

int cmd_umount(int argc, char **argv)
{
	control_init();
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return words_help((const char *const[]){usage, NULL});
	if (argc > 1 && strcmp(argv[1], "--") == 0) {
		argc--;
		argv++;
	}
	if (argc != 2)
		return words_wrong("umount", argc < 2 ? "which directory?" : "one directory is wanted");
	if (argv[1][0] == '-' && argv[1][1] && strcmp(argv[0], "--") != 0)
		return words_wrong("umount", "unknown option '%s'", argv[1]);
	return umount_run(argv[1]);
}
