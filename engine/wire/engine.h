/*
 * engine: the workers, and how work reaches them.
 *
 * An engine has T workers.  A worker is a thread with its own curl_multi, connections, easy handles, timers
 * and signer; nothing of them is shared.  Work comes as tasks posted to a worker's mailbox (a locked list;
 * its eventfd is written only when the list goes from empty to non-empty); from then on everything happens on
 * the worker's thread without locks.  A task, call or timer is the caller's memory: the engine links it, runs
 * it, and forgets it before it calls back.
 *
 * Life-cycle: engine_new starts the threads; engine_free cancels the calls under way (each call's on_done
 * comes, with -ECANCELED), runs the posted tasks, and joins the threads.
 */
#ifndef FERRYFS_ENGINE_WIRE_ENGINE_H
#define FERRYFS_ENGINE_WIRE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include "engine/base/task.h"

struct engine;
struct worker;

struct engine_options {
	unsigned workers; /* 0: by measurement, from the number of CPUs */
	unsigned inflight; /* ceiling of attempts on the wire for one account, all workers together; 0: the
			    * default */
	unsigned retries; /* further attempts a call; UINT_MAX: the default */
	unsigned timeout_ms; /* without an answer's first byte, or without progress in a body; 0: the default
			      * (60 s). Copies and completions get longer by their size. */
	unsigned connect_timeout_ms; /* 0: the default (10 s) */
	const char *ca_bundle; /* NULL: the system's */
	bool no_verify_tls;
};

/* -EINVAL, -ENOMEM, or the errno of the system call that failed.  options' texts are copied. */
int engine_new(const struct engine_options *options, struct engine **ret);
void engine_free(struct engine *engine);

/* Any thread: every call under way, and every later one, ends with -ECANCELED at once, also one that is on
 * the wire (then call.ambiguous).  For a caller that will not wait any longer; only engine_free is of use
 * after it. */
void engine_cut(struct engine *engine);

unsigned engine_workers(const struct engine *engine);
unsigned engine_inflight(const struct engine *engine); /* the ceiling */
struct worker *engine_worker(struct engine *engine, unsigned index);
/* One after another; any thread. */
struct worker *engine_pick(struct engine *engine);

/* ---- mailbox; any thread ---- */
void worker_post(struct worker *worker, struct task *task);
bool worker_is_here(const struct worker *worker);

/* ---- timers; worker thread only ---- */
int worker_timer_set(
	struct worker *worker, struct timer *timer, unsigned delay_ms); /* sets anew when set; -ENOMEM */
void worker_timer_clear(struct worker *worker, struct timer *timer);
uint64_t worker_now_ms(const struct worker *worker); /* monotonic, of this turn of the loop */

#endif
