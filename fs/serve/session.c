/*
 * The reading thread sits in read(2) on /dev/fuse, which is the cheapest way to be told of a request.  A
 * signal handler could only interrupt a read that has begun, so another thread takes the signals (sigwait)
 * and then interrupts the reader again and again until it has left its loop.
 *
 *   signal:  the signal thread stops the notifier, while requests are still read (its calls into the kernel
 * may wait for the lock of a directory that a request holds); then ends the session and wakes the reader
 *   unmount: read says ENODEV, the reader leaves and tells the signal thread to end
 */
#include "fs/serve/session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/checks.h"
#include "engine/base/log.h"
#include "fs/core/notify.h"
#include "fs/early/early.h"
#include "fs/core/hub.h"
#include "fs/ops/rename_list.h"
#include "fs/file/open_files.h"
#include "fs/ops/ops.h"
#include "fs/host/fuse_cpu.h"
#include "fs/serve/pruner.h"
#include "fs/serve/state_dump.h"
#include "fs/serve/recoverer.h"
#include "fs/request/ledger.h"
#include "fs/serve/refuse.h"
#include "fs/file/upkeep.h"

enum {
	NOTIFIER_MS = 5000, /* for the notifier to come back from the kernel */
	NUDGE_MS = 20,
	SETTLE_SIGNAL_MS = 10000, /* systemd kills after 90 s by default, shutdown(8) after less */
	SETTLE_UNMOUNT_MS = 120000, /* past the 60 s an attempt may take without an answer */
};

/* Where the caller runs: a helper process is asked, one question at a time. */
struct placing {
	struct placement placement;
	struct hub *hub;
	uid_t uid; /* of the request that was read; the reading thread's */
	struct resolve resolve;
	atomic_bool asking;
};

struct session {
	struct hub *hub;
	struct fuse_session *fuse;
	struct ledger *ledger; /* owned; NULL where builds do not check (CHECKS_TABLES) */
	bool unmounted;
	pthread_t reader, signals;
	bool has_signals;
	atomic_bool left; /* the reader is out of its loop */
	atomic_bool signalled; /* a signal ended it, not an unmount */
	struct placing placing; /* may be asked until session_settle is over */
};

/* The last line that libfuse logged while it mounted, for the error sentence. */
static char said[256];
static atomic_bool mounting;

static void take_log(enum fuse_log_level level, const char *format, va_list args)
{
	char line[256];
	int len = vsnprintf(line, sizeof(line), format, args);

	if (len > 0 && (size_t)len < sizeof(line) && line[len - 1] == '\n')
		line[len - 1] = '\0';
	if (atomic_load(&mounting))
		snprintf(said, sizeof(said), "%s", line);
	else
		log_text(level <= FUSE_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG, "libfuse: %s", line);
}

static void signal_set(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGHUP);
	sigaddset(ret, SIGUSR2); /* a person's: the state, please; ours: the reader has left */
}

static void nothing(int signal_number)
{
}

