#include "engine/wire/call.h"

#include <errno.h>
#include <time.h>
#include "engine/base/crash.h"
#include "engine/base/log.h"
#include "engine/wire/patience.h"
#include "engine/wire/attempt.h"
#include "engine/wire/call_internal.h"

enum {
	REGION_FIXES_MAX = 2,
	SLOW_BYTES_PER_MS = 10 << 10, /* a server is trusted to copy 10 MiB/s */
	SLOW_KEY_MS = 100, /* ... and to remove ten objects a second (Swift: 33) */
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

/* Takes the call out of the list of its state. */
static void leave(struct call *call)
{
	struct worker *worker = call->worker;

	switch (call->state) {
	case CALL_QUEUED:
		call_queue_remove(call->window, call);
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
	call_queue_push(call->window, call, in_front);
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
	call->request.ask_why = false; /* all may be well by then */
	call->timer.run = on_wait_over;
	if (worker_timer_set(worker, &call->timer, delay_ms) < 0) {
		end(call, -ENOMEM);
		return;
	}
	call->state = CALL_WAITING;
	call_list_push(&worker->waiting, call);
	worker->waiting_count++;
}

/* The attempt goes back to the pool: there will be another attempt. */
static void drop_attempt(struct call *call)
{
	if (call->attempt)
		attempt_idle(call->attempt);
	call->attempt = NULL;
}

void call_start(struct worker *worker, struct call *call)
{
	call->error = 0;
	call->attempts = call->slowed = call->failed = 0;
	call->ambiguous = call->cancelled = call->others = call->given_up = false;
	call->region_fixes = call->renewals = call->clock_fixes = 0;
	call->request.ask_why = false;
	call->taken = 0;
	call->attempt = NULL;
	call->timer = (struct timer){0};
	call->worker = worker;
	call->state = CALL_IDLE;
	call->started_ms = 0;
	call->window = NULL;
	if (atomic_load_explicit(&worker->stop, memory_order_relaxed) ||
		atomic_load_explicit(&worker->cut, memory_order_relaxed)) {
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

/* ---- another attempt? ---- */

static void note_failure(struct call *call)
{
	uint64_t good = call->window->good_of[call->request.op];

	call->others = call->failed > 0 && call->good != good;
	call->good = good;
	call->failed++;
}

/* The last retry is not made sooner than all of them take on average: jitter alone might have used them up in
 * a second or two. */
static unsigned last_delay(const struct call *call, unsigned delay)
{
	const struct worker *worker = call->worker;
	uint64_t course = retry_course_ms(worker->engine->retries);
	uint64_t age = worker->now_ms - call->started_ms;

	return age + delay < course ? (unsigned)(course - age) : delay;
}

/* After a failure that may pass, but for a slow-down: another attempt later, or the end. */
static void again_later(struct call *call, int error, enum fault fault)
{
	struct worker *worker = call->worker;
	unsigned delay;

	note_failure(call);
	if (call->flags & CALL_LAST) {
		end(call, call->ambiguous ? error : -ECANCELED);
		return;
	}
	if ((call->flags & CALL_ONCE && call->ambiguous) || call->taken || patience_ends(call, fault)) {
		end(call, call->taken ? -EIO : error);
		return;
	}
	if (retry_budget_take(&call->window->budget, worker->now_ms))
		delay = retry_delay(call->failed, fault == FAULT_ANSWERED, retry_random(&worker->random));
	else
		delay = retry_delay_empty(retry_random(&worker->random));
	if (fault == FAULT_SILENT && call->failed == worker->engine->retries)
		delay = last_delay(call, delay);
	drop_attempt(call);
	wait(call, delay);
}

static void again_slower(struct call *call, const struct s3_answer *answer)
{
	struct worker *worker = call->worker;
	int64_t after = answer->retry_after;
	unsigned delay;

	counter_add(&worker->counters.slowed, 1);
	call->slowed++;
	if (call->flags & CALL_LAST || patience_ends(call, FAULT_SLOWED)) {
		end(call, call->flags & CALL_LAST && !call->ambiguous ? -ECANCELED : s3_answer_errno(answer));
		return;
	}
	delay = retry_delay(call->slowed, true, retry_random(&worker->random));
	if (after > 0)
		delay += 1000 * (unsigned)(after < RETRY_AFTER_MAX_S ? after : RETRY_AFTER_MAX_S);
	drop_attempt(call);
	wait(call, delay);
}

void call_give_up(struct call *call)
{
	call->given_up = true;
	end(call, call->window->error);
}

/* ---- onto the wire ---- */

/* Takes a place and sends it; 0 or -errno, and then nothing is on the wire. */
static int send_attempt(struct call *call)
{
	struct attempt *attempt;
	int error = attempt_get(call->worker, &attempt);

	if (error < 0)
		return error;
	error = attempt_start(attempt, call);
	if (error < 0)
		attempt_free(attempt); /* in any state of libcurl's handle */
	else
		call->attempt = attempt;
	return error;
}

void call_launch(struct call *call)
{
	struct worker *worker = call->worker;
	int error;

	/* call_queue_pop took it out of the queue. */
	call->state = CALL_IDLE;
	if (call->started_ms == 0) {
		call->started_ms = worker->now_ms;
		call->good_before = call->window->outage.good;
	}
	error = send_attempt(call);
	if (error == -ENOMEM) {
		/* A lack of memory passes, too, as libcurl's refusals do. */
		again_later(call, error, FAULT_SILENT);
		return;
	}
	if (error < 0) {
		end(call, error);
		return;
	}
	call->attempt->ticket = window_send(call->window, worker->now_ms);
	call->attempts++;
	counter_add(&worker->counters.requests[call->request.op], 1);
	if (call->attempts > 1)
		counter_add(&worker->counters.retried, 1);
	call->state = CALL_ACTIVE;
	call_list_push(&worker->active, call);
	worker->active_count++;
}

/* ---- the end of an attempt ---- */

static void again_at_once(struct call *call)
{
	drop_attempt(call);
	enqueue(call, true);
}

/* Are there credentials now that the attempt was not signed with? */
static bool renew(struct call *call)
{
	struct account *account = call->account;
	int error;

	if (call->renewals++)
		return false;
	/* Another call may have had the credentials renewed since. */
	if (account_credentials(account) != call->attempt->credentials)
		return true;
	error = account_renew(account);
	return error == 0 || (error == -EAGAIN && account_credentials(account) != call->attempt->credentials);
}

/* Puts right a cause that can be put right, so that the call is asked again at once; false when it can't. */
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

/* The answer to a HEAD has no body to say why it was refused: the cause that might be put right. */
static enum s3_retry unsaid(const struct call *call, const struct s3_answer *answer)
{
	int64_t ahead = answer->date - (int64_t)time(NULL) - call->attempt->clock_offset;

	if (answer->error.code[0] || (answer->status != 400 && answer->status != 403))
		return S3_RETRY_NO;
	return answer->date && (ahead > SKEW_MAX_S || ahead < -SKEW_MAX_S) ? S3_RETRY_CLOCK : S3_RETRY_RENEW;
}

static enum s3_retry retry_of(const struct call *call, const struct s3_answer *answer)
{
	enum s3_retry retry = s3_answer_retry(answer);

	/* Some servers name the region with every answer. */
	if (retry == S3_RETRY_REGION && strcmp(answer->region, call->attempt->region) == 0)
		retry = S3_RETRY_NO;
	return retry == S3_RETRY_NO ? unsaid(call, answer) : retry;
}

/* The server, or a proxy before it, says that something broke there; a copy's answer may say so in a 200. */
static bool is_server_error(const struct s3_answer *answer)
{
	return answer->status >= 500 || strcmp(answer->error.code, "InternalError") == 0;
}

/* A HEAD refused by an unknown server: some services (Cloudflare R2) put no mark of S3 on it, and an ingress
 * has none.  The answer to a GET has S3's words in its body, if they are S3's. */
static bool asks_why(struct call *call, const struct s3_answer *answer)
{
	if (!s3_op_is_head(call->request.op) || call->request.ask_why || !s3_answer_is_foreign(answer) ||
		answer->status < 400 || call->flags & CALL_LAST)
		return false;
	call->request.ask_why = true;
	again_at_once(call);
	return true;
}

/* Notes the time by the server's clock.  Answers to GET and HEAD of an object may come out of a cache, with
 * their Date. */
static void see_date(const struct call *call, const struct s3_answer *answer)
{
	enum s3_op op = call->request.op;

	if (answer->date && answer->of_s3 && op != S3_GET_OBJECT && op != S3_HEAD_OBJECT)
		account_see_date(
			call->account, answer->date, call->worker->now_ms - call->attempt->started_ms < 1000);
}

static void on_answer(struct call *call, const struct s3_answer *answer)
{
	see_date(call, answer);
	if (asks_why(call, answer))
		return;
	int error = s3_answer_errno(answer);
	enum s3_retry retry = error ? retry_of(call, answer) : S3_RETRY_NO;

	switch (retry) {
	case S3_RETRY_NO:
		if (!error)
			retry_budget_give(&call->window->budget);
		end(call, error);
		break;
	case S3_RETRY_YES:
		call->ambiguous = true;
		again_later(call, error, is_server_error(answer) ? FAULT_ANSWERED : FAULT_SILENT);
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
static bool passes(const struct attempt *attempt, int error)
{
	return attempt->unresolved || error == -ECONNRESET || error == -ECONNREFUSED ||
	       error == -ECONNABORTED || error == -ETIMEDOUT || error == -EHOSTUNREACH ||
	       error == -ENETUNREACH || error == -EBADMSG;
}

static void trace(const struct call *call, int outcome)
{
	const struct attempt *attempt = call->attempt;
	const struct s3_answer *answer = attempt_answer(attempt);
	char consequence[64];

	snprintf(consequence, sizeof(consequence), "attempt %u, status %d, %llu ms", call->attempts,
		answer->status, (unsigned long long)(call->worker->now_ms - attempt->started_ms));
	log_call(LOG_LEVEL_TRACE, &(struct log_call){.what = s3_op_name(call->request.op),
					  .bucket = call->request.bucket,
					  .key = call->request.key,
					  .error = outcome,
					  .answer = answer,
					  .consequence = consequence});
}

/* The meaning of an attempt's end for the window.  An answer that came and is broken says nothing of the
 * load. */
static enum window_outcome window_outcome(const struct attempt *attempt, int outcome, enum s3_retry retry)
{
	const struct s3_answer *answer = attempt_answer(attempt);

	if (outcome == 0 && retry == S3_RETRY_SLOWER)
		return WINDOW_BAD;
	if (outcome == 0)
		return retry == S3_RETRY_YES && is_server_error(answer) ? WINDOW_FAILED : WINDOW_GOOD;
	if (attempt->sink_failed || !passes(attempt, outcome) || outcome == -EBADMSG)
		return WINDOW_GOOD;
	return outcome == -ETIMEDOUT || answer->status == 0 ? WINDOW_FAILED : WINDOW_GOOD;
}

/* Is the service in an outage? */
static void learn_outage(struct call *call, int error, bool failed)
{
	struct window *window = call->window;

	if (failed) {
		outage_failed(&window->outage, call->worker->engine->timeout_ms, call->worker->now_ms);
		window->error = error;
		window->words = attempt_answer(call->attempt)->error;
	} else {
		outage_good(&window->outage);
		window->good_of[call->request.op]++;
		window->spent = false;
	}
}

void call_attempt_over(struct call *call, int outcome)
{
	struct attempt *attempt = call->attempt;
	const struct s3_answer *answer = attempt_answer(attempt);
	enum s3_retry retry = outcome ? S3_RETRY_NO : s3_answer_retry(answer);
	enum window_outcome said = window_outcome(attempt, outcome, retry);

	window_answer(call->window, attempt->ticket, said, call->worker->now_ms);
	if (said != WINDOW_GOOD || outcome == 0)
		learn_outage(call, outcome ? outcome : s3_answer_errno(answer), said != WINDOW_GOOD);
	if (log_enabled(LOG_LEVEL_TRACE))
		trace(call, outcome);
	if (outcome == 0) {
		on_answer(call, answer);
		return;
	}
	if (outcome == -ETIMEDOUT)
		counter_add(&call->worker->counters.timeouts, 1);
	if (attempt->sent)
		call->ambiguous = true;
	if (attempt->sink_failed || !passes(attempt, outcome))
		end(call, outcome);
	else
		again_later(call, outcome, FAULT_SILENT);
}

/* How long an answer is on its way that should be short; 0: none has begun, or it is an object's bytes, each
 * of which is progress. */
static uint64_t dripping(const struct call *call)
{
	const struct attempt *attempt = call->attempt;

	if (!attempt->reader || (call->sinks.on_data && attempt_answer(attempt)->status < 300))
		return 0;
	return call->worker->now_ms - attempt->answered_ms;
}

/* How long may nothing come? */
static uint64_t quiet_limit(const struct call *call)
{
	const struct engine *engine = call->worker->engine;

	if (call->attempt->connecting)
		return engine->connect_timeout_ms;
	return engine->timeout_ms + call->expect_bytes / SLOW_BYTES_PER_MS +
	       (uint64_t)call->expect_keys * SLOW_KEY_MS;
}

static uint64_t quiet_ms(const struct call *call)
{
	return call->worker->now_ms - call->attempt->progress_ms;
}

bool call_is_overdue(const struct call *call)
{
	uint64_t limit = quiet_limit(call);

	return quiet_ms(call) > limit || dripping(call) > limit * ANSWER_LIMITS;
}

void call_time_out(struct call *call)
{
	struct attempt *attempt = call->attempt;
	uint64_t ms = quiet_ms(call);
	const char *what = attempt->connecting ? "no connection" : "nothing came";

	if (ms <= quiet_limit(call)) {
		what = "no end of the answer";
		ms = dripping(call);
	}
	attempt_stop(attempt);
	attempt_explain(attempt, "%s for %llu ms", what, (unsigned long long)ms);
	call_attempt_over(call, -ETIMEDOUT);
}

/* ---- the end of a call ---- */

static void call_back(struct worker *worker, struct call *call)
{
	struct attempt *attempt = call->attempt;

	if (attempt && attempt->running) {
		attempt_stop(attempt);
		window_answer(call->window, attempt->ticket, WINDOW_SILENT, worker->now_ms);
		call->ambiguous |= attempt->sent;
	}
	if (call->error && call->error != -ECANCELED)
		counter_add(&worker->counters.failed, 1);
	call->state = CALL_IDLE;
	call->attempt = NULL;
	crash_step();
	/* The call may be gone, or started anew, when this returns; its attempt is not. */
	if (call->given_up)
		call->on_done(call, &(struct s3_answer){.error = call->window->words,
					    .retry_after = -1,
					    .content_length = UINT64_MAX});
	else
		call->on_done(call, attempt_answer(attempt));
	if (attempt)
		attempt_idle(attempt);
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
