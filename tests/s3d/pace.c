#include "tests/s3d/pace.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void pace_init(struct pace *pace)
{
	for (size_t i = 0; i < OP_NAMES; i++)
		pace->latency[i] = -1;
}

void pace_release(struct pace *pace)
{
	free(pace->heap);
	pace->heap = NULL;
	pace->count = pace->room = 0;
}

uint64_t pace_latency(const struct pace *pace, enum op op)
{
	int64_t us = pace->latency[op];

	if (us < 0)
		us = pace->latency[op_writes(op) ? OP_WRITE : OP_READ];
	if (us < 0)
		us = pace->latency[OP_ANY];
	return us < 0 ? 0 : (uint64_t)us;
}

/* A tenth of a second's worth may come at once. */
static double rate_burst(const struct bucket_rate *rate)
{
	return rate->per_second < 10 ? 1 : rate->per_second / 10;
}

static void rate_fill(struct bucket_rate *rate, uint64_t now)
{
	rate->tokens += rate->per_second * (double)(now - rate->filled) / 1e6;
	if (rate->tokens > rate_burst(rate))
		rate->tokens = rate_burst(rate);
	rate->filled = now;
}

bool pace_admit(struct pace *pace, enum op op)
{
	enum op which[] = {op, op_writes(op) ? OP_WRITE : OP_READ, OP_ANY};
	uint64_t now = 0;

	for (size_t i = 0; i < 3; i++) {
		struct bucket_rate *rate = &pace->rate[which[i]];

		if (rate->per_second <= 0)
			continue;
		if (!now)
			now = now_us();
		rate_fill(rate, now);
		if (rate->tokens < 1)
			return false;
	}
	for (size_t i = 0; i < 3 && now; i++)
		pace->rate[which[i]].tokens -= 1;
	return true;
}

void pace_set_rate(struct pace *pace, enum op op, double per_second)
{
	struct bucket_rate *rate = &pace->rate[op];

	rate->per_second = per_second;
	rate->tokens = rate_burst(rate);
	rate->filled = now_us();
}

static void heap_put(struct pace *pace, size_t at, struct timer *timer)
{
	pace->heap[at] = timer;
	timer->index = at + 1;
}

static void heap_up(struct pace *pace, size_t at, struct timer *timer)
{
	while (at && pace->heap[(at - 1) / 2]->due > timer->due) {
		heap_put(pace, at, pace->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(pace, at, timer);
}

static void heap_down(struct pace *pace, size_t at, struct timer *timer)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < pace->count && pace->heap[child + 1]->due < pace->heap[child]->due)
			child++;
		if (child >= pace->count || pace->heap[child]->due >= timer->due)
			break;
		heap_put(pace, at, pace->heap[child]);
		at = child;
	}
	heap_put(pace, at, timer);
}

int timer_arm(struct pace *pace, struct timer *timer, uint64_t due)
{
	if (pace->count == pace->room) {
		size_t room = pace->room ? pace->room * 2 : 1024;
		struct timer **grown = reallocarray(pace->heap, room, sizeof(struct timer *));

		if (!grown)
			return -ENOMEM;
		pace->heap = grown;
		pace->room = room;
	}
	timer->due = due;
	heap_up(pace, pace->count++, timer);
	return 0;
}

void timer_cancel(struct pace *pace, struct timer *timer)
{
	size_t at = timer->index - 1;
	struct timer *last;

	if (!timer->index)
		return;
	timer->index = 0;
	last = pace->heap[--pace->count];
	if (last == timer)
		return;
	heap_down(pace, at, last);
	heap_up(pace, last->index - 1, last);
}

void timers_run(struct pace *pace)
{
	uint64_t now;

	if (!pace->count)
		return;
	now = now_us();
	while (pace->count && pace->heap[0]->due <= now) {
		struct timer *timer = pace->heap[0];

		timer_cancel(pace, timer);
		timer->fire(timer);
	}
}

int64_t timers_next(const struct pace *pace)
{
	uint64_t now;

	if (!pace->count)
		return -1;
	now = now_us();
	return pace->heap[0]->due > now ? (int64_t)(pace->heap[0]->due - now) : 0;
}
