/*
 * worker: the inside of a worker, for the engine's own files (call, transfer, worker, stats).
 *
 * The loop of its thread, one turn:
 *   wait (epoll) -> libcurl's sockets -> answers that are complete -> mailbox -> timers -> on_done of what
 * has ended -> queued calls onto the wire -> libcurl's timer (starts them) -> again Nothing is started and
 * nobody is called back from inside a libcurl callback but a GET's on_data.
 *
 * An attempt that seems overdue is not timed out in that turn: its answer may lie in its socket, unread, for
 * one turn looks at a few sockets only, and the process may have been stopped.  It is timed out once every
 * socket that was readable then has been looked at (`judging`).
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

struct transfer;
struct reader;

enum {
	WORKER_WINDOWS = 64, /* accounts; past it the least used idle one is taken over, or one is shared */
	WORKER_FULL = 4, /* so many windows may be full at once ... */
	WORKER_RESERVE = WINDOW_START, /* ... and each other one may have so many on the wire besides */
};

/* Written by the worker with relaxed stores, read by anybody. */
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
	atomic_bool cut; /* every call ends at once, whatever is on the wire */

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

	struct transfer *idle; /* pool, last used first */
	struct transfer *all;
	struct reader *readers; /* pool */
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
/* After its thread has ended and worker_settle found nothing left. */
void worker_release(struct worker *worker);
/* The thread. */
void *worker_run(void *user);
/* Cancels every call, runs what is posted and calls back, until nothing is left; false when there was
 * nothing. The worker's thread, or after its end the one that frees the engine. */
bool worker_settle(struct worker *worker);

/* Connections that are kept at most, in use or not. */
long worker_connections(const struct worker *worker);
/* The window of an account, made when there is none. */
struct window *worker_window(struct worker *worker, const struct account *account);

/* ---- call.c; worker thread ---- */

/* The attempt on the wire is over: decides whether there is another.  outcome: 0 a whole answer, else -errno.
 */
void call_attempt_over(struct call *call, int outcome);
/* Has it been too long? */
bool call_is_overdue(const struct call *call);
/* Then the attempt ends with -ETIMEDOUT. */
void call_time_out(struct call *call);
/* Puts it on the wire. */
void call_launch(struct call *call);
/* A queued call ends without another attempt: its service is dead (patience.h). */
void call_give_up(struct call *call);
/* Calls on_done of all that have ended, and of those that end meanwhile.  True when there was one. */
bool call_run_ended(struct worker *worker);

#endif
