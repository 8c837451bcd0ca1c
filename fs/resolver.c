#include "fs/resolver.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 32 };

struct resolver {
	const char *proc;
	pthread_t thread;
	int epoll, event;
	pthread_mutex_t lock; /* a leaf; all below */
	struct resolve *first, **last;
	unsigned count;
	bool stop;
};

bool process_ended(int pidfd)
{
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) != 0;
}

static void answer(struct resolver *resolver, struct resolve *resolve)
{
	int pidfd = resolve->pid > 0 ? (int)syscall(SYS_pidfd_open, resolve->pid, 0) : -1;

	resolve->pidfd = -1;
	caller_read(resolver->proc, resolve->pid, &resolve->caller);
	if (pidfd >= 0 && resolve->caller.plain && !process_ended(pidfd))
		resolve->pidfd = pidfd;
	else if (pidfd >= 0)
		close(pidfd);
	resolve->on_done(resolve);
}

static struct resolve *take(struct resolver *resolver, bool *ret_stop)
{
	pthread_mutex_lock(&resolver->lock);
	struct resolve *chain = resolver->first;

	resolver->first = NULL;
	resolver->last = &resolver->first;
	resolver->count = 0;
	*ret_stop = resolver->stop;
	pthread_mutex_unlock(&resolver->lock);
	return chain;
}

static void answer_all(struct resolver *resolver, struct resolve *chain)
{
	while (chain) {
		struct resolve *resolve = chain;

		chain = resolve->next;
		answer(resolver, resolve);
	}
}

static void *run(void *user)
{
	struct resolver *resolver = user;
	struct epoll_event events[EVENTS_AT_ONCE];
	bool stop = false;

	while (!stop) {
		int count = epoll_wait(resolver->epoll, events, EVENTS_AT_ONCE, -1);
		uint64_t woken;

		for (int i = 0; i < count; i++) {
			struct process_watch *watch = events[i].data.ptr;

			if (watch) {
				epoll_ctl(resolver->epoll, EPOLL_CTL_DEL, watch->pidfd, NULL);
				watch->on_end(watch);
			} else if (read(resolver->event, &woken, sizeof(woken)) < 0 && errno != EAGAIN) {
				stop = true; /* cannot be, and would spin */
			}
		}
		bool asked;
		struct resolve *chain = take(resolver, &asked);

		stop |= asked;
		if (!stop) {
			answer_all(resolver, chain);
			continue;
		}
		for (; chain;) {
			struct resolve *resolve = chain;

			chain = resolve->next;
			resolve->pid = 0;
			answer(resolver, resolve);
		}
	}
	return NULL;
}

static int start(struct resolver *resolver)
{
	struct epoll_event event = {.events = EPOLLIN};

	resolver->epoll = epoll_create1(EPOLL_CLOEXEC);
	resolver->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (resolver->epoll < 0 || resolver->event < 0 ||
		epoll_ctl(resolver->epoll, EPOLL_CTL_ADD, resolver->event, &event) < 0)
		return -errno;
	return -pthread_create(&resolver->thread, NULL, run, resolver);
}

static void release(struct resolver *resolver)
{
	if (resolver->epoll >= 0)
		close(resolver->epoll);
	if (resolver->event >= 0)
		close(resolver->event);
	pthread_mutex_destroy(&resolver->lock);
	free(resolver);
}

int resolver_new(const char *proc, struct resolver **ret)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return -ENOMEM;
	resolver->proc = proc;
	resolver->last = &resolver->first;
	resolver->epoll = resolver->event = -1;
	pthread_mutex_init(&resolver->lock, NULL);
	int error = start(resolver);

	if (error < 0) {
		release(resolver);
		return error;
	}
	*ret = resolver;
	return 0;
}

static void wake(struct resolver *resolver)
{
	uint64_t one = 1;

	/* It fails only when it is readable already. */
	if (write(resolver->event, &one, sizeof(one)) < 0)
		return;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	pthread_mutex_lock(&resolver->lock);
	resolver->stop = true;
	pthread_mutex_unlock(&resolver->lock);
	wake(resolver);
	pthread_join(resolver->thread, NULL);
	release(resolver);
}

int resolver_ask(struct resolver *resolver, struct resolve *resolve)
{
	int error = 0;
	bool first = false;

	pthread_mutex_lock(&resolver->lock);
	if (resolver->stop || resolver->count == RESOLVER_QUEUE_MAX) {
		error = -EAGAIN;
	} else {
		first = resolver->count++ == 0;
		resolve->next = NULL;
		*resolver->last = resolve;
		resolver->last = &resolve->next;
	}
	pthread_mutex_unlock(&resolver->lock);
	if (first)
		wake(resolver);
	return error;
}

int resolver_watch(struct resolver *resolver, struct process_watch *watch)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = watch};

	return epoll_ctl(resolver->epoll, EPOLL_CTL_ADD, watch->pidfd, &event) < 0 ? -errno : 0;
}
