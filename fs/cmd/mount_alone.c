/*
 * A mount with a daemon of its own: puts the parts together, in the order in which each can still say on the
 * terminal what is wrong with it, and takes them apart again in reverse.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/cmd/command.h"
#include "fs/cmd/mount_internal.h"
#include "fs/cmd/cli.h"
#include "engine/journal/journal_dir.h"
#include "fs/cmd/mount_service.h"
#include "fs/host/dead_mount.h"
#include "fs/control/control.h"
#include "fs/serve/hub_new.h"
#include "fs/serve/serve_alone.h"
#include "fs/core/hub.h"
#include "fs/serve/hub_journal.h"
#include "fs/host/mountinfo.h"
#include "fs/cmd/mount_overlap.h"
#include "fs/host/runtime_dir.h"
#include "fs/serve/session.h"

struct alone {
	struct mount *mount;
	struct engine *engine;
	struct hub *hub;
	struct session *session;
	struct control_mount *control;
	char *log_path; /* canonical; NULL: it is no file */
	struct mountinfo info;
	int runtime_fd;
};

static int mount_alone_check_paths(struct alone *alone)
{
	struct mount *mount = alone->mount;
	int error = mount_check_path(mount, alone->hub->staging_dir);

	if (error == 0 && alone->hub->journal)
		error = mount_check_path(mount, journal_dir_path(alone->hub->journal));
	if (error == 0)
		error = mount_check_path(mount, mount->options.log);
	if (error == 0)
		error = mount_check_path(mount, mount->options.connect.engine.ca_bundle);
	return error;
}

static const char *log_place(struct alone *alone)
{
	const struct mount *mount = alone->mount;
	const char *log = mount->options.log;

	alone->log_path = log && strcmp(log, "syslog") != 0 ? realpath(log, NULL) : NULL;
	return alone->log_path			? alone->log_path
	       : mount->log_fd == STDERR_FILENO ? "standard error"
						: "syslog";
}

/* Without it `ferryfs umount` does not wait for us, `status` cannot ask, and nobody knows of overlaps;
 * nothing else is lost. */
static void mount_alone_claim(struct alone *alone)
{
	const struct mount *mount = alone->mount;
	struct buf endpoint;
	int error;

	buf_init(&endpoint, 1000);
	endpoint_url(account_endpoint(mount->options.view->account), &endpoint);
	error = mountinfo_find(mount->mountpoint, &alone->info);
	if (error == 0)
		alone->hub->dev = alone->info.dev;
	if (error == 0)
		error = runtime_claim(alone->info.dev, buf_text(&endpoint), &alone->runtime_fd);
	if (error == 0)
		error = control_mount_new(
			alone->hub, mount->mountpoint, alone->info.dev, log_place(alone), &alone->control);
	if (error < 0)
		log_text(LOG_LEVEL_DEBUG,
			"no runtime directory (%s): ferryfs umount will not wait for this daemon, nor "
			"ferryfs "
			"status know of it",
			strerror(-error));
	buf_release(&endpoint);
}

/* While nothing is mounted a signal may simply end the process; no thread takes it yet. */
static int look_at_service(struct alone *alone)
{
	struct mount *mount = alone->mount;
	int error;

	session_let_signals_end(true);
	error = mount_service_check(alone->engine, mount->options.view, mount->why);
	session_let_signals_end(false);
	return error;
}

static int mount_alone_start(struct alone *alone)
{
	struct mount *mount = alone->mount;
	struct view *view = mount->options.view;
	const struct session_options session_options = {
		.mountpoint = mount->mountpoint,
		.source = view->source,
		.ro = view->ro,
		.allow_other = view->allow_other,
		.noatime = view->noatime,
		.noexec = mount->options.noexec,
		.fuse_cpu = mount->options.fuse_cpu,
	};
	int error;

	daemon_harden(&mount->daemon, mount->options.connect.dumpable);
	session_block_signals();
	staging_room_keep(&mount->options.staging_reserve);
	error = connect_open(&mount->options.connect, &alone->engine, &view->account, mount->why);
	if (error == 0)
		error = look_at_service(alone);
	if (error == 0)
		error = overlap_alone(view->account, &view->url, mount->why);
	if (error == 0)
		error = overlap_views(view->account, &view->url, mount->why);
	if (error == 0)
		error = mount_twins(mount, alone->engine, false, mount->why);
	if (error == 0)
		error = hub_new(alone->engine, view, view->staging_dir, &alone->hub, mount->why);
	if (error == 0)
		error = hub_journal_open(alone->hub, view->journal_dir, mount->why);
	if (error == 0)
		error = mount_alone_check_paths(alone);
	if (error == 0)
		error = dead_mount_clear(mount->mountpoint, mount->why);
	if (error == 0)
		error = session_open(alone->hub, &session_options, &alone->session, mount->why);
	if (error < 0)
		return error;
	mount_alone_claim(alone);
	if (!view->ro)
		hub_journal_recover(alone->hub, view->account);
	return 0;
}

static void mount_alone_stop(struct alone *alone)
{
	control_mount_free(alone->control);
	if (alone->session)
		session_settle(alone->session);
	engine_free(alone->engine);
	if (alone->session)
		session_end(alone->session);
	hub_free(alone->hub);
	session_close(alone->session);
	free(alone->log_path);
	runtime_release(alone->info.dev, alone->runtime_fd);
}

/* user: our own device; NULL: nothing of ours is mounted yet. */
static bool is_another(const struct mountinfo_line *line, void *user)
{
	const dev_t *own = user;

	return line->ferryfs && (!own || line->dev != *own) && runtime_claimed(line->dev);
}

static void mount_alone_on_ready(void *user)
{
	struct alone *alone = user;
	struct mount *mount = alone->mount;

	daemon_ready(&mount->daemon);
	log_text(LOG_LEVEL_INFO, "mounted %s", mount->options.view->source);
	if (mountinfo_each(is_another, &alone->info.dev))
		log_text(LOG_LEVEL_WARNING,
			"there is another mount with a daemon of its own: copies from one to the other pass "
			"through this machine; inside one mount of s3://, which shows all buckets, the "
			"service makes them");
	session_log_request_timeout();
}

/* In the background by now, unless -f. */
static int mount_alone_serve(struct mount *mount)
{
	struct alone alone = {.mount = mount, .runtime_fd = -1};
	int error = mount_alone_start(&alone);

	if (error == 0)
		error = session_run(alone.session, mount_alone_on_ready, &alone);
	else if (!daemon_failed(&mount->daemon, EXIT_SOME, mount->why))
		words_failed("mount", "%s", mount->why);
	mount_alone_stop(&alone);
	return error < 0 ? EXIT_SOME : EXIT_OK;
}

/* Two superblocks: the kernel asks no daemon to copy from one to the other. */
static void mount_alone_tell_of_others(void)
{
	if (mountinfo_each(is_another, NULL))
		words_failed("mount", "there is another mount of yours; copies between the two pass through "
				      "this machine, while "
				      "those inside one mount of s3:// do not");
}

int mount_alone(struct mount *mount)
{
	int status = EXIT_SOME, error = 0;

	control_init();
	mount_alone_tell_of_others();
	mount->daemon.front = mount->options.foreground;
	if (!mount->options.foreground)
		error = daemon_fork(&mount->daemon, &status, mount->why);
	if (error < 0)
		return words_failed("mount", "cannot start a daemon: %s", strerror(-error));
	if (error == 0)
		return mount_alone_serve(mount);
	if (status != EXIT_OK)
		words_failed("mount", "%s", mount->why);
	return status;
}
