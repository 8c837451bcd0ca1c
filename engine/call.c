#include "engine/call.h"

#include <errno.h>
#include <time.h>
#include "engine/crash.h"
#include "engine/log.h"
#include "engine/transfer.h"

enum {
	REGION_FIXES_MAX = 2,
	SLOW_BYTES_PER_MS = 10 << 10, /* a server is trusted to copy 10 MiB/s */
	ANSWER_LIMITS =
		5, /* an answer that has begun may take so many times the time-out, however it drips */
	RETRY_AFTER_MAX_S = 60,
	SKEW_MAX_S = 900, /* AWS: "the request timestamp must be within 15 minutes" */
};

void call_init(struct call *call)
{
	*call = (struct call){.body_fd = -1};
}

/* ---- states ---- */

/* Out of whatever list its state means. */
static void leave(struct call *call)
{
	struct worker *worker = call->worker;

	switch (call->state) {
	case CALL_QUEUED:
		window_unqueue(call->window, call);
		break;
	case CALL_ACTIVE:
		call_list_remove(&worker->active, call);
		worker->active_count--;
		break;
	case CALL_WAITING:
		call_list_remove(&worker->waiting, call);
		worker->waiting_count--;
		worker_timer_clear(worker, &call->timer);
		break;
	case CALL_IDLE:
	case CALL_ENDED:
		break;
	}
	call->state = CALL_IDLE;
}

static void end(struct call *call, int error)
{
	leave(call);
	call->state = CALL_ENDED;
	call->error = error;
	call_list_push(&call->worker->ended, call);
}

static void enqueue(struct call *call, bool in_front)
{
	leave(call);
	call->state = CALL_QUEUED;
	window_queue(call->window, call, in_front);
}

static void on_wait_over(struct timer *timer, struct worker *worker)
{
	struct call *call = (struct call *)((char *)timer - offsetof(struct call, timer));

	/* In front: it has waited longer than those that never were on the wire. */
	enqueue(call, true);
}

static void wait(struct call *call, unsigned delay_ms)
{
	struct worker *worker = call->worker;

	leave(call);
	call->timer.run = on_wait_over;
	if (worker_timer_set(worker, &call->timer, delay_ms) < 0) {
		end(call, -ENOMEM);
		return;
	}
	call->state = CALL_WAITING;
	call_list_push(&worker->waiting, call);
	worker->waiting_count++;
}

void call_start(struct worker *worker, struct call *call)
{
	call->error = 0;
	call->attempts = call->slowed = 0;
	call->ambiguous = call->cancelled = false;
	call->region_fixes = call->renewals = call->clock_fixes = 0;
	call->taken = 0;
	call->transfer = NULL;
	call->timer = (struct timer){0};
	call->worker = worker;
	call->state = CALL_IDLE;
	call->started_ms = worker->now_ms;
	call->window = NULL;
	if (atomic_load_explicit(&worker->stop, memory_order_relaxed)) {
		call->cancelled = true;
		end(call, -ECANCELED);
		return;
	}
	call->window = worker_window(worker, call->account);
	enqueue(call, false);
}

static void run_posted(struct task *task, struct worker *worker)
{
	call_start(worker, (struct call *)((char *)task - offsetof(struct call, task)));
}

void call_post(struct worker *worker, struct call *call)
{
	call->task = (struct task){.run = run_posted};
	worker_post(worker, &call->task);
}

void call_cancel(struct call *call)
{
	if (call->state == CALL_IDLE || call->state == CALL_ENDED)
		return;
	call->cancelled = true;
	/* An attempt on the wire is taken off it before on_done: here may be inside of a libcurl callback. */
	end(call, -ECANCELED);
}

void call_launch(struct call *call)
{
	struct worker *worker = call->worker;
	struct transfer *transfer = NULL;
	int rc;

	/* window_next took it out of the queue. */
	call->state = CALL_IDLE;
	rc = transfer_get(worker, &transfer);
	if (rc == 0) {
		call->transfer = transfer;
		rc = transfer_start(transfer, call);
	}
	if (rc < 0) {
		if (transfer) {
			transfer_idle(transfer);
			call->transfer = NULL;
		}
		end(call, rc);
		return;
	}
	transfer->ticket = window_send(call->window, worker->now_ms);
	call->attempts++;
	counter_add(&worker->counters.requests[call->request.op], 1);
	if (call->attempts > 1)
		counter_add(&worker->counters.retried, 1);
	call->state = CALL_ACTIVE;
	call_list_push(&worker->active, call);
	worker->active_count++;
}

/* ---- the end of an attempt ---- */

/* The transfer goes back to the pool: there will be another attempt. */
static void drop_transfer(struct call *call)
{
	transfer_idle(call->transfer);
	call->transfer = NULL;
}

static void again_at_once(struct call *call)
{
	drop_transfer(call);
	enqueue(call, true);
}

