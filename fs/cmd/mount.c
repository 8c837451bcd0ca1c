/*
 * ferryfs mount: puts the parts of a mount together, in the order in which each can still say on the terminal
 * what is wrong with it, and takes them apart again in reverse.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/cmd/command.h"
#include "fs/cmd/words.h"
#include "fs/daemon.h"
#include "fs/hub.h"
#include "fs/mount_options.h"
#include "fs/mountinfo.h"
#include "fs/preflight.h"
#include "fs/runtime.h"
#include "fs/session.h"

static const char usage[] =
	"Usage: ferryfs mount [-f] [-o OPTION[=VALUE][,...]] s3://[BUCKET[/PREFIX]] DIR\n"
	"\n"
	"Shows a bucket, a part of one, or all buckets at a directory.  Returns when the mount answers.\n"
	"\n"
	"  -f                         stay in the foreground, log to standard error\n"
	"  -o OPTION[=VALUE][,...]    options; any of them may also be written --option VALUE\n"
	"\n"
	"The mount:\n"
	"  ro, rw                     read only; read and write (default)\n"
	"  allow_other                for all users, not only the one who mounts\n"
	"  uid=U, gid=G, umask=M      owner and closed permissions of everything (default: yours, 022)\n"
	"  cache_ttl=SECONDS          how long what S3 said is believed (default 5)\n"
	"  copy_ack=early|close       close: every close waits for its copy\n"
	"  attrs=none|meta            meta: keep mode, owner and mtime as metadata\n"
	"  tags=auto|no|required      tags of objects that are copied in parts\n"
	"  storage_class=CLASS        of new objects\n"
	"  staging=DIR                where content waits for its upload (default: $TMPDIR or /var/tmp)\n"
	"  part_size=SIZE             of uploads and copies in parts\n"
	"  part_threshold=SIZE        from which size on they are made in parts\n"
	"  log=FILE|syslog            where the log goes (default: syslog, with -f standard error)\n"
	"  noatime, noexec, dumpable, and what fstab(5) has for others (_netdev, nofail, x-...)\n";

struct mount {
	struct mount_options options;
	struct daemon daemon;
	char *mountpoint;
	struct engine *engine;
	struct hub *hub;
	struct session *session;
	struct mountinfo info;
	int log_fd, runtime_fd;
	char why[ACCOUNT_WHY_MAX];
};

static int open_log(struct mount *mount)
{
	const char *log = mount->options.log;

	if (!log && mount->options.foreground) {
		mount->log_fd = STDERR_FILENO;
	} else if (log && strcmp(log, "syslog") != 0) {
		mount->log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
		if (mount->log_fd < 0) {
			int error = -errno;

			snprintf(mount->why, sizeof(mount->why), "log %.300s: %s", log, strerror(-error));
			return error;
		}
	}
	mount->options.connect.log_fd = mount->log_fd;
	return 0;
}

/* A path that the daemon will use must not lead into its own mount: it would wait for itself. */
static int check_paths(struct mount *mount)
{
	const char *paths[] = {
		mount->hub->staging_dir, mount->options.log, mount->options.connect.engine.ca_bundle};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *path = paths[i] ? realpath(paths[i], NULL) : NULL;
		bool below = path && preflight_is_below(path, mount->mountpoint);

		free(path);
		if (below) {
			snprintf(mount->why, sizeof(mount->why), "%.200s is below the mount point %.200s",
				paths[i], mount->mountpoint);
			return -ELOOP;
		}
	}
	return 0;
}

static int start(struct mount *mount)
{
	struct view *view = mount->options.view;
	const struct session_options session_options = {
		.mountpoint = mount->mountpoint,
		.source = view->source,
		.ro = view->ro,
		.allow_other = view->allow_other,
		.noatime = view->noatime,
		.noexec = mount->options.noexec,
	};
	int error;

	session_block_signals();
	daemon_harden(mount->options.dumpable);
	error = connect_open(&mount->options.connect, &mount->engine, &view->account, mount->why);
	if (error == 0)
		error = preflight_service(mount->engine, view, mount->why);
	if (error == 0)
		error = hub_new(mount->engine, view, &mount->hub, mount->why);
	if (error == 0)
		error = check_paths(mount);
	if (error == 0)
		error = session_open(mount->hub, &session_options, &mount->session, mount->why);
	if (error < 0)
		return error;
	/* Without it `ferryfs umount` does not wait for us; nothing else is lost. */
	if (mountinfo_find(mount->mountpoint, &mount->info) == 0 &&
		runtime_claim(mount->info.dev, &mount->runtime_fd) < 0)
		log_text(LOG_LEVEL_DEBUG,
			"no runtime directory: ferryfs umount will not wait for this daemon");
	return 0;
}

static void stop(struct mount *mount)
{
	if (mount->session)
		session_settle(mount->session);
	engine_free(mount->engine);
	if (mount->session)
		session_end(mount->session);
	hub_free(mount->hub);
	session_close(mount->session);
	runtime_release(mount->info.dev, mount->runtime_fd);
}

static void on_ready(void *user)
{
	struct mount *mount = user;

	daemon_ready(&mount->daemon);
	log_text(LOG_LEVEL_INFO, "mounted %s", mount->options.view->source);
	unsigned limit = preflight_request_timeout();

	if (limit)
		log_text(LOG_LEVEL_WARNING,
			"fs.fuse.max_request_timeout is %u s: a rename that takes longer ends this mount",
			limit);
}

/* In the background by now, unless -f. */
static int serve(struct mount *mount)
{
	int error = start(mount);

	if (error == 0)
		error = session_run(mount->session, on_ready, mount);
	else if (!daemon_failed(&mount->daemon, EXIT_SOME, mount->why))
		words_failed("mount", "%s", mount->why);
	stop(mount);
	return error < 0 ? EXIT_SOME : EXIT_OK;
}

static int run(struct mount *mount)
{
	int status = EXIT_SOME;
	int error = preflight_mountpoint(mount->options.mountpoint, &mount->mountpoint, mount->why);

	if (error == 0)
		error = open_log(mount);
	if (error < 0)
		return words_failed("mount", "%s", mount->why);
	if (mount->options.fake)
		return EXIT_OK;
	if (!mount->options.foreground) {
		error = daemon_fork(&mount->daemon, &status, mount->why);
		if (error < 0)
			return words_failed("mount", "cannot start a daemon: %s", strerror(-error));
		if (error > 0) {
			if (status != EXIT_OK)
				words_failed("mount", "%s", mount->why);
			return status;
		}
	}
	return serve(mount);
}

int cmd_mount(int argc, char **argv)
{
	struct mount *mount = calloc(1, sizeof(*mount));
	int status = EXIT_SOME;

	if (!mount || mount_options_init(&mount->options) < 0) {
		free(mount);
		return words_failed("mount", "out of memory");
	}
	mount->daemon.fd = mount->log_fd = mount->runtime_fd = -1;
	mount->options.helper = argc > 0 && strstr(argv[0], "mount.ferryfs");
	int error = mount_options_parse(&mount->options, argc - 1, argv + 1, mount->why);

	if (error == -ENOMEM)
		status = words_failed("mount", "%s", mount->why);
	else if (error < 0)
		status = words_wrong("mount", "%s", mount->why);
	else if (mount->options.help)
		status = words_help((const char *const[]){usage, words_connect_help, NULL});
	else
		status = run(mount);
	mount_options_release(&mount->options);
	if (mount->log_fd > STDERR_FILENO)
		close(mount->log_fd);
	free(mount->mountpoint);
	free(mount);
	return status;
}
