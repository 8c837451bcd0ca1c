/*
 * call: one S3 request, from asking to its final answer, through as many attempts as that needs.
 *
 * States: IDLE -> QUEUED (waits for a place in the worker's window) -> ACTIVE (an attempt is on the wire) ->
 * WAITING (back-off before the next attempt) -> QUEUED ... -> IDLE, then on_done, exactly once.  Every
 * transition happens on the worker's thread.
 *
 * The caller owns the call's memory and everything its request points to until on_done; on_done may free it
 * or start it again.  The answer lies with the attempt and is lent to on_done only.
 *
 * These are retried: connection errors, time-outs, cut answers and those that s3_answer_retry names, with
 * capped exponential back-off and full jitter.  When a call is given up depends on the seeming cause of the
 * fault:
 *
 * | failure                             | the call ends                                                    |
 * |-------------------------------------|------------------------------------------------------------------|
 * | slow-down (503, throttling)         | after `limit`                                                    |
 * | server error (500, 502, 504, ...)   | where the service answered others well meanwhile: the fault is   |
 * |                                     | this object's; after `retries` more attempts.  Where others      |
 * |                                     | failed, too: after `limit`.  Where no other call asked: after    |
 * |                                     | LONE_COURSES times as long as `retries` attempts take on average |
 * | no connection, no answer, a cut one | after `retries` more attempts, the last not before all would     |
 * |                                     | have been made on average                                        |
 *
 * `limit` is the time that all attempts may take without an answer, RETRY_SLOW_TOTAL_MS at most.  With
 * retries 0 only slow-downs are waited out.  All of these also hold the window back.  A retry budget, one for
 * each account, makes calls wait longer where nearly everything fails, so that a dead server is not asked
 * thousands of times; it fails nothing.
 *
 * A service that has failed every call until one was given up so, and for DEAD_MS or `limit`, is dead for the
 * time being: calls of thousands (CALL_BULK) that wait for their turn end with its last error, and the others
 * after one attempt.  The first good answer ends that.
 *
 * A wrong region, an expired token and a skewed clock are put right once and asked again at once.  A GET with
 * bytes in its sink is not retried (-EIO): the reader goes on from where it was.  S3_CREATE_UPLOAD may leave
 * a second upload behind when its answer was lost: the caller lists and names it.
 */
#ifndef FERRYFS_ENGINE_WIRE_CALL_H
#define FERRYFS_ENGINE_WIRE_CALL_H

#include "engine/account/account.h"
#include "engine/wire/engine.h"
#include "s3/answer.h"

struct attempt;
struct window;

enum call_flags {
	CALL_BULK = 1, /* one of thousands: interactive calls go before it */
	CALL_ONCE = 2, /* never a second attempt after the request may have been taken (ambiguous outcomes are
			  the caller's) */
	CALL_LAST = 4, /* set while it is active, to cancel it without cutting it: an attempt on the wire is
			  waited for, and a refusal that would be tried again ends it with -ECANCELED */
};

/* ENDED: the outcome is known, on_done comes in this turn of the loop. */
enum call_state { CALL_IDLE, CALL_QUEUED, CALL_ACTIVE, CALL_WAITING, CALL_ENDED };

struct call {
	/* given by the caller */
	struct s3_request request;
	struct account *account; /* lent */
	struct s3_sinks
		sinks; /* cleared anew by the worker for each attempt (page, delete results, headers, tags) */
	int body_fd; /* S3_PUT_OBJECT, S3_UPLOAD_PART: body_length bytes from here ... */
	uint64_t body_offset; /* ... on, by pread; -EIO when the file is shorter */
	const char *body_data; /* or from memory, when not NULL; body_offset does not count here */
	uint64_t expect_bytes; /* how much the server has to move (a copy's size): lengthens the time-out */
	unsigned expect_keys; /* how many objects it has to remove: so does that */
	unsigned flags;
	void (*on_done)(
		struct call *call, const struct s3_answer *answer); /* answer never NULL; worker thread */
	void *user;

	/* result, for on_done */
	int error; /* 0: acknowledged by S3; -errno otherwise (-ECANCELED when cancelled) */
	unsigned attempts; /* on the wire so far */
	bool ambiguous; /* some attempt was sent and ended without an answer (also because it was
			 * cancelled), or with a 5xx other than a slow-down: it may have taken effect
			 * even where the final answer says otherwise */

	/* private to the worker */
	enum call_state state;
	bool cancelled;
	uint64_t taken;
	struct call *next, *prev;
	struct timer timer;
	struct attempt *attempt;
	struct worker *worker;
	struct window *window;
	uint64_t started_ms; /* of the first attempt; 0: there was none */
	unsigned slowed; /* attempts refused with a slow-down */
	unsigned failed; /* other attempts that failed for a cause that may pass, also before the wire */
	uint64_t good_before; /* the service's good answers when the call began */
	uint64_t good; /* ... and at the last of those failures */
	bool others; /* another call had a good answer between the last two failures of this one */
	bool given_up; /* it ended without a last attempt: the window has the words */
	unsigned char region_fixes, renewals, clock_fixes;
	struct task task;
};

/* Zeroes it and sets body_fd to -1. */
void call_init(struct call *call);

/* Worker thread.  on_done never comes from inside. */
void call_start(struct worker *worker, struct call *call);
/* Any thread. */
void call_post(struct worker *worker, struct call *call);
/* Worker thread: ends it with -ECANCELED; on_done comes soon, not from inside.  No effect on an idle call. */
void call_cancel(struct call *call);

/* Worker thread: a time of many calls is over; gives back the places on the wire that were pooled for it. */
void call_trim(struct worker *worker);

/* Blocks until it is done (not from a worker); returns call->error and copies the answer to *ret_answer where
 * not NULL. on_done and user are used by it. */
int call_wait(struct engine *engine, struct call *call, struct s3_answer *ret_answer);

#endif