/* After a failure that may pass: another attempt later, or the end. */
static void again_later(struct call *call, int error)
{
	struct worker *worker = call->worker;
	unsigned failed = call->attempts - call->slowed;

	if (call->flags & CALL_LAST) {
		end(call, call->ambiguous ? error : -ECANCELED);
		return;
	}
	if ((call->flags & CALL_ONCE && call->ambiguous) || call->taken || failed > worker->engine->retries ||
		!retry_budget_take(&worker->budget, worker->now_ms)) {
		end(call, call->taken ? -EIO : error);
		return;
	}
	drop_transfer(call);
	wait(call, retry_delay(failed, false, retry_random(&worker->random)));
}

/* As long as all attempts may take without an answer: so timeout= and retries= bound this, too. */
static uint64_t slow_limit(const struct engine *engine)
{
	uint64_t limit = (engine->retries + (uint64_t)1) * engine->timeout_ms;

	return limit < RETRY_SLOW_TOTAL_MS ? limit : RETRY_SLOW_TOTAL_MS;
}

static void again_slower(struct call *call, const struct s3_answer *answer)
{
	struct worker *worker = call->worker;
	int64_t after = answer->retry_after;
	unsigned delay;

	counter_add(&worker->counters.slowed, 1);
	call->slowed++;
	if (call->flags & CALL_LAST || worker->now_ms - call->started_ms > slow_limit(worker->engine)) {
		end(call, call->flags & CALL_LAST && !call->ambiguous ? -ECANCELED : s3_answer_errno(answer));
		return;
	}
	delay = retry_delay(call->slowed, true, retry_random(&worker->random));
	if (after > 0)
		delay += 1000 * (unsigned)(after < RETRY_AFTER_MAX_S ? after : RETRY_AFTER_MAX_S);
	drop_transfer(call);
	wait(call, delay);
}

/* Are there credentials now that the attempt was not signed with? */
static bool renew(struct call *call)
{
	struct account *account = call->account;
	int rc;

	if (call->renewals++)
		return false;
	/* Another call may have had them renewed since. */
	if (account_credentials(account) != call->transfer->credentials)
		return true;
	rc = account_renew(account);
	return rc == 0 || (rc == -EAGAIN && account_credentials(account) != call->transfer->credentials);
}

/* What can be put right and asked again at once; false when it can't. */
static bool put_right(struct call *call, enum s3_retry retry, const struct s3_answer *answer)
{
	switch (retry) {
	case S3_RETRY_REGION:
		if (call->region_fixes++ >= REGION_FIXES_MAX || !answer->region[0])
			return false;
		account_learn_region(call->account, call->request.bucket, str_of(answer->region));
		return true;
	case S3_RETRY_RENEW:
		return renew(call);
	case S3_RETRY_CLOCK:
		if (call->clock_fixes++ || !answer->date)
			return false;
		account_learn_clock(call->account, answer->date);
		return true;
	case S3_RETRY_NO:
	case S3_RETRY_YES:
	case S3_RETRY_SLOWER:
		break;
	}
	return false;
}

/* The answer to a HEAD has no body to say why it was refused: what of it might be put right. */
static enum s3_retry unsaid(const struct call *call, const struct s3_answer *answer)
{
	int64_t ahead = answer->date - (int64_t)time(NULL) - call->transfer->clock_offset;

	if (answer->error.code[0] || (answer->status != 400 && answer->status != 403))
		return S3_RETRY_NO;
	return answer->date && (ahead > SKEW_MAX_S || ahead < -SKEW_MAX_S) ? S3_RETRY_CLOCK : S3_RETRY_RENEW;
}

static enum s3_retry retry_of(const struct call *call, const struct s3_answer *answer)
{
	enum s3_retry retry = s3_answer_retry(answer);

	/* Some servers name the region with every answer. */
	if (retry == S3_RETRY_REGION && strcmp(answer->region, call->transfer->region) == 0)
		retry = S3_RETRY_NO;
	return retry == S3_RETRY_NO ? unsaid(call, answer) : retry;
}

static void on_answer(struct call *call, const struct s3_answer *answer)
{
	int error = s3_answer_errno(answer);
	enum s3_retry retry = error ? retry_of(call, answer) : S3_RETRY_NO;

	switch (retry) {
	case S3_RETRY_NO:
		if (!error)
			retry_budget_give(&call->worker->budget);
		end(call, error);
		break;
	case S3_RETRY_YES:
		call->ambiguous = true;
		again_later(call, error);
		break;
	case S3_RETRY_SLOWER:
		again_slower(call, answer);
		break;
	case S3_RETRY_REGION:
	case S3_RETRY_RENEW:
	case S3_RETRY_CLOCK:
		if (put_right(call, retry, answer))
			again_at_once(call);
		else
			end(call, error);
		break;
	}
}

/* Does this error of a connection pass by itself? */
static bool passes(int error)
{
	return error == -ECONNRESET || error == -ECONNREFUSED || error == -ECONNABORTED ||
	       error == -ETIMEDOUT || error == -EHOSTUNREACH || error == -ENETUNREACH || error == -EBADMSG;
}