void session_block_signals(void)
{
	sigset_t set;

	signal_set(&set);
	sigaddset(&set, SIGUSR1); /* ours: leave read(2) */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void session_let_signals_end(bool may)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(may ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

static int add_option(struct fuse_args *args, const char *name, const char *value)
{
	char *text = NULL, *joined;
	int failed;

	if (asprintf(&joined, "%s%s%s", name, value ? "=" : "", value ? value : "") < 0)
		return -ENOMEM;
	failed = fuse_opt_add_opt_escaped(&text, joined) || fuse_opt_add_arg(args, "-o") ||
		 fuse_opt_add_arg(args, text);
	free(text);
	free(joined);
	return failed ? -ENOMEM : 0;
}

static int make_args(const struct session_options *options, struct fuse_args *args)
{
	const struct {
		const char *name, *value;
		bool wanted;
	} all[] = {
		{"fsname", options->source, true},
		{"subtype", "ferryfs", true},
		{"default_permissions", NULL, true},
		{"nosuid", NULL, true},
		{"nodev", NULL, true},
		{"noexec", NULL, options->noexec},
		{"allow_other", NULL, options->allow_other},
		{"noatime", NULL, options->noatime},
		{"ro", NULL, options->ro},
	};
	int error = fuse_opt_add_arg(args, "ferryfs") ? -ENOMEM : 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && error == 0; i++) {
		if (all[i].wanted)
			error = add_option(args, all[i].name, all[i].value);
	}
	return error;
}

/* The reason why mounting can't work, before libfuse tells it in its own words. */
static int check_fuse(char *why)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
	} else if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
		snprintf(why, ACCOUNT_WHY_MAX,
			"there is no /dev/fuse: the kernel has no FUSE or its module is not loaded (modprobe "
			"fuse)");
		return -ENODEV;
	} else {
		int error = -errno;

		snprintf(why, ACCOUNT_WHY_MAX, "cannot open /dev/fuse: %s", strerror(-error));
		return error;
	}
	if (geteuid() != 0 && access("/usr/bin/fusermount3", X_OK) < 0 &&
		access("/bin/fusermount3", X_OK) < 0 && access("/usr/local/bin/fusermount3", X_OK) < 0) {
		snprintf(why, ACCOUNT_WHY_MAX,
			"fusermount3 is missing, and only root can mount without it: install the package "
			"fuse3");
		return -ENOENT;
	}
	return 0;
}

static int mount_it(struct session *session, const struct session_options *options, char *why)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	int error = make_args(options, &args);

	said[0] = '\0';
	fuse_set_log_func(take_log);
	atomic_store(&mounting, true);
	if (error == 0) {
		session->fuse = fuse_session_new(&args, &ops_table, sizeof(ops_table), session->hub);
		if (!session->fuse)
			error = -EINVAL;
		else if (fuse_session_mount(session->fuse, options->mountpoint) != 0)
			error = -EIO;
	}
	atomic_store(&mounting, false);
	fuse_opt_free_args(&args);
	if (error < 0)
		snprintf(why, ACCOUNT_WHY_MAX, "cannot mount on %s: %s", options->mountpoint,
			said[0] ? said : strerror(-error));
	return error;
}

/* Torture fails system calls of ours, and with the ledger the session's own reads were among them: a failed one ends the
 * session, whatever ferryfs does. */
#ifdef FERRYFS_TORTURE
enum { WATCHES_REQUESTS = 0 };
#else
enum { WATCHES_REQUESTS = CHECKS_TABLES };
#endif

/* In builds that check: sees every request and every answer from here on. */
static int session_watch(struct session *session)
{
	if (!WATCHES_REQUESTS)
		return 0;
	session->ledger = ledger_new();
	return session->ledger ? ledger_watch(session->ledger, session->fuse) : -ENOMEM;
}

int session_open(struct hub *hub, const struct session_options *options, struct session **ret, char *why)
{
	int error = check_fuse(why);

	if (error < 0)
		return error;
	struct session *session = calloc(1, sizeof(*session));

	if (!session) {
		snprintf(why, ACCOUNT_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	session->hub = hub;
	hub->fuse_cpu = options->fuse_cpu;
	error = mount_it(session, options, why);
	if (error == 0) {
		error = session_watch(session);
		if (error < 0) {
			snprintf(why, ACCOUNT_WHY_MAX, "cannot watch the session: %s", strerror(-error));
			fuse_session_unmount(session->fuse);
		}
	}
	if (error < 0) {
		if (session->fuse)
			fuse_session_destroy(session->fuse);
		ledger_free(session->ledger);
		free(session);
		return error;
	}
	hub->session = session->fuse;
	*ret = session;
	return 0;
}

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL);
}

/* Ends the threads that call into the kernel (fs/core/notify.h, fs/serve/pruner.h), each after its current step. */
static void stop_callers(struct session *session)
{
	pruner_stop(session->hub->pruner);
	notifier_stop(session->hub->notifier);
}

