#include "fs/parked.h"

#include <errno.h>
#include <stddef.h>

#include "fs/interrupt.h"

/* The kernel tells of a request's first signal only: after a harmless one the caller is looked at so often.
 */
enum { LOOK_AGAIN_MS = 200 };

/* On a worker, since it reads /proc. */
static void look(struct parked *parked, struct worker *worker)
{
	bool fatal = interrupt_fatal(parked->thread);

	if (!fatal && !parked_answered(parked) &&
		worker_timer_set(worker, &parked->again, LOOK_AGAIN_MS) == 0)
		return;
	if (fatal && parked->killed)
		parked->killed(parked);
	else if (fatal && parked_take(parked))
		fuse_reply_err(parked->req, EINTR);
	atomic_store(&parked->checking, false);
	parked_drop(parked);
}

static void look_again(struct timer *timer, struct worker *worker)
{
	look((struct parked *)((char *)timer - offsetof(struct parked, again)), worker);
}

static void check(struct task *task, struct worker *worker)
{
	look((struct parked *)((char *)task - offsetof(struct parked, task)), worker);
}

/* libfuse calls this with the request's own lock held: it only posts. */
static void interrupted(fuse_req_t req, void *data)
{
	struct parked *parked = data;

	if (atomic_load(&parked->answered) || atomic_exchange(&parked->checking, true))
		return;
	parked_hold(parked);
	parked->task = (struct task){.run = check};
	parked->again = (struct timer){.run = look_again};
	worker_post(engine_pick(parked->hub->engine), &parked->task);
}

void parked_init(struct parked *parked, fuse_req_t req, void (*free_it)(struct parked *parked))
{
	parked->hub = hub_of(req);
	parked->req = req;
	parked->thread = fuse_req_ctx(req)->pid;
	parked->free = free_it;
	parked->killed = NULL;
	atomic_init(&parked->holds, 1);
	atomic_init(&parked->answered, false);
	atomic_init(&parked->checking, false);
	hub_park(parked->hub);
	fuse_req_interrupt_func(req, interrupted, parked);
}

bool parked_take(struct parked *parked)
{
	if (atomic_exchange(&parked->answered, true))
		return false;
	/* Waits for a call of `interrupted` under way: none comes once this is back. */
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

int parked_errno(int error)
{
	switch (error) {
	case -ECONNRESET:
	case -ECONNREFUSED:
	case -ECONNABORTED:
	case -ENOTCONN:
	case -EPIPE:
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -EADDRNOTAVAIL:
	case -EPROTO:
	case -EBADMSG:
	case -ECANCELED:
	case -EAGAIN:
		return -EIO;
	default:
		return error;
	}
}

void parked_fail(struct parked *parked, int error)
{
	if (parked_take(parked))
		hub_reply_err(parked->req, parked_errno(error));
	parked_drop(parked);
}
