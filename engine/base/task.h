/*
 * task: the two things that a worker runs for its callers: a task posted from any thread, and a timer.
 *
 * Both are the caller's memory and part of a structure of the caller's.  The worker links them, and forgets
 * them before it calls `run`.  engine/wire/engine.h posts tasks and sets timers.
 */
#ifndef FERRYFS_ENGINE_BASE_TASK_H
#define FERRYFS_ENGINE_BASE_TASK_H

#include <stdint.h>

struct worker;

struct task {
	struct task *next;
	void (*run)(struct task *task, struct worker *worker); /* worker thread */
};

struct timer {
	void (*run)(struct timer *timer, struct worker *worker);
	uint64_t due_ms; /* private, as is index */
	unsigned index; /* 0: not set */
};

#endif
