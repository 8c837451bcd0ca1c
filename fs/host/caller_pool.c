#include "fs/host/caller_pool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"

enum {
	START_AGAIN_MS = 10000, /* after one that could not start, or ended by itself */
	START_MS = 60000, /* for exec and the loader on a machine with other things to do */
	LOOK_MS = 50, /* between two looks at overdue questions, while something is asked */
	REAP_MS = 500, /* between two looks at a process that was killed and hangs in the kernel */
	END_TRIES = 100, /* of 1 ms, for helpers to end */
	SAY_AGAIN_MS = 60000, /* about the same process */
};

enum helper_state { HELPER_STARTING, HELPER_IDLE, HELPER_BUSY, HELPER_LOST };

struct helper {
	struct helper *next;
	enum helper_state state;
	int fd;
	pid_t process;
	uint64_t since_ms; /* in this state, but a lost one since it became busy */
	struct resolve *asked; /* busy */
	uint64_t number; /* of the question it has, or had when it was lost */
	uid_t uid; /* of that question, as the next two */
	pid_t pid;
	bool risky;
};

struct caller_pool {
	const char *proc;
	void (*on_done)(struct resolve *resolve);
	int epoll;
	struct helper *helpers;
	unsigned count, lost;
	pid_t ended[POOL_MAX]; /* processes to wait for: their sockets are closed */
	unsigned ended_count;
	uint64_t number; /* of the last question */
	uint64_t start_after_ms;
	struct resolve *first, **last; /* the questions that wait for a helper */
	bool failed; /* and that was said */
	pid_t said_pid; /* the last process that was logged as unreadable */
	uint64_t said_ms;
	struct {
		struct caller_told told;
		char bytes[CALLER_ANSWER_MAX];
	} message;
};

/* now may have been read before the helper entered its state. */
static uint64_t helper_age_ms(const struct helper *helper, uint64_t now)
{
	return now > helper->since_ms ? now - helper->since_ms : 0;
}

static bool is_risky(const struct resolve *resolve)
{
	return resolve->question == CALLER_WHO;
}

static void caller_pool_answer(
	struct caller_pool *pool, struct resolve *resolve, const void *bytes, size_t len)
{
	resolve->bytes = bytes;
	resolve->len = len;
	pool->on_done(resolve);
}

/* ---- processes ---- */

static void helper_enter(struct caller_pool *pool, struct helper *helper, enum helper_state state)
{
	pool->lost += (state == HELPER_LOST) - (helper->state == HELPER_LOST);
	if (state != HELPER_LOST)
		helper->since_ms = clock_exact_ms();
	helper->state = state;
}

static void helpers_reap(struct caller_pool *pool)
{
	for (unsigned i = 0; i < pool->ended_count;) {
		if (waitpid(pool->ended[i], NULL, WNOHANG) == 0)
			i++;
		else
			pool->ended[i] = pool->ended[--pool->ended_count];
	}
}

/* Its question, if it has one, is answered by the caller. */
static void helper_end(struct caller_pool *pool, struct helper *helper)
{
	struct helper **at = &pool->helpers;

	while (*at != helper)
		at = &(*at)->next;
	*at = helper->next;
	helper_enter(pool, helper, HELPER_IDLE);
	pool->count--;
	close(helper->fd);
	kill(helper->process, SIGKILL);
	if (pool->ended_count < POOL_MAX)
		pool->ended[pool->ended_count++] = helper->process;
	free(helper);
	helpers_reap(pool);
}

static int helper_start(struct caller_pool *pool)
{
	struct helper *helper = calloc(1, sizeof(*helper));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = helper};

	if (!helper)
		return -ENOMEM;
	int error = caller_helper_start(pool->proc, &helper->fd, &helper->process);

	if (error < 0) {
		free(helper);
		return error;
	}
	helper->since_ms = clock_exact_ms();
	helper->next = pool->helpers;
	pool->helpers = helper;
	pool->count++;
	if (epoll_ctl(pool->epoll, EPOLL_CTL_ADD, helper->fd, &event) < 0) {
		error = -errno;
		helper_end(pool, helper);
	}
	return error;
}

static void start_failed(struct caller_pool *pool, const char *why)
{
	pool->start_after_ms = clock_exact_ms() + START_AGAIN_MS;
	if (!pool->failed)
		log_text(LOG_LEVEL_WARNING,
			"the helper that finds out who calls %s: until one runs, every copy and removal "
			"waits for "
			"S3, and a killed program for its answer",
			why);
	pool->failed = true;
}

