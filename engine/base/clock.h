/*
 * clock: time that never jumps (CLOCK_MONOTONIC), in ms, and waits that end by it.
 *
 * Any thread; nothing fails.
 */
#ifndef FERRYFS_ENGINE_BASE_CLOCK_H
#define FERRYFS_ENGINE_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* ms since some start.  The kernel's last tick: up to 10 ms late, and the cheapest to ask for.  Not to be mixed with
 * clock_exact_ms. */
uint64_t clock_ms(void);
uint64_t clock_exact_ms(void);

/* A condition whose waits end by this clock.  The caller destroys it. */
void clock_cond_init(pthread_cond_t *cond);
/* The end of a wait of limit_ms from now, for pthread_cond_timedwait on such a condition. */
struct timespec clock_deadline(uint64_t limit_ms);

#endif
