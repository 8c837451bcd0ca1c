#include "fs/host/caller_resolver.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/host/caller_pool.h"

enum { EVENTS_AT_ONCE = 32 };

struct resolver {
	struct caller_pool *pool; /* the thread's own, while that runs */
	pthread_t thread;
	bool started; /* and not joined */
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

/* From the pool, or from nobody: bytes NULL. */
static void resolve_done(struct resolve *resolve)
{
	int pidfd = resolve->pidfd;

	resolve->pidfd = -1;
	if (resolve->question == CALLER_WHO && resolve->bytes && resolve->len == sizeof(resolve->caller))
		memcpy(&resolve->caller, resolve->bytes, sizeof(resolve->caller));
	if (pidfd >= 0 && resolve->caller.plain && !process_ended(pidfd))
		resolve->pidfd = pidfd;
	else if (pidfd >= 0)
		close(pidfd);
	resolve->on_done(resolve);
}

static void resolve_begin(struct resolve *resolve)
{
	resolve->caller =
		(struct caller){.pid = resolve->pid, .tool = CALLER_OTHER, .device = resolve->device};
	resolve->bytes = NULL;
	resolve->len = 0;
	resolve->pidfd = -1;
}

static void resolver_put(struct resolver *resolver, struct resolve *resolve)
{
	resolve_begin(resolve);
	if (resolve->pid <= 0) {
		resolve_done(resolve);
		return;
	}
	if (resolve->question == CALLER_WHO)
		resolve->pidfd = (int)syscall(SYS_pidfd_open, resolve->pid, 0);
	caller_pool_add(resolver->pool, resolve);
}

static struct resolve *caller_resolver_take(struct resolver *resolver, bool *ret_stop)
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

static void resolver_events(struct resolver *resolver, const struct epoll_event *events, int count)
{
	uint64_t woken;

	for (int i = 0; i < count; i++) {
		struct process_watch *watch = events[i].data.ptr;

		if ((void *)watch == resolver->pool)
			continue;
		if (watch) {
			epoll_ctl(resolver->epoll, EPOLL_CTL_DEL, watch->pidfd, NULL);
			watch->on_end(watch);
		} else if (read(resolver->event, &woken, sizeof(woken)) < 0) {
			continue; /* somebody else's wake-up was read along with it */
		}
	}
}

static void *resolver_run(void *user)
{
	struct resolver *resolver = user;
	struct epoll_event events[EVENTS_AT_ONCE];
	bool stop = false;

	while (!stop) {
		int wait_ms = caller_pool_step(resolver->pool);
		int count = epoll_wait(resolver->epoll, events, EVENTS_AT_ONCE, wait_ms);

		resolver_events(resolver, events, count);
		for (struct resolve *chain = caller_resolver_take(resolver, &stop), *next; chain;
			chain = next) {
			next = chain->next;
			resolver_put(resolver, chain);
		}
	}
	caller_pool_free(resolver->pool);
	resolver->pool = NULL;
	return NULL;
}

static int resolver_start(struct resolver *resolver)
{
	struct epoll_event event = {.events = EPOLLIN}, of_pool = {.events = EPOLLIN};

	resolver->epoll = epoll_create1(EPOLL_CLOEXEC);
	resolver->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (resolver->epoll < 0 || resolver->event < 0)
		return -errno;
	of_pool.data.ptr = resolver->pool;
	if (epoll_ctl(resolver->epoll, EPOLL_CTL_ADD, resolver->event, &event) < 0 ||
		epoll_ctl(resolver->epoll, EPOLL_CTL_ADD, caller_pool_fd(resolver->pool), &of_pool) < 0)
		return -errno;
	int error = pthread_create(&resolver->thread, NULL, resolver_run, resolver);

	resolver->started = error == 0;
	return -error;
}

static void resolver_release(struct resolver *resolver)
{
	caller_pool_free(resolver->pool);
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
	resolver->last = &resolver->first;
	resolver->epoll = resolver->event = -1;
	pthread_mutex_init(&resolver->lock, NULL);
	int error = caller_pool_new(proc, resolve_done, &resolver->pool);

	if (error == 0)
		error = resolver_start(resolver);
	if (error < 0) {
		resolver_release(resolver);
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

void resolver_stop(struct resolver *resolver)
{
	pthread_mutex_lock(&resolver->lock);
	resolver->stop = true;
	pthread_mutex_unlock(&resolver->lock);
	wake(resolver);
	if (resolver->started)
		pthread_join(resolver->thread, NULL);
	resolver->started = false;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	resolver_stop(resolver);
	resolver_release(resolver);
}

int resolver_ask(struct resolver *resolver, struct resolve *resolve)
{
	int error = 0;
	bool first = false;

	pthread_mutex_lock(&resolver->lock);
	if (resolver->stop) {
		error = -ECANCELED;
	} else if (resolver->count == RESOLVER_QUEUE_MAX) {
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
