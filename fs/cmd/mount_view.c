/*
 * A mount as a view of this namespace's hub: looks at the service with the caller's own eyes, asks the hub
 * for a directory, starting one where none runs, and binds that directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/cmd/mount_service.h"
#include "fs/host/bind_mount.h"
#include "fs/cmd/command.h"
#include "fs/cmd/mount_internal.h"
#include "fs/cmd/cli.h"
#include "fs/control/client.h"
#include "fs/host/dead_mount.h"
#include "fs/host/json_text.h"
#include "fs/serve/serve_hub.h"
#include "fs/host/mountinfo.h"
#include "fs/host/opendir_at.h"
#include "fs/cmd/mount_overlap.h"
#include "fs/host/fuse_cpu.h"
#include "fs/host/runtime_dir.h"

enum {
	ATTEMPTS = 20, /* each finds a hub that is just leaving */
	LOCK_MS = 60000, /* while somebody else starts a hub */
	REPLY_MS = 30000,
};

/* The results of a step beside 0 and -errno. */
enum { IS_HUB = 1 };

struct showing {
	struct mount *mount;
	struct control_request request;
	uint64_t namespace;
	int directory; /* the runtime directory */
	bool started; /* by us */
	int status; /* once this process has been the hub */
};

bool mount_view_possible(const struct mount *mount)
{
	struct str rest = s3_url_key(&mount->options.view->url);

	while (rest.len > 0) {
		const char *slash = memchr(rest.data, '/', rest.len);
		size_t len = slash ? (size_t)(slash - rest.data) : rest.len;

		if (!key_name_ok(str_n(rest.data, len)))
			return false;
		rest = str_skip(rest, len + (slash != NULL));
	}
	return true;
}

/* ---- before anything is mounted ---- */

static int check_file(struct mount *mount, const char *path)
{
	struct stat st;

	if (path && stat(path, &st) == 0 && mountinfo_is_ferryfs(st.st_dev)) {
		snprintf(mount->why, sizeof(mount->why), "%.300s is on a ferryfs mount", path);
		return -ELOOP;
	}
	return mount_check_path(mount, path);
}

static int check_files(struct showing *showing)
{
	struct mount *mount = showing->mount;
	const struct account_resolved *account = &showing->request.account;
	const char *const paths[] = {mount->options.view->staging_dir, mount->options.view->journal_dir,
		mount->options.log, account->ca_bundle, account->credentials_path, account->config_path};
	int error = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && error == 0; i++)
		error = check_file(mount, paths[i]);
	return error;
}

/* --ca-bundle is of this account; the hub is at "/" and needs all of the path. */
static int resolve_bundle(struct showing *showing)
{
	const char *bundle = showing->mount->options.connect.engine.ca_bundle;
	struct account_resolved *account = &showing->request.account;

	if (!bundle)
		bundle = account->ca_bundle;
	if (!bundle)
		return 0;
	char *path = realpath(bundle, NULL);

	if (!path)
		return -errno;
	free(account->ca_bundle);
	account->ca_bundle = path;
	return 0;
}

/* Opens the account in this environment and asks the service, so that what is wrong is said here. */
static int mount_view_look(struct showing *showing)
{
	struct mount *mount = showing->mount;
	struct view *view = mount->options.view;
	struct engine *engine = NULL;
	int error = connect_open(&mount->options.connect, &engine, &view->account, mount->why);

	if (error == 0)
		error = mount_service_check(engine, view, mount->why);
	if (error == 0)
		error = mount_twins(mount, engine, true, mount->why);
	engine_free(engine);
	if (error < 0)
		return error;
	if (view->url.bucket[0])
		account_region(view->account, str_of(view->url.bucket), showing->request.bucket_region);
	error = overlap_alone(view->account, &view->url, mount->why);
	if (error < 0)
		return error;
	error = account_export(view->account, &showing->request.account);
	if (error == 0)
		error = resolve_bundle(showing);
	if (error < 0) {
		snprintf(mount->why, sizeof(mount->why), "cannot start: %s", strerror(-error));
		return error;
	}
	account_unref(view->account);
	view->account = NULL;
	return check_files(showing);
}

/* ---- the hub ---- */

