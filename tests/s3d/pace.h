/*
 * Time: how long each operation takes, how many a second are allowed, and the timers behind it.
 * Times are microseconds of CLOCK_MONOTONIC.  One thread.
 */
#ifndef S3D_PACE_H
#define S3D_PACE_H

#include "tests/s3d/ops.h"

#include <stddef.h>
#include <stdint.h>

struct timer {
	uint64_t due;
	size_t index; /* in the heap + 1; 0: not armed */
	void (*fire)(struct timer *timer);
};

struct bucket_rate {
	double per_second; /* 0: no limit */
	double tokens;
	uint64_t filled;
};

struct pace {
	int64_t latency[OP_NAMES]; /* us; -1: not set */
	struct bucket_rate rate[OP_NAMES];
	struct timer **heap;
	size_t count, room;
};

uint64_t now_us(void);
void pace_init(struct pace *pace);
void pace_release(struct pace *pace);
/* The delay of an operation: its own setting, else its group's, else any's. */
uint64_t pace_latency(const struct pace *pace, enum op op);
/* Whether the operation may go on now; takes a token of its own rate and of its groups'. */
bool pace_admit(struct pace *pace, enum op op);
void pace_set_rate(struct pace *pace, enum op op, double per_second);

/* Arms the timer; 0 or -ENOMEM. */
int timer_arm(struct pace *pace, struct timer *timer, uint64_t due);
void timer_cancel(struct pace *pace, struct timer *timer);
/* Fires what is due. */
void timers_run(struct pace *pace);
/* Microseconds until the next one, or -1. */
int64_t timers_next(const struct pace *pace);

#endif
