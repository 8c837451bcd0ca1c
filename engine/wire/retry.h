/*
 * retry: when a failed attempt is made again.
 *
 * Delays are exponential, capped, with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter").
 * A budget, shared by all calls to one account, holds retries back when nearly everything fails: a dead
 * server is not asked thousands of times.  It is drawn by each retry, given back by each success and slowly
 * by time.  An empty budget fails nothing: a call then waits about as long as the longest delay.  Pure; clock
 * and randomness are passed in.
 */
#ifndef FERRYFS_ENGINE_WIRE_RETRY_H
#define FERRYFS_ENGINE_WIRE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RETRY_DEFAULT = 8, /* further attempts */
	RETRY_BASE_MS = 100,
	RETRY_CAP_MS = 20000, /* as the AWS SDKs' standard mode */
	RETRY_SLOW_BASE_MS = 50, /* after a slow-down: the window does the holding back */
	RETRY_SLOW_CAP_MS = 5000,
	RETRY_SLOW_TOTAL_MS = 300000, /* a call that is answered with slow-downs or server errors goes on this
					 long at most, with any number of attempts */
	RETRY_BUDGET = 1000,
	RETRY_BUDGET_PER_SECOND = 20,
};

struct retry_budget {
	uint64_t tokens_milli;
	uint64_t at_ms;
};

void retry_budget_init(struct retry_budget *budget, uint64_t now_ms);
/* May one more retry be made?  Draws on the budget when it may. */
bool retry_budget_take(struct retry_budget *budget, uint64_t now_ms);
/* Milliseconds to wait where the budget is empty; random is uniform. */
unsigned retry_delay_empty(uint64_t random);
/* Milliseconds that so many retries take on average: a call that gets no answer is not given up sooner.
 */
uint64_t retry_course_ms(unsigned retries);
/* A success. */
void retry_budget_give(struct retry_budget *budget);

/* Milliseconds to wait before attempt number `failed` + 1 when `failed` have failed (from 1); random is
 * uniform. */
unsigned retry_delay(unsigned failed, bool slowed, uint64_t random);

/* xorshift64* (Vigna, 2014): *state is never 0. */
uint64_t retry_random(uint64_t *state);

#endif