static void mount_view_tell_of_others(struct showing *showing)
{
	DIR *entries = opendir_at(showing->directory);
	const struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries))) {
		unsigned long long namespace;
		int end = 0, other;

		if (sscanf(entry->d_name, "hub-%llu.sock%n", &namespace, &end) != 1 || !end ||
			entry->d_name[end] || namespace == showing->namespace ||
			control_connect(showing->directory, namespace, &other) < 0)
			continue;
		close(other);
		words_failed("mount", "another mount namespace has a hub already; this one gets its own, and "
				      "copies between their "
				      "mounts pass through this machine");
		break;
	}
	closedir(entries);
}

static int be_hub(struct showing *showing)
{
	struct mount *mount = showing->mount;
	const struct mount_options *options = &mount->options;
	bool to_file = options->log && strcmp(options->log, "syslog") != 0;
	char *log_path = to_file ? realpath(options->log, NULL) : NULL;
	const struct hub_serve_options serve = {
		.engine = options->connect.engine,
		.staging = options->view->staging_dir,
		.staging_reserve = options->staging_reserve,
		.journal = options->view->journal_dir,
		.log_path = log_path,
		.log = log_path				? log_path
		       : mount->log_fd == STDERR_FILENO ? "standard error"
							: "syslog",
		.dumpable = options->connect.dumpable,
		.fuse_cpu = options->fuse_cpu,
		.namespace = showing->namespace,
	};

	/* Each view brings its own over the socket. */
	account_resolved_release(&showing->request.account);
	showing->status = hub_serve(&serve, &mount->daemon);
	free(log_path);
	return IS_HUB;
}

/* With the lock, and no hub there. */
static int start_hub(struct showing *showing, int lock)
{
	struct mount *mount = showing->mount;
	int status = EXIT_SOME, error;

	mount_view_tell_of_others(showing);
	if (mount->options.foreground)
		error = daemon_front(&mount->daemon, &status, mount->why);
	else
		error = daemon_fork(&mount->daemon, &status, mount->why);
	if (error == 0) {
		close(lock);
		return be_hub(showing);
	}
	if (error > 0 && status == EXIT_OK) {
		showing->started = true;
		return 0;
	}
	if (error < 0)
		snprintf(mount->why, sizeof(mount->why), "cannot start a daemon: %s", strerror(-error));
	return error < 0 ? error : -ECHILD;
}

static bool mount_view_nobody(int error)
{
	return error == -ENOENT || error == -ECONNREFUSED;
}

/* *ret_fd: to a hub.  IS_HUB: this process has been one. */
static int reach(struct showing *showing, int *ret_fd)
{
	struct mount *mount = showing->mount;
	int error = control_connect(showing->directory, showing->namespace, ret_fd), lock;

	if (!mount_view_nobody(error))
		goto out;
	error = runtime_hub_lock(showing->directory, showing->namespace, LOCK_MS, &lock);
	if (error < 0)
		goto out;
	error = control_connect(showing->directory, showing->namespace, ret_fd);
	if (mount_view_nobody(error)) {
		error = start_hub(showing, lock);
		if (error == IS_HUB)
			return error;
		if (error == 0)
			error = control_connect(showing->directory, showing->namespace, ret_fd);
	}
	close(lock);
out:
	if (error < 0 && !mount->why[0])
		snprintf(mount->why, sizeof(mount->why), "cannot reach the hub: %s", strerror(-error));
	return error;
}

/* ---- the view ---- */

static void tell_of_log(const char *log, const json_t *hub)
{
	char *path = realpath(log, NULL), *theirs = NULL;

	if (json_text_get(json_object_get(hub, "log"), &theirs) == 0 &&
		strcmp(theirs, path ? path : log) != 0)
		words_failed("mount", "the hub is running already and logs to %s", theirs);
	free(theirs);
	free(path);
}

static void tell_of_cpu(int wanted, const json_t *hub)
{
	const char *theirs = json_string_value(json_object_get(hub, "fuse_cpu"));
	char ours[16];

	placement_text(wanted, ours);
	if (theirs && strcmp(theirs, ours) != 0)
		words_failed("mount", "the hub is running already with fuse_cpu=%s", theirs);
}