static void trace(const struct call *call, int outcome)
{
	const struct transfer *transfer = call->transfer;
	const struct s3_answer *answer = transfer_answer(transfer);
	char consequence[64];

	snprintf(consequence, sizeof(consequence), "attempt %u, status %d, %llu ms", call->attempts,
		answer->status, (unsigned long long)(call->worker->now_ms - transfer->started_ms));
	log_call(LOG_LEVEL_TRACE, &(struct log_call){.what = s3_op_name(call->request.op),
					  .bucket = call->request.bucket,
					  .key = call->request.key,
					  .error = outcome,
					  .answer = answer,
					  .consequence = consequence});
}

/* Does it speak for too many at once?  An answer that came and is broken does not. */
static bool is_overload(const struct transfer *transfer, int outcome, enum s3_retry retry)
{
	if (outcome == 0)
		return retry == S3_RETRY_SLOWER;
	if (transfer->sink_failed || !passes(outcome) || outcome == -EBADMSG)
		return false;
	return outcome == -ETIMEDOUT || transfer_answer(transfer)->status == 0;
}

void call_attempt_over(struct call *call, int outcome)
{
	struct transfer *transfer = call->transfer;
	enum s3_retry retry = outcome ? S3_RETRY_NO : s3_answer_retry(transfer_answer(transfer));
	bool bad = is_overload(transfer, outcome, retry);

	window_answer(call->window, transfer->ticket, bad ? WINDOW_BAD : WINDOW_GOOD, call->worker->now_ms);
	if (log_enabled(LOG_LEVEL_TRACE))
		trace(call, outcome);
	if (outcome == 0) {
		on_answer(call, transfer_answer(transfer));
		return;
	}
	if (outcome == -ETIMEDOUT)
		counter_add(&call->worker->counters.timeouts, 1);
	if (transfer->sent)
		call->ambiguous = true;
	if (transfer->sink_failed || !passes(outcome))
		end(call, outcome);
	else
		again_later(call, outcome);
}

/* How long an answer is on its way that should be short; 0: none has begun, or it is an object's bytes, each
 * of which is progress. */
static uint64_t dripping(const struct call *call)
{
	const struct transfer *transfer = call->transfer;

	if (!transfer->reader || (call->sinks.on_data && transfer_answer(transfer)->status < 300))
		return 0;
	return call->worker->now_ms - transfer->answered_ms;
}

void call_check_timeout(struct call *call)
{
	struct transfer *transfer = call->transfer;
	const struct engine *engine = call->worker->engine;
	uint64_t limit = engine->timeout_ms + call->expect_bytes / SLOW_BYTES_PER_MS;
	uint64_t quiet = call->worker->now_ms - transfer->progress_ms;
	uint64_t drips = dripping(call);
	const char *what = "nothing came";

	if (transfer->connecting) {
		limit = engine->connect_timeout_ms;
		what = "no connection";
	}
	if (quiet <= limit && drips <= limit * ANSWER_LIMITS)
		return;
	transfer_stop(transfer);
	if (quiet <= limit) {
		what = "no end of the answer";
		quiet = drips;
	}
	transfer_explain(transfer, "%s for %llu ms", what, (unsigned long long)quiet);
	call_attempt_over(call, -ETIMEDOUT);
}

/* ---- the end of a call ---- */

static void call_back(struct worker *worker, struct call *call)
{
	struct transfer *transfer = call->transfer;

	if (transfer && transfer->running) {
		transfer_stop(transfer);
		window_answer(call->window, transfer->ticket, WINDOW_SILENT, worker->now_ms);
	}
	if (call->error && call->error != -ECANCELED)
		counter_add(&worker->counters.failed, 1);
	call->state = CALL_IDLE;
	call->transfer = NULL;
	crash_step();
	/* The call may be gone, or started anew, when this returns; its transfer is not. */
	call->on_done(call, transfer_answer(transfer));
	if (transfer)
		transfer_idle(transfer);
}

bool call_run_ended(struct worker *worker)
{
	struct call *call = call_list_pop(&worker->ended);

	if (!call)
		return false;
	for (; call; call = call_list_pop(&worker->ended))
		call_back(worker, call);
	return true;
}

/* ---- waiting for one ---- */

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
	struct s3_answer *answer;
};

static void wake_waiter(struct call *call, const struct s3_answer *answer)
{
	struct waiter *waiter = call->user;

	pthread_mutex_lock(&waiter->lock);
	if (waiter->answer)
		*waiter->answer = *answer;
	waiter->done = true;
	pthread_cond_signal(&waiter->changed);
	pthread_mutex_unlock(&waiter->lock);
}

int call_wait(struct engine *engine, struct call *call, struct s3_answer *ret_answer)
{
	struct waiter waiter = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.answer = ret_answer,
	};
	struct worker *worker = engine_pick(engine);

	for (unsigned i = 0; i < engine_workers(engine); i++) {
		if (worker_is_here(engine_worker(engine, i)))
			return -EDEADLK;
	}
	call->on_done = wake_waiter;
	call->user = &waiter;
	call_post(worker, call);
	pthread_mutex_lock(&waiter.lock);
	while (!waiter.done)
		pthread_cond_wait(&waiter.changed, &waiter.lock);
	pthread_mutex_unlock(&waiter.lock);
	pthread_cond_destroy(&waiter.changed);
	pthread_mutex_destroy(&waiter.lock);
	return call->error;
}
