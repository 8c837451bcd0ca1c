/*
 * worker: the state of one worker, for the engine's own files; loop.h runs it.
 *
 * Places on the wire: each account has its window, of up to `ceiling`.  All together have at most WORKER_FULL
 * times that and, for each, WORKER_RESERVE more: however many accounts are stuck, another one has room.
 *
 * Everything is the worker thread's own except `mailbox`, `stop` and `counters`.
 */
#ifndef FERRYFS_ENGINE_WIRE_WORKER_H
#define FERRYFS_ENGINE_WIRE_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include "engine/wire/work_clock.h"
#include "engine/wire/mailbox.h"
#include "engine/wire/retry.h"
#include "engine/wire/sockets.h"
#include "engine/wire/stats.h"
#include "engine/wire/timers.h"
#include "engine/wire/window.h"

struct attempt;
struct attempt_reader;

enum {
	WORKER_WINDOWS = 64, /* accounts; past it the least used idle one is taken over, or one is shared */
	WORKER_FULL = 4, /* so many windows may be full at once ... */
	WORKER_RESERVE = WINDOW_START, /* ... and each other one may have so many on the wire besides */
};

/* Written by the worker with relaxed stores, read by any thread. */
struct counters {
	_Atomic uint64_t requests[S3_OP_COUNT];
	_Atomic uint64_t failed, retried, slowed, timeouts;
	_Atomic uint64_t object_bytes_in, object_bytes_out;
	_Atomic uint64_t connections;
	_Atomic unsigned active, queued, waiting, window;
};

/* One writer: no locked instruction needed. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + n, memory_order_relaxed);
}

struct worker {
	struct engine *engine;
	pthread_t thread;
	unsigned index;
	unsigned ceiling; /* of attempts on the wire here for one account */
	struct mailbox mailbox;
	atomic_bool stop;
	atomic_bool cut; /* every call ends at once, also those on the wire */

	struct clock clock;
	uint64_t now_ms; /* of the clock */
	uint64_t turns; /* of the loop */
	uint64_t judging; /* the turn at which some attempt was found overdue; 0: none is */
	struct sockets sockets;
	struct timers timers;
	struct timer scan; /* looks for time-outs */
	uint64_t random;
	struct signer *signer;
	struct s3_wire wire; /* work space of every attempt's start */

	struct window windows[WORKER_WINDOWS];
	unsigned window_count; /* used so far */
	unsigned turn; /* the window that is served first, for fairness */
	struct call_list active; /* ACTIVE */
	struct call_list waiting; /* WAITING */
	struct call_list ended; /* ENDED: on_done is to be called */
	unsigned active_count, waiting_count;

	struct attempt *idle; /* pool, last used first */
	struct attempt *all;
	struct attempt_reader *readers; /* pool */
	unsigned reader_count; /* in it */

	struct counters counters;
};

struct engine {
	unsigned worker_count;
	unsigned inflight, retries, timeout_ms, connect_timeout_ms;
	char *ca_bundle;
	bool no_verify_tls;
	bool proxied; /* the environment names a proxy */
	_Atomic unsigned next;
	struct worker *workers;
};

int worker_init(struct worker *worker, struct engine *engine, unsigned index);
/* After loop_release. */
void worker_release(struct worker *worker);
/* Brings the worker's clock up to date; waited_ms: how long the turn meant to wait (work_clock.h). */
void worker_look_at_clock(struct worker *worker, uint64_t waited_ms);
/* Says to worker_is_here that the calling thread is this worker's from now on; returns the worker that it
 * belonged to. */
struct worker *worker_enter(struct worker *worker);

/* Connections that are kept at most, in use or not. */
long worker_connections(const struct worker *worker);
/* The window of an account, made when there is none. */
struct window *worker_window(struct worker *worker, const struct account *account);

#endif