/* True once both stopped; false when that took too long. */
static bool await_callers(struct session *session, unsigned limit_ms)
{
	for (unsigned waited = 0;
		!notifier_stopped(session->hub->notifier) || !pruner_stopped(session->hub->pruner);
		waited += NUDGE_MS) {
		if (waited >= limit_ms)
			return false;
		pause_ms(NUDGE_MS);
	}
	return true;
}

static void *signals_run(void *user)
{
	struct session *session = user;
	sigset_t set;
	int number;

	signal_set(&set);
	for (;;) {
		if (sigwait(&set, &number) != 0)
			return NULL;
		if (number != SIGUSR2)
			break;
		if (atomic_load(&session->left))
			return NULL;
		state_dump(session->hub);
	}
	log_text(LOG_LEVEL_INFO, "ending: %s", strsignal(number));
	atomic_store(&session->signalled, true);
	atomic_store(&session->hub->stopping, true);
	stop_callers(session);
	await_callers(session, NOTIFIER_MS);
	fuse_session_exit(session->fuse);
	while (!atomic_load(&session->left)) {
		pthread_kill(session->reader, SIGUSR1);
		pause_ms(NUDGE_MS);
	}
	return NULL;
}

static int start_signals(struct session *session)
{
	struct sigaction action = {.sa_handler = nothing};
	sigset_t set;

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	session->reader = pthread_self();
	int error = pthread_create(&session->signals, NULL, signals_run, session);

	if (error)
		return -error;
	session->has_signals = true;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

static void stop_signals(struct session *session)
{
	atomic_store(&session->left, true);
	if (!session->has_signals)
		return;
	pthread_kill(session->signals, SIGUSR2);
	pthread_join(session->signals, NULL);
	session->has_signals = false;
}

/*
 * Linux 6.18 asks for a copy with COPY_FILE_RANGE_64 first, which libfuse 3.14 answers ENOSYS.  The kernel
 * then asks in the older way; but where two of the newer were under way at once, the second ENOSYS turns
 * every copy_file_range of the connection off for good (fs/fuse/file.c), and all bytes would pass through
 * here.  Both take the same arguments, and the older answer, 32 bits and 32 of zeros, is the newer one's
 * number where the low bytes come first.
 */
static void translate(struct fuse_buf *buf)
{
	enum { OPCODE_COPY_FILE_RANGE_64 = 53 }; /* linux/fuse.h of 6.18 */
	struct fuse_in_header *in = buf->mem;

	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !(buf->flags & FUSE_BUF_IS_FD) &&
		buf->size >= sizeof(*in) && in->opcode == OPCODE_COPY_FILE_RANGE_64)
		in->opcode = FUSE_COPY_FILE_RANGE;
}

static pid_t caller_of(const struct fuse_buf *buf, uid_t *ret_uid)
{
	const struct fuse_in_header *in = buf->mem;

	if (buf->flags & FUSE_BUF_IS_FD || buf->size < sizeof(*in))
		return 0;
	*ret_uid = in->uid;
	return (pid_t)in->pid;
}

static void placing_resolved(struct resolve *resolve)
{
	struct placing *placing = resolve->user;

	if (resolve->bytes)
		placement_told(&placing->placement, resolve->pid, *(const int *)resolve->bytes);
	atomic_store(&placing->asking, false);
}

static void placing_ask(struct placement *placement, pid_t thread)
{
	struct placing *placing = placement->user;

	if (atomic_exchange(&placing->asking, true))
		return;
	placing->resolve = (struct resolve){
		.pid = thread, .question = CALLER_CPU, .on_done = placing_resolved, .user = placing};
	if (resolver_ask(placing->hub->early->resolver, &placing->resolve) < 0)
		atomic_store(&placing->asking, false);
}

