#include "fs/host/exit_status.h"
#include "fs/ops/ops.h"
#include "fs/serve/serve_hub.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/journal/journal_dir.h"
#include "engine/base/log.h"
#include "fs/serve/hub_new.h"
#include "fs/serve/server.h"
#include "fs/serve/socket.h"
#include "fs/serve/hub_journal.h"
#include "fs/host/mountinfo.h"
#include "fs/host/opendir_at.h"
#include "fs/host/runtime_dir.h"
#include "fs/serve/session.h"

struct serving {
	const struct hub_serve_options *options;
	struct daemon *daemon;
	int directory; /* the runtime directory */
	char *home; /* where the hub is mounted */
	const char *paths[6];
	struct engine *engine;
	struct hub *hub;
	struct session *session;
	struct views *views;
	struct control_server *server;
	dev_t dev;
	int listen_fd, runtime_fd;
	struct control_socket socket;
	char why[ACCOUNT_WHY_MAX];
};

static int complain(struct serving *serving, const char *what, int error)
{
	if (!serving->why[0])
		snprintf(serving->why, sizeof(serving->why), "%.300s: %s", what, strerror(-error));
	return error;
}

/* ---- the remains of a hub that was killed ---- */

static void clear_home(const char *base, const char *name)
{
	struct mountinfo info;
	char path[PATH_MAX + NAME_MAX + 2];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	/* A locked mount is still served: its hub is leaving, or is another namespace's. */
	while (mountinfo_find(path, &info) == 0 && info.ferryfs && !runtime_claimed(info.dev))
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			break;
	rmdir(path);
}

static void serve_hub_clear_dead(int directory, const char *base)
{
	DIR *entries = opendir_at(directory);
	const struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)))
		if (strncmp(entry->d_name, "hub.", 4) == 0)
			clear_home(base, entry->d_name);
	closedir(entries);
}

/* ---- starting ---- */

static int make_home(struct serving *serving)
{
	char base[PATH_MAX];

	serving->directory = runtime_dir_open(true, base);
	if (serving->directory < 0)
		return complain(serving, "the runtime directory", serving->directory);
	serve_hub_clear_dead(serving->directory, base);
	if (asprintf(&serving->home, "%s/hub.XXXXXX", base) < 0)
		serving->home = NULL;
	if (!serving->home)
		return complain(serving, "cannot start", -ENOMEM);
	if (!mkdtemp(serving->home)) {
		int error = -errno;

		free(serving->home);
		serving->home = NULL;
		return complain(serving, base, error);
	}
	return 0;
}

static int mount_hub(struct serving *serving)
{
	const struct session_options options = {
		.mountpoint = serving->home,
		.source = "ferryfs",
		.allow_other = true,
		.fuse_cpu = serving->options->fuse_cpu,
	};
	struct mountinfo info;
	int error = session_open(serving->hub, &options, &serving->session, serving->why);

	if (error == 0)
		error = mountinfo_find(serving->home, &info);
	if (error == 0) {
		serving->dev = serving->hub->dev = info.dev;
		error = runtime_claim(info.dev, NULL, &serving->runtime_fd);
	}
	return error < 0 ? complain(serving, "cannot mount the hub", error) : 0;
}

static int listen_there(struct serving *serving)
{
	uint64_t namespace = serving->options->namespace;
	struct sockaddr_un address;
	char name[64];

	runtime_hub_name(namespace, "sock", name);
	runtime_hub_address(serving->directory, namespace, &address);
	/* The process that holds the lock has found no hub there. */
	int fd = control_socket_listen(serving->directory, name, &address, &serving->socket);

	if (fd < 0)
		return complain(serving, "the control socket", fd);
	serving->listen_fd = fd;
	return 0;
}

/* Unless a command is just starting another hub, which then replaces the socket. */
static void serve_hub_on_leave(void *user)
{
	const struct serving *serving = user;
	uint64_t namespace = serving->options->namespace;
	int lock;

	if (runtime_hub_lock(serving->directory, namespace, 0, &lock) < 0)
		return;
	control_socket_remove(&serving->socket);
	close(lock);
}

