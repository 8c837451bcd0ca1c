/*
 * clock: the time a worker has been at work, in milliseconds.
 *
 * It runs with CLOCK_MONOTONIC but leaves out the times in which the worker could not run: the process was
 * stopped (Ctrl-Z, SIGSTOP, a debugger, a suspended machine), or a callback waited for something else (a pipe
 * that no process reads).  A server is not late by what its client slept, so no measure here (time-outs,
 * back-offs, round trips) counts such a pause.
 *
 * A pause shows at a turn's beginning: more time went by than the turn asked to wait for.  Pure; the time is
 * passed in; one thread.
 */
#ifndef FERRYFS_ENGINE_WIRE_WORK_CLOCK_H
#define FERRYFS_ENGINE_WIRE_WORK_CLOCK_H

#include <stdint.h>

enum { CLOCK_PAUSE_MS = 1000 }; /* a turn that was late by this much was held up by something */

struct clock {
	uint64_t raw_ms; /* CLOCK_MONOTONIC when it was last looked at */
	uint64_t paused_ms; /* left out so far */
};

/* A turn begins, raw_ms is CLOCK_MONOTONIC, and since the last one it was to wait for waited_ms at most.
 * Returns the worker's time. */
uint64_t clock_turn(struct clock *clock, uint64_t raw_ms, uint64_t waited_ms);

#endif