/* Options that belong to the daemon, and that this daemon has otherwise than asked for. */
static void tell_of_hub(struct showing *showing, int fd)
{
	const struct control_request hello = {.op = CONTROL_HELLO};
	const struct mount_options *options = &showing->mount->options;
	char why[ACCOUNT_WHY_MAX];
	json_t *reply = NULL;

	if (showing->started || (!options->log && !options->fuse_cpu_given) ||
		control_ask(fd, &hello, REPLY_MS, &reply, why) < 0)
		return;
	const json_t *hub = json_object_get(reply, "hub");

	if (options->log)
		tell_of_log(options->log, hub);
	if (options->fuse_cpu_given)
		tell_of_cpu(options->fuse_cpu, hub);
	json_decref(reply);
}

static int bind_it(struct showing *showing, const char *from)
{
	struct mount *mount = showing->mount;
	const struct view *view = mount->options.view;
	const struct bind_options options = {
		.ro = view->ro, .noatime = view->noatime, .noexec = mount->options.noexec};
	struct stat st;
	int error = dead_mount_clear(mount->mountpoint, mount->why);

	if (error < 0)
		return error;
	error = bind_directory(from, mount->mountpoint, &options);
	/* It answers, too. */
	if (error == 0 && stat(mount->mountpoint, &st) < 0)
		error = -errno;
	if (error < 0)
		snprintf(mount->why, sizeof(mount->why), "cannot mount on %.300s: %s", mount->mountpoint,
			strerror(-error));
	return error;
}

static int mount_view_show(struct showing *showing, int fd)
{
	struct control_request mounted = {.op = CONTROL_MOUNTED, .point = showing->request.point};
	struct mount *mount = showing->mount;
	json_t *reply = NULL;
	char *path = NULL;
	int error;

	tell_of_hub(showing, fd);
	error = control_ask(fd, &showing->request, REPLY_MS, &reply, mount->why);
	if (error < 0)
		return error;
	error = json_text_get(json_object_get(reply, "path"), &path);
	json_decref(reply);
	reply = NULL;
	if (error == 0)
		error = bind_it(showing, path);
	if (error == 0)
		error = control_ask(fd, &mounted, REPLY_MS, &reply, mount->why);
	json_decref(reply);
	free(path);
	/* It went away with what it had just shown: not to be tried again. */
	return error == -ECONNRESET ? -EIO : error;
}

/* A hub was there before: -f stays for as long as this mount does, and takes it away with it. */
static int stay(struct showing *showing)
{
	struct mount *mount = showing->mount;
	struct mountinfo info;
	sigset_t set;

	daemon_drop_given();
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	struct pollfd fds[] = {{.fd = signalfd(-1, &set, SFD_CLOEXEC), .events = POLLIN},
		{.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC), .events = POLLPRI}};

	while (fds[0].fd >= 0 && fds[1].fd >= 0 && mountinfo_find(mount->mountpoint, &info) == 0 &&
		info.ferryfs) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents && umount2(mount->mountpoint, UMOUNT_NOFOLLOW) < 0)
			return words_failed("mount", "%s: %s", mount->mountpoint, strerror(errno));
	}
	return EXIT_OK;
}

static int attempt(struct showing *showing)
{
	int fd = -1, error = -ECONNRESET;

	for (unsigned i = 0; i < ATTEMPTS && error == -ECONNRESET; i++) {
		showing->mount->why[0] = '\0';
		error = reach(showing, &fd);
		if (error != 0)
			break;
		error = mount_view_show(showing, fd);
		close(fd);
	}
	return error;
}

int mount_view(struct mount *mount)
{
	struct showing showing = {.mount = mount, .namespace = runtime_namespace(), .directory = -1};
	struct control_request *request = &showing.request;
	int error;

	control_init();
	*request = (struct control_request){
		.op = CONTROL_ADD,
		.point = mount->mountpoint,
		.namespace = showing.namespace,
		.no_verify_tls = mount->options.connect.engine.no_verify_tls,
		.view = mount->options.view,
	};
	error = mount_view_look(&showing);
	if (error == 0) {
		error = showing.directory = runtime_dir_open(true, NULL);
		if (error < 0)
			snprintf(mount->why, sizeof(mount->why), "the runtime directory: %s",
				error == -EPERM ? "it is not closed to others (mode 0700)"
						: strerror(-error));
	}
	if (error >= 0)
		error = attempt(&showing);
	account_resolved_release(&request->account);
	if (showing.directory >= 0)
		close(showing.directory);
	if (error == IS_HUB)
		return showing.status;
	if (error < 0)
		return words_failed("mount", "%s", mount->why);
	return mount->options.foreground && !showing.started ? stay(&showing) : EXIT_OK;
}
