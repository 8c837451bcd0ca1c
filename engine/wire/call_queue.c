#include "engine/wire/call_queue.h"

#include <stddef.h>
#include "engine/wire/call.h"
#include "engine/wire/window.h"

void call_list_push(struct call_list *list, struct call *call)
{
	call->next = NULL;
	call->prev = list->last;
	if (list->last)
		list->last->next = call;
	else
		list->first = call;
	list->last = call;
}

void call_list_push_front(struct call_list *list, struct call *call)
{
	call->prev = NULL;
	call->next = list->first;
	if (list->first)
		list->first->prev = call;
	else
		list->last = call;
	list->first = call;
}

void call_list_remove(struct call_list *list, struct call *call)
{
	if (call->prev)
		call->prev->next = call->next;
	else
		list->first = call->next;
	if (call->next)
		call->next->prev = call->prev;
	else
		list->last = call->prev;
	call->next = call->prev = NULL;
}

struct call *call_list_pop(struct call_list *list)
{
	struct call *call = list->first;

	if (call)
		call_list_remove(list, call);
	return call;
}

static struct call_list *queue_list(struct window *window, const struct call *call)
{
	return call->flags & CALL_BULK ? &window->bulk : &window->interactive;
}

void call_queue_push(struct window *window, struct call *call, bool in_front)
{
	if (in_front)
		call_list_push_front(queue_list(window, call), call);
	else
		call_list_push(queue_list(window, call), call);
	window->queued++;
}

void call_queue_remove(struct window *window, struct call *call)
{
	call_list_remove(queue_list(window, call), call);
	window->queued--;
}

struct call *call_queue_pop(struct window *window, bool bulk)
{
	struct call *call = bulk ? window->bulk.first : window->interactive.first;

	if (!call || !window_room(window, bulk))
		return NULL;
	call_queue_remove(window, call);
	return call;
}
