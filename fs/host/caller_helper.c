#include "fs/host/caller_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/host/caller.h"
#include "fs/host/caller_files.h"
#include "fs/host/daemon.h"
#include "fs/host/fatal_signal.h"
#include "fs/host/fuse_cpu.h"

/* Written once, by main, before any thread starts. */
static bool can_be_helper;

/* ---- the helper ---- */

/* Writes at most CALLER_ANSWER_MAX bytes to ret: their number, or -errno. */
typedef ssize_t reader(const char *proc, const struct caller_asked *asked, void *ret);

static ssize_t read_who(const char *proc, const struct caller_asked *asked, void *ret)
{
	struct caller caller;

	caller_read(proc, asked->pid, (dev_t)asked->device, &caller);
	memcpy(ret, &caller, sizeof(caller));
	return sizeof(caller);
}

static ssize_t read_fatal(const char *proc, const struct caller_asked *asked, void *ret)
{
	bool fatal = interrupt_fatal(proc, asked->pid);

	memcpy(ret, &fatal, sizeof(fatal));
	return sizeof(fatal);
}

static ssize_t read_cpu(const char *proc, const struct caller_asked *asked, void *ret)
{
	int cpu = placement_cpu_of(proc, asked->pid);

	memcpy(ret, &cpu, sizeof(cpu));
	return sizeof(cpu);
}

static ssize_t read_files(const char *proc, const struct caller_asked *asked, void *ret)
{
	return caller_files_read(proc, asked->pid, ret);
}

static reader *const readers[CALLER_QUESTIONS] = {
	[CALLER_WHO] = read_who,
	[CALLER_FATAL] = read_fatal,
	[CALLER_CPU] = read_cpu,
	[CALLER_FILES] = read_files,
};

struct told_message {
	struct caller_told told;
	char bytes[CALLER_ANSWER_MAX];
};

static bool helper_tell(const struct told_message *message)
{
	size_t size = sizeof(message->told) + message->told.len;

	while (send(CALLER_HELPER_FD, message, size, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

static int helper_serve(const char *proc)
{
	static struct told_message message; /* number 0: it has started */
	struct caller_asked asked;

	while (helper_tell(&message)) {
		ssize_t got;

		do
			got = recv(CALLER_HELPER_FD, &asked, sizeof(asked), 0);
		while (got < 0 && errno == EINTR);
		if (got == 0)
			return 0; /* the daemon has let go of it */
		if (got != sizeof(asked))
			break;
		ssize_t len = asked.question < CALLER_QUESTIONS
				      ? readers[asked.question](proc, &asked, message.bytes)
				      : -ENOSYS;

		message.told = (struct caller_told){.number = asked.number,
			.error = len < 0 ? (int32_t)len : 0,
			.len = len < 0 ? 0 : (uint32_t)len};
	}
	return 1;
}

static void helper_close_others(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	close_range(CALLER_HELPER_FD + 1, ~0U, 0);
}

/* Somebody may have typed the word. */
static bool helper_has_socket(void)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return getsockopt(CALLER_HELPER_FD, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

bool caller_helper_main(int argc, char **argv, int *ret_status)
{
	if (argc != 3 || strcmp(argv[1], CALLER_HELPER_WORD) != 0 || !helper_has_socket()) {
		can_be_helper = true;
		return false;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "ferryfs-caller");
	daemon_hide(false);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	helper_close_others();
	if (chdir("/") < 0)
		*ret_status = 1;
	else
		*ret_status = helper_serve(argv[2]);
	return true;
}

/* ---- the daemon ---- */

/* Without these a program may not start, or a sanitizer reports to the wrong place. */
static bool helper_needs(const char *variable)
{
	static const char *const prefixes[] = {"LD_",
		"ASAN_OPTIONS=", "LSAN_OPTIONS=", "UBSAN_OPTIONS=", "TSAN_OPTIONS=", "GLIBC_TUNABLES="};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static void helper_environment(char **ret, size_t max)
{
	size_t count = 0;

	for (char **at = environ; at && *at && count < max - 1; at++)
		if (helper_needs(*at))
			ret[count++] = *at;
	ret[count] = NULL;
}

/* A session of its own, so that Ctrl-C reaches it through the daemon alone; no signal blocked or ignored. */
static int helper_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;
	int error = posix_spawnattr_init(attributes);

	if (error)
		return -error;
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
	return 0;
}

static int helper_spawn(const char *proc, int fd, pid_t *ret_pid)
{
	char *const words[] = {(char *)"ferryfs", (char *)CALLER_HELPER_WORD, (char *)proc, NULL};
	char *environment[32];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error = helper_attributes(&attributes);

	if (error < 0)
		return error;
	helper_environment(environment, sizeof(environment) / sizeof(environment[0]));
	error = posix_spawn_file_actions_init(&actions);
	if (error == 0) {
		error = posix_spawn_file_actions_adddup2(&actions, fd, CALLER_HELPER_FD);
		if (error == 0)
			error = posix_spawn(
				ret_pid, "/proc/self/exe", &actions, &attributes, words, environment);
		posix_spawn_file_actions_destroy(&actions);
	}
	posix_spawnattr_destroy(&attributes);
	return -error;
}

int caller_helper_start(const char *proc, int *ret_fd, pid_t *ret_pid)
{
	int ends[2];

	if (!can_be_helper)
		return -ENOTSUP;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	int error = helper_spawn(proc, ends[1], ret_pid);

	close(ends[1]);
	if (error == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		error = -errno;
	if (error < 0) {
		close(ends[0]);
		return error;
	}
	*ret_fd = ends[0];
	return 0;
}
