#include "engine/wire/mailbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_init(struct mailbox *box)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (event < 0)
		return -errno;
	*box = (struct mailbox){.event = event};
	pthread_mutex_init(&box->lock, NULL);
	return 0;
}

void mailbox_release(struct mailbox *box)
{
	close(box->event);
	pthread_mutex_destroy(&box->lock);
}

void mailbox_wake(struct mailbox *box)
{
	uint64_t one = 1;

	/* The write fails only when the counter is full, and then the event is readable anyway. */
	if (write(box->event, &one, sizeof(one)) < 0)
		return;
}

void mailbox_hush(struct mailbox *box)
{
	uint64_t count;

	/* EAGAIN: it was not readable, as it should be. */
	if (read(box->event, &count, sizeof(count)) < 0)
		return;
}

void mailbox_post(struct mailbox *box, struct task *first)
{
	struct task *last = first;
	bool was_empty;

	if (!first)
		return;
	while (last->next)
		last = last->next;
	pthread_mutex_lock(&box->lock);
	was_empty = !box->first;
	if (was_empty)
		box->first = first;
	else
		box->last->next = first;
	box->last = last;
	pthread_mutex_unlock(&box->lock);
	if (was_empty)
		mailbox_wake(box);
}

struct task *mailbox_take(struct mailbox *box)
{
	struct task *first;

	pthread_mutex_lock(&box->lock);
	first = box->first;
	box->first = box->last = NULL;
	pthread_mutex_unlock(&box->lock);
	return first;
}
