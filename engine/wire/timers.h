/*
 * timers: a worker's timers, a binary heap by due time.
 *
 * The heap keeps pointers to timers that belong to their callers; a timer knows its place (index, from 1), so
 * that clearing one is as cheap as setting one.  Times are milliseconds of any clock that the owner passes
 * in.  One thread.
 */
#ifndef FERRYFS_ENGINE_WIRE_TIMERS_H
#define FERRYFS_ENGINE_WIRE_TIMERS_H

#include <stddef.h>
#include "engine/base/task.h"

struct timers {
	struct timer **heap; /* from 1: heap[0] is unused */
	size_t count, size;
};

void timers_init(struct timers *timers);
/* Forgets the timers that are still set. */
void timers_release(struct timers *timers);
/* Moves a timer that is set already.  -ENOMEM. */
int timers_set(struct timers *timers, struct timer *timer, uint64_t due_ms);
void timers_clear(struct timers *timers, struct timer *timer);
/* The due time of the first, UINT64_MAX when none is set. */
uint64_t timers_next(const struct timers *timers);
/* Takes out and returns the first when it is due, else NULL. */
struct timer *timers_pop(struct timers *timers, uint64_t now_ms);

#endif
