/*
 * mailbox: how tasks reach a worker from other threads.
 *
 * A list under one lock, with an eventfd that is written only when the list goes from empty to non-empty: a
 * thousand posts cost one system call.  The worker takes the whole list at once, in the order of posting.
 */
#ifndef FERRYFS_ENGINE_WIRE_MAILBOX_H
#define FERRYFS_ENGINE_WIRE_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>
#include "engine/base/task.h"

struct mailbox {
	pthread_mutex_t lock;
	struct task *first, *last; /* protected by lock */
	int event; /* readable after a post to an empty box; the worker polls it */
};

/* 0 or -errno of eventfd(2). */
int mailbox_init(struct mailbox *box);
/* The box must be empty. */
void mailbox_release(struct mailbox *box);

/* Takes a chain linked through next, NULL at its end.  Any thread. */
void mailbox_post(struct mailbox *box, struct task *first);
/* The chain of all that was posted, or NULL.  One reader. */
struct task *mailbox_take(struct mailbox *box);
/* Makes the event readable without a task: to end a poll. */
void mailbox_wake(struct mailbox *box);
/* Makes the event unreadable again; the reader calls it before mailbox_take, when the poll says it is
 * readable. */
void mailbox_hush(struct mailbox *box);

#endif