/* Was it worth a helper to start one for this question? */
static void start_another(struct caller_pool *pool, uint64_t now)
{
	if (now < pool->start_after_ms || pool->count + pool->ended_count >= POOL_MAX)
		return;
	for (const struct helper *helper = pool->helpers; helper; helper = helper->next)
		if (helper->state == HELPER_STARTING ||
			(helper->state == HELPER_BUSY && helper_age_ms(helper, now) < POOL_SLOW_MS))
			return;
	int error = helper_start(pool);

	/* A program that cannot be its own helper is a test's. */
	if (error == -ENOTSUP)
		pool->start_after_ms = UINT64_MAX;
	else if (error < 0)
		start_failed(pool, strerror(-error));
}

/* ---- overdue questions ---- */

static void say_lost(struct caller_pool *pool, const struct helper *helper, uint64_t now)
{
	if (helper->pid == pool->said_pid && now - pool->said_ms < SAY_AGAIN_MS)
		return;
	pool->said_pid = helper->pid;
	pool->said_ms = now;
	log_text(LOG_LEVEL_WARNING,
		"process %d of user %u cannot be looked at: reading its files in /proc hangs; its calls are "
		"answered "
		"as an unknown program's (helpers lost to such processes: %u, %u at most)",
		(int)helper->pid, (unsigned)helper->uid, pool->lost, POOL_MAX);
}

static void give_up_busy(struct caller_pool *pool, uint64_t now)
{
	struct helper *next;

	for (struct helper *helper = pool->helpers; helper; helper = next) {
		next = helper->next;
		if (helper->state == HELPER_STARTING && helper_age_ms(helper, now) >= START_MS) {
			helper_end(pool, helper);
			start_failed(pool, "does not start");
			continue;
		}
		if (helper->state != HELPER_BUSY || now < helper->asked->until_ms)
			continue;
		struct resolve *asked = helper->asked;

		helper->asked = NULL;
		helper_enter(pool, helper, HELPER_LOST);
		say_lost(pool, helper, now);
		caller_pool_answer(pool, asked, NULL, 0);
	}
}

/* ---- questions ---- */

static bool is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* Helpers that are busy or lost, and lost ones among them. */
struct held {
	unsigned all, lost;
};

static void held_count(struct held *held, const struct helper *helper)
{
	held->all++;
	held->lost += helper->state == HELPER_LOST;
}

/* Those that questions of the same kind hold: of this user, and of all but root and the daemon's own. */
static void held_by(const struct caller_pool *pool, const struct resolve *resolve, struct held *ret_user,
	struct held *ret_strangers)
{
	*ret_user = *ret_strangers = (struct held){0};
	for (const struct helper *helper = pool->helpers; helper; helper = helper->next) {
		if ((helper->state != HELPER_BUSY && helper->state != HELPER_LOST) ||
			helper->risky != is_risky(resolve))
			continue;
		if (helper->uid == resolve->uid)
			held_count(ret_user, helper);
		if (!is_trusted(helper->uid))
			held_count(ret_strangers, helper);
	}
}

static struct helper *idle_one(const struct caller_pool *pool)
{
	struct helper *helper = pool->helpers;

	while (helper && helper->state != HELPER_IDLE)
		helper = helper->next;
	return helper;
}

static bool ask_helper(struct caller_pool *pool, struct helper *helper, struct resolve *resolve)
{
	const struct caller_asked asked = {.number = ++pool->number,
		.device = resolve->device,
		.question = resolve->question,
		.pid = resolve->pid};

	helper->asked = resolve;
	helper->number = asked.number;
	helper->uid = resolve->uid;
	helper->pid = resolve->pid;
	helper->risky = is_risky(resolve);
	helper_enter(pool, helper, HELPER_BUSY);
	return send(helper->fd, &asked, sizeof(asked), MSG_NOSIGNAL) == (ssize_t)sizeof(asked);
}

enum fate { FATE_WAITS, FATE_ASKED, FATE_UNKNOWN };

static enum fate pass_on(struct caller_pool *pool, struct resolve *resolve, uint64_t now)
{
	unsigned strangers_max = is_risky(resolve) ? POOL_STRANGERS_MAX : POOL_STRANGERS_QUICK_MAX;
	bool trusted = is_trusted(resolve->uid);
	struct held user, strangers;

	held_by(pool, resolve, &user, &strangers);
	if (now >= resolve->until_ms || user.lost >= POOL_UID_MAX ||
		(!trusted && strangers.lost >= strangers_max))
		return FATE_UNKNOWN;
	if (user.all >= POOL_UID_MAX || (!trusted && strangers.all >= strangers_max))
		return FATE_WAITS;
	struct helper *helper = idle_one(pool);

	if (!helper) {
		start_another(pool, now);
		/* Nobody will ever answer. */
		return pool->count == 0 ? FATE_UNKNOWN : FATE_WAITS;
	}
	if (ask_helper(pool, helper, resolve))
		return FATE_ASKED;
	/* It has ended. */
	helper->asked = NULL;
	helper_end(pool, helper);
	return FATE_WAITS;
}

