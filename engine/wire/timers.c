#include "engine/wire/timers.h"

#include <errno.h>
#include <stdlib.h>

void timers_init(struct timers *timers)
{
	*timers = (struct timers){0};
}

void timers_release(struct timers *timers)
{
	for (size_t i = 1; i <= timers->count; i++)
		timers->heap[i]->index = 0;
	free(timers->heap);
	*timers = (struct timers){0};
}

static void timers_place(struct timers *timers, struct timer *timer, size_t i)
{
	timers->heap[i] = timer;
	timer->index = (unsigned)i;
}

static void rise(struct timers *timers, struct timer *timer, size_t i)
{
	for (; i > 1 && timers->heap[i / 2]->due_ms > timer->due_ms; i /= 2)
		timers_place(timers, timers->heap[i / 2], i);
	timers_place(timers, timer, i);
}

static void sink(struct timers *timers, struct timer *timer, size_t i)
{
	for (;;) {
		size_t child = 2 * i;

		if (child > timers->count)
			break;
		if (child < timers->count && timers->heap[child + 1]->due_ms < timers->heap[child]->due_ms)
			child++;
		if (timers->heap[child]->due_ms >= timer->due_ms)
			break;
		timers_place(timers, timers->heap[child], i);
		i = child;
	}
	timers_place(timers, timer, i);
}

/* Finds the right place for a timer that is to stand at i or wherever its due time says. */
static void timers_settle(struct timers *timers, struct timer *timer, size_t i)
{
	if (i > 1 && timers->heap[i / 2]->due_ms > timer->due_ms)
		rise(timers, timer, i);
	else
		sink(timers, timer, i);
}

int timers_set(struct timers *timers, struct timer *timer, uint64_t due_ms)
{
	if (timer->index) {
		timer->due_ms = due_ms;
		timers_settle(timers, timer, timer->index);
		return 0;
	}
	if (timers->count + 2 > timers->size) {
		size_t size = timers->size ? 2 * timers->size : 64;
		struct timer **heap = realloc(timers->heap, size * sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		timers->heap = heap;
		timers->size = size;
	}
	timer->due_ms = due_ms;
	rise(timers, timer, ++timers->count);
	return 0;
}

void timers_clear(struct timers *timers, struct timer *timer)
{
	size_t i = timer->index;
	struct timer *last;

	if (!i)
		return;
	timer->index = 0;
	last = timers->heap[timers->count--];
	if (last != timer)
		timers_settle(timers, last, i);
}

uint64_t timers_next(const struct timers *timers)
{
	return timers->count ? timers->heap[1]->due_ms : UINT64_MAX;
}

struct timer *timers_pop(struct timers *timers, uint64_t now_ms)
{
	struct timer *timer;

	if (timers_next(timers) > now_ms)
		return NULL;
	timer = timers->heap[1];
	timers_clear(timers, timer);
	return timer;
}