static int read_loop(struct session *session, void (*on_ready)(void *user), void *user)
{
	struct fuse_buf buf = {0};
	struct placing *placing = &session->placing;
	bool ready = false;
	int error = 0;

	placing->hub = session->hub;
	placement_start(&placing->placement, session->hub->fuse_cpu, placing_ask, placing);
	while (!fuse_session_exited(session->fuse)) {
		int got = fuse_session_receive_buf(session->fuse, &buf);

		if (got == -EINTR || got == -EAGAIN)
			continue;
		if (got <= 0) {
			error = got;
			break;
		}
		translate(&buf);
		placement_request(&placing->placement, caller_of(&buf, &placing->uid));
		fuse_session_process_buf(session->fuse, &buf);
		if (!ready && on_ready)
			on_ready(user);
		ready = true;
	}
	placement_end(&placing->placement);
	free(buf.mem);
	return error;
}

int session_run(struct session *session, void (*on_ready)(void *user), void *user)
{
	int error = start_signals(session);

	if (error == 0)
		error = upkeep_start(session->hub);
	if (error == 0)
		error = read_loop(session, on_ready, user);
	session->unmounted = error == 0 && !atomic_load(&session->signalled);
	atomic_store(&session->hub->stopping, true);
	stop_signals(session);
	if (error < 0)
		log_text(LOG_LEVEL_ERROR, "reading from /dev/fuse: %s", strerror(-error));
	return error;
}

static void session_settle_within(struct session *session, unsigned limit)
{
	recoverer_stop(session->hub->recoverer);
	upkeep_stop(session->hub->upkeep);
	/* A move that has not deleted anything yet is undone: that may take less time than to finish it. */
	if (atomic_load(&session->signalled))
		moves_cancel();
	open_files_store(session->hub);
	early_settle(session->hub->early, limit);
	for (unsigned waited = 0; waited < limit && atomic_load(&session->hub->parked) > 0;
		waited += NUDGE_MS)
		pause_ms(NUDGE_MS);
	unsigned left = atomic_load(&session->hub->parked);

	if (left > 0)
		log_text(LOG_LEVEL_ERROR, "ending with %u operations under way: they are cut off", left);
	open_files_log(session->hub);
}

/* fs.fuse.max_request_timeout in seconds; 0: the kernel has none. */
static unsigned session_request_timeout(void)
{
	FILE *file = fopen("/proc/sys/fs/fuse/max_request_timeout", "re");
	unsigned seconds = 0;

	if (file) {
		if (fscanf(file, "%u", &seconds) != 1)
			seconds = 0;
		fclose(file);
	}
	return seconds;
}

void session_log_request_timeout(void)
{
	unsigned limit = session_request_timeout();

	if (limit)
		log_text(LOG_LEVEL_WARNING,
			"fs.fuse.max_request_timeout is %u s: a rename that takes longer ends this daemon's "
			"mounts",
			limit);
}

void session_settle(struct session *session)
{
	session_settle_within(
		session, atomic_load(&session->signalled) ? SETTLE_SIGNAL_MS : SETTLE_UNMOUNT_MS);
	early_stop(session->hub->early);
	op_release_dirs(session->hub);
}

bool session_unmounted(const struct session *session)
{
	return session->unmounted;
}

/* The engine has ended, and has ended with it everything that waited for it.  An operation that is left has lost its
 * completion, and its caller would have waited for ever. */
static void session_check_ended(const struct session *session)
{
	unsigned lost = atomic_load(&session->hub->parked);

	if (lost == 0)
		return;
	log_text(LOG_LEVEL_ERROR, "%u operations were never ended: a fault of ferryfs", lost);
	if (CHECKS_TABLES)
		abort();
}

void session_end(struct session *session)
{
	session_check_ended(session);
	stop_callers(session);
	/* The notifier may be in the kernel behind a request that was never read and holds its directory's
	 * lock.  Once answered, that request lets go of the lock; a forced unmount would do the same, but for
	 * every view. */
	while (!await_callers(session, 0))
		refuse_one(fuse_session_fd(session->fuse), NUDGE_MS);
}

void session_close(struct session *session)
{
	if (!session)
		return;
	/* After an unmount it only forgets the path (libfuse 3.14 looks for POLLERR first). */
	fuse_session_unmount(session->fuse);
	fuse_session_destroy(session->fuse);
	if (session->ledger)
		ledger_close(session->ledger);
	ledger_free(session->ledger);
	free(session);
}
