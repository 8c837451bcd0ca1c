#include "fs/request/parked.h"

#include <errno.h>
#include <stddef.h>

#include "fs/early/early.h"
#include "fs/request/reply.h"

/* The kernel reports only the first signal of a request: after a harmless one ferryfs looks at the caller
 * again at this interval. */
enum { LOOK_AGAIN_MS = 200 };

static void parked_checked(struct parked *parked)
{
	atomic_store(&parked->checking, false);
	parked_drop(parked);
}

static void parked_look(struct parked *parked);

static void parked_look_again(struct timer *timer, struct worker *worker)
{
	parked_look((struct parked *)((char *)timer - offsetof(struct parked, again)));
}

/* On a worker: worker_timer_set and parked->killed need one. */
static void parked_looked(struct task *task, struct worker *worker)
{
	struct parked *parked = (struct parked *)((char *)task - offsetof(struct parked, task));

	if (!parked->fatal && !parked_answered(parked)) {
		parked->again = (struct timer){.run = parked_look_again};
		if (worker_timer_set(worker, &parked->again, LOOK_AGAIN_MS) == 0)
			return;
	}
	if (parked->fatal && parked->killed)
		parked->killed(parked);
	else if (parked->fatal && parked_take(parked))
		fuse_reply_err(parked->req, EINTR);
	parked_checked(parked);
}

static void parked_resolved(struct resolve *resolve)
{
	struct parked *parked = resolve->user;

	parked->fatal = resolve->bytes && *(const bool *)resolve->bytes;
	parked->task = (struct task){.run = parked_looked};
	worker_post(engine_pick(parked->hub->engine), &parked->task);
}

/* Does the signal end the caller?  A helper process looks (fs/host/caller_resolver.h): no thread of the
 * daemon reads /proc. */
static void parked_look(struct parked *parked)
{
	struct hub *hub = parked->hub;

	parked->resolve = (struct resolve){.pid = parked->thread,
		.uid = parked->uid,
		.question = CALLER_FATAL,
		.on_done = parked_resolved,
		.user = parked};
	int error = resolver_ask(hub->early->resolver, &parked->resolve);

	if (error == -EAGAIN)
		parked_resolved(&parked->resolve); /* too many callers are asked about: as if unknown */
	else if (error < 0)
		parked_checked(parked);
}

/* libfuse calls this function with the request's own lock held: the function only posts. */
static void parked_interrupted(fuse_req_t req, void *data)
{
	struct parked *parked = data;

	if (atomic_load(&parked->answered) || atomic_exchange(&parked->checking, true))
		return;
	parked_hold(parked);
	parked_look(parked);
}

void parked_init(struct parked *parked, fuse_req_t req, void (*free_it)(struct parked *parked))
{
	parked->hub = hub_of(req);
	parked->req = req;
	parked->thread = fuse_req_ctx(req)->pid;
	parked->uid = fuse_req_ctx(req)->uid;
	parked->free = free_it;
	parked->killed = NULL;
	atomic_init(&parked->holds, 1);
	atomic_init(&parked->answered, false);
	atomic_init(&parked->checking, false);
	hub_park(parked->hub);
	fuse_req_interrupt_func(req, parked_interrupted, parked);
}

bool parked_take(struct parked *parked)
{
	if (atomic_exchange(&parked->answered, true))
		return false;
	/* Waits for a running call of `parked_interrupted`; after this returns libfuse makes no such call. */
	fuse_req_interrupt_func(parked->req, NULL, NULL);
	return true;
}

bool parked_answered(const struct parked *parked)
{
	return atomic_load(&parked->answered);
}

void parked_hold(struct parked *parked)
{
	atomic_fetch_add(&parked->holds, 1);
}

void parked_drop(struct parked *parked)
{
	struct hub *hub = parked->hub;

	if (atomic_fetch_sub(&parked->holds, 1) != 1)
		return;
	parked->free(parked);
	hub_unpark(hub);
}

void parked_fail(struct parked *parked, int error)
{
	if (parked_take(parked))
		hub_reply_err(parked->req, error);
	parked_drop(parked);
}