static void pass_on_all(struct caller_pool *pool, uint64_t now)
{
	struct resolve **at = &pool->first;

	while (*at) {
		struct resolve *resolve = *at;
		enum fate fate = pass_on(pool, resolve, now);

		if (fate == FATE_WAITS) {
			at = &resolve->next;
			continue;
		}
		*at = resolve->next;
		if (fate == FATE_UNKNOWN)
			caller_pool_answer(pool, resolve, NULL, 0);
	}
	pool->last = at;
}

void caller_pool_add(struct caller_pool *pool, struct resolve *resolve)
{
	unsigned waiting = 0;

	for (const struct resolve *at = pool->first; at; at = at->next)
		waiting += at->uid == resolve->uid;
	if (waiting >= POOL_WAITING_OF_UID_MAX) {
		caller_pool_answer(pool, resolve, NULL, 0);
		return;
	}
	resolve->until_ms = clock_exact_ms() + RESOLVER_DEADLINE_MS;
	resolve->next = NULL;
	*pool->last = resolve;
	pool->last = &resolve->next;
}

/* ---- answers ---- */

static unsigned idle_count(const struct caller_pool *pool)
{
	unsigned count = 0;

	for (const struct helper *helper = pool->helpers; helper; helper = helper->next)
		count += helper->state == HELPER_IDLE;
	return count;
}

/* It ended by itself, or sends a message that no helper sends. */
static void helper_failed(struct caller_pool *pool, struct helper *helper)
{
	struct resolve *asked = helper->asked;

	helper_end(pool, helper);
	start_failed(pool, "ended");
	if (asked)
		caller_pool_answer(pool, asked, NULL, 0);
}

static void helper_said(struct caller_pool *pool, struct helper *helper, ssize_t got)
{
	const struct caller_told *told = &pool->message.told;
	struct resolve *asked = helper->asked;

	if (got < (ssize_t)sizeof(*told) || told->len != (size_t)got - sizeof(*told)) {
		helper_failed(pool, helper);
		return;
	}
	if (helper->state == HELPER_LOST)
		log_text(LOG_LEVEL_INFO, "process %d of user %u can be looked at again", (int)helper->pid,
			(unsigned)helper->uid);
	pool->failed = false;
	helper->asked = NULL;
	helper_enter(pool, helper, HELPER_IDLE);
	if (idle_count(pool) > POOL_IDLE_MAX)
		helper_end(pool, helper);
	if (asked)
		caller_pool_answer(pool, asked, told->error ? NULL : pool->message.bytes, told->len);
}

static void helper_hear(struct caller_pool *pool, struct helper *helper)
{
	ssize_t got = recv(helper->fd, &pool->message, sizeof(pool->message), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		helper_failed(pool, helper);
	else
		helper_said(pool, helper, got);
}

int caller_pool_step(struct caller_pool *pool)
{
	struct epoll_event events[POOL_MAX];
	int count = epoll_wait(pool->epoll, events, POOL_MAX, 0);
	uint64_t now;

	/* Each helper once: one that ends takes none of the others along. */
	for (int i = 0; i < count; i++)
		helper_hear(pool, events[i].data.ptr);
	helpers_reap(pool);
	now = clock_exact_ms();
	/* The first one: it is there when the first caller comes. */
	if (pool->number == 0)
		start_another(pool, now);
	give_up_busy(pool, now);
	pass_on_all(pool, now);
	if (pool->first)
		return LOOK_MS;
	for (const struct helper *helper = pool->helpers; helper; helper = helper->next)
		if (helper->state == HELPER_BUSY || helper->state == HELPER_STARTING)
			return LOOK_MS;
	return pool->ended_count > 0 ? REAP_MS : -1;
}

/* ---- life ---- */

int caller_pool_new(const char *proc, void (*on_done)(struct resolve *resolve), struct caller_pool **ret)
{
	struct caller_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->proc = proc;
	pool->on_done = on_done;
	pool->last = &pool->first;
	pool->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (pool->epoll < 0) {
		int error = -errno;

		free(pool);
		return error;
	}
	*ret = pool;
	return 0;
}

int caller_pool_fd(const struct caller_pool *pool)
{
	return pool->epoll;
}

void caller_pool_free(struct caller_pool *pool)
{
	if (!pool)
		return;
	while (pool->first) {
		struct resolve *resolve = pool->first;

		pool->first = resolve->next;
		caller_pool_answer(pool, resolve, NULL, 0);
	}
	while (pool->helpers) {
		struct resolve *asked = pool->helpers->asked;

		helper_end(pool, pool->helpers);
		if (asked)
			caller_pool_answer(pool, asked, NULL, 0);
	}
	/* One that hangs in the kernel ends when it comes back from there. */
	for (unsigned i = 0; i < END_TRIES && pool->ended_count > 0; i++) {
		helpers_reap(pool);
		if (pool->ended_count > 0)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	close(pool->epoll);
	free(pool);
}
