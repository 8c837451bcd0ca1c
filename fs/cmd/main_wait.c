#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "fs/cmd/main_wait.h"

int waiter_init(struct waiter *waiter)
{
	struct waiter made = {.signal_fd = -1, .event_fd = -1};
	sigset_t set;
	int error;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	error = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (error)
		return -error;
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	made.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (made.signal_fd < 0)
		return -errno;
	made.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (made.event_fd < 0) {
		error = -errno;
		close(made.signal_fd);
		return error;
	}
	*waiter = made;
	return 0;
}

void waiter_release(struct waiter *waiter)
{
	close(waiter->event_fd);
	close(waiter->signal_fd);
}

void waiter_wake(struct waiter *waiter)
{
	uint64_t one = 1;

	/* EAGAIN: 2^64 wake-ups are waiting already, which is as good. */
	while (write(waiter->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

bool waiter_wait(struct waiter *waiter, int fd, int ms)
{
	struct pollfd fds[3] = {
		{.fd = waiter->signal_fd, .events = POLLIN},
		{.fd = waiter->event_fd, .events = POLLIN},
		{.fd = fd, .events = POLLOUT},
	};
	struct signalfd_siginfo info;
	uint64_t count;

	if (poll(fds, 3, ms) <= 0)
		return false;
	if (fds[0].revents)
		while (read(waiter->signal_fd, &info, sizeof(info)) == sizeof(info))
			waiter->signals++;
	if (fds[1].revents)
		while (read(waiter->event_fd, &count, sizeof(count)) < 0 && errno == EINTR)
			;
	return fds[2].revents != 0;
}

void waiter_say_stopping(const struct waiter *waiter)
{
	if (waiter->command)
		fprintf(stderr, "ferryfs %s: stopping; what is on the wire is waited for\n", waiter->command);
}

void waiter_say_cut(const struct waiter *waiter)
{
	if (waiter->command)
		fprintf(stderr,
			"ferryfs %s: not waiting any longer; what was on the wire may have been done\n",
			waiter->command);
}

/*
 * One call or copy that the main thread waits for.  Its cancel travels as a task to the worker that runs it;
 * posted tasks keep their order, so the start always goes before the cancel.  The errand is on the main
 * thread's stack: it may only go when done is set and no cancel is on its way (`posted` counts the tasks that
 * have not run yet).
 */
struct errand {
	struct task start, cancel;
	struct waiter *waiter;
	struct call *call; /* one of these three */
	struct copy *copy;
	struct twins *twins;
	struct s3_answer *answer; /* NULL: not wanted */
	atomic_bool done;
	atomic_int posted;
};

static void errand_done(struct errand *errand, const struct s3_answer *answer)
{
	struct waiter *waiter = errand->waiter;

	if (errand->answer && answer)
		*errand->answer = *answer;
	atomic_store(&errand->done, true); /* from here on the errand may be gone */
	waiter_wake(waiter);
}

static void errand_call_done(struct call *call, const struct s3_answer *answer)
{
	errand_done(call->user, answer);
}

static void errand_copy_done(struct copy *copy, const struct s3_answer *answer)
{
	errand_done(copy->user, answer);
}

static void errand_twins_done(struct twins *twins)
{
	errand_done(twins->user, NULL);
}

static void errand_start(struct task *task, struct worker *worker)
{
	struct errand *errand = (struct errand *)((char *)task - offsetof(struct errand, start));

	if (errand->call)
		call_start(worker, errand->call);
	else if (errand->twins)
		twins_start(worker, errand->twins);
	else
		copy_start(worker, errand->copy);
	atomic_fetch_sub(&errand->posted, 1); /* on_done never comes from inside: the errand is still there */
}

static void errand_cancel(struct task *task, struct worker *worker)
{
	struct errand *errand = (struct errand *)((char *)task - offsetof(struct errand, cancel));
	struct waiter *waiter = errand->waiter;

	if (!atomic_load(&errand->done)) {
		if (errand->call)
			call_cancel(errand->call);
		else if (errand->twins)
			call_cancel(&errand->twins->call);
		else
			copy_cancel(errand->copy);
	}
	atomic_fetch_sub(&errand->posted, 1);
	waiter_wake(waiter);
}

static void errand_run(struct errand *errand, struct engine *engine)
{
	struct worker *worker = engine_pick(engine);
	bool cancelled = false, cut = false;

	errand->start.run = errand_start;
	errand->cancel.run = errand_cancel;
	atomic_store(&errand->posted, 1);
	worker_post(worker, &errand->start);
	while (!atomic_load(&errand->done) || atomic_load(&errand->posted) > 0) {
		if (waiter_interrupted(errand->waiter) && !cancelled && !atomic_load(&errand->done)) {
			cancelled = true;
			atomic_fetch_add(&errand->posted, 1);
			worker_post(worker, &errand->cancel);
			if (errand->copy)
				waiter_say_stopping(errand->waiter);
		}
		if (errand->waiter->signals > 1 && !cut) {
			cut = true;
			engine_cut(engine);
			if (errand->copy)
				waiter_say_cut(errand->waiter);
		}
		waiter_wait(errand->waiter, -1, -1);
	}
}

int waiter_call(struct waiter *waiter, struct engine *engine, struct call *call, struct s3_answer *ret_answer)
{
	struct errand errand = {.waiter = waiter, .call = call, .answer = ret_answer};

	call->on_done = errand_call_done;
	call->user = &errand;
	errand_run(&errand, engine);
	return call->error;
}

int waiter_copy(struct waiter *waiter, struct engine *engine, struct copy *copy, struct s3_answer *ret_answer)
{
	struct errand errand = {.waiter = waiter, .copy = copy, .answer = ret_answer};

	copy->on_done = errand_copy_done;
	copy->user = &errand;
	errand_run(&errand, engine);
	return copy->error;
}

enum twins_verdict waiter_twins(struct waiter *waiter, struct engine *engine, struct twins *twins)
{
	struct errand errand = {.waiter = waiter, .twins = twins};

	twins->on_done = errand_twins_done;
	twins->user = &errand;
	errand_run(&errand, engine);
	return twins->verdict;
}
