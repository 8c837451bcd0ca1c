/*
 * call_queue: lists of calls, and the queue of those that wait for a place in a window.
 *
 * A call is in one list at most and is linked through its own next and prev.  A window has two queues:
 * interactive calls and bulk calls (CALL_BULK).  Worker thread only.
 */
#ifndef FERRYFS_ENGINE_WIRE_CALL_QUEUE_H
#define FERRYFS_ENGINE_WIRE_CALL_QUEUE_H

#include <stdbool.h>

struct call;
struct window;

struct call_list {
	struct call *first, *last;
};

void call_list_push(struct call_list *list, struct call *call);
void call_list_push_front(struct call_list *list, struct call *call);
void call_list_remove(struct call_list *list, struct call *call);
struct call *call_list_pop(struct call_list *list);

/* Queues a call at the end, or in front of all others of its kind. */
void call_queue_push(struct window *window, struct call *call, bool in_front);
/* Takes a call out of the queue that it is in. */
void call_queue_remove(struct window *window, struct call *call);
/* The next call to send, taken out of the queue; NULL when there is none, or no room for it. */
struct call *call_queue_pop(struct window *window, bool bulk);

#endif