static void serve_hub_on_kept(void *user)
{
	const struct serving *serving = user;

	log_text(LOG_LEVEL_INFO, "nothing is mounted here any more, but something still holds this hub");
	runtime_kept(serving->runtime_fd);
}

static int start_control(struct serving *serving)
{
	const struct hub_serve_options *options = serving->options;
	const struct views_options views_options = {
		.hub = serving->hub, .home = serving->home, .dev = serving->dev, .paths = serving->paths};
	const char **path = serving->paths;
	int error;

	if (serving->hub->staging_dir)
		*path++ = serving->hub->staging_dir;
	if (serving->hub->journal)
		*path++ = journal_dir_path(serving->hub->journal);
	if (options->log_path)
		*path++ = options->log_path;
	*path = NULL;
	error = listen_there(serving);
	if (error == 0)
		error = views_new(&views_options, &serving->views);
	if (error < 0)
		return complain(serving, "cannot start", error);
	const struct control_server_options server_options = {
		.hub = serving->hub,
		.views = serving->views,
		.listen_fd = serving->listen_fd,
		.namespace = options->namespace,
		.no_verify_tls = options->engine.no_verify_tls,
		.log = options->log,
		.on_leave = serve_hub_on_leave,
		.on_kept = serve_hub_on_kept,
		.user = serving,
	};

	serving->listen_fd = -1;
	error = control_server_new(&server_options, &serving->server);
	return error < 0 ? complain(serving, "cannot start", error) : 0;
}

static int serve_hub_start(struct serving *serving)
{
	struct engine_options engine = serving->options->engine;
	int error;

	daemon_harden(serving->daemon, serving->options->dumpable);
	session_block_signals();
	staging_room_keep(&serving->options->staging_reserve);
	engine.ca_bundle = NULL;
	error = engine_new(&engine, &serving->engine);
	if (error < 0)
		return complain(serving, "the engine cannot start", error);
	error = hub_new(serving->engine, NULL, serving->options->staging, &serving->hub, serving->why);
	if (error == 0)
		error = hub_journal_open(serving->hub, serving->options->journal, serving->why);
	if (error == 0)
		error = make_home(serving);
	if (error == 0)
		error = mount_hub(serving);
	return error < 0 ? complain(serving, "cannot start", error) : start_control(serving);
}

/* ---- the end ---- */

static void serve_hub_stop(struct serving *serving)
{
	bool unmounted = serving->session && session_unmounted(serving->session);

	control_server_free(serving->server);
	/* By now the device's number may be another mount's. */
	if (serving->views && !unmounted)
		views_detach(serving->views);
	else if (serving->session && !unmounted)
		umount2(serving->home, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (serving->session)
		session_settle(serving->session);
	engine_free(serving->engine);
	if (serving->session)
		session_end(serving->session);
	hub_free(serving->hub);
	views_free(serving->views);
	session_close(serving->session);
	runtime_release(serving->dev, serving->runtime_fd);
	if (serving->home)
		rmdir(serving->home);
	free(serving->home);
	if (serving->listen_fd >= 0)
		close(serving->listen_fd);
	if (serving->directory >= 0)
		close(serving->directory);
}

static void serve_hub_on_ready(void *user)
{
	struct serving *serving = user;

	daemon_ready(serving->daemon);
	session_log_request_timeout();
}

int hub_serve(const struct hub_serve_options *options, struct daemon *daemon)
{
	struct serving serving = {
		.options = options, .daemon = daemon, .directory = -1, .listen_fd = -1, .runtime_fd = -1};
	int error = serve_hub_start(&serving);

	if (error == 0)
		error = session_run(serving.session, serve_hub_on_ready, &serving);
	else if (!daemon_failed(daemon, EXIT_SOME, serving.why))
		log_text(LOG_LEVEL_ERROR, "%s", serving.why);
	serve_hub_stop(&serving);
	int status = 0;

	/* In the foreground: did the command that wanted the hub succeed? */
	if (daemon->front && waitpid(daemon->other, &status, 0) == daemon->other &&
		!(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_OK))
		return EXIT_SOME;
	return error < 0 ? EXIT_SOME : EXIT_OK;
}
