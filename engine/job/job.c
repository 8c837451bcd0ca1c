/*
 * A job from its start to its one completion; tree.h has the table of phases.
 *
 * References: the caller's, home's until after on_done, one for each posted task that is not a batch (wake,
 * stop), and one for as long as a lane's function runs that may send a batch back: with the last one home may
 * end the job.
 */
#include "engine/job/job_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "engine/base/log.h"
#include "s3/escape.h"

/* ---- making ---- */

static void job_keep(struct job *job, const struct str *text)
{
	if (text->data)
		buf_add_str(&job->texts, *text);
}

static void job_place(const struct job *job, struct str *text, size_t *at)
{
	if (!text->data)
		return;
	*text = str_n(buf_text(&job->texts) + *at, text->len);
	*at += text->len;
}

static int job_keep_texts(struct job *job)
{
	struct job_options *o = &job->options;
	struct str *texts[] = {
		&o->source_bucket, &o->source_prefix, &o->bucket, &o->prefix, &o->exclude_prefix};
	enum { COUNT = sizeof(texts) / sizeof(texts[0]) };
	if (!o->source_prefix.data)
		o->source_prefix = STR("");
	if (!o->prefix.data)
		o->prefix = STR("");
	for (unsigned i = 0; i < COUNT; i++)
		job_keep(job, texts[i]);
	if (job->texts.error != 0)
		return job->texts.error == -EOVERFLOW ? -EINVAL : job->texts.error;
	size_t at = 0;
	for (unsigned i = 0; i < COUNT; i++)
		job_place(job, texts[i], &at);
	return 0;
}

static int keep_settings(struct job *job)
{
	if (job->options.copy)
		job->settings = *job->options.copy;
	job->settings.call_flags |= TREE_CALL_FLAGS;
	if (!job->settings.headers)
		return 0;
	int error = headers_add_all(&job->headers, job->settings.headers);
	job->settings.headers = &job->headers;
	return error;
}

static int make_lanes(struct job *job)
{
	struct engine *engine = job->options.engine;
	job->lane_count = engine_workers(engine);
	job->lanes = calloc(job->lane_count, sizeof(*job->lanes));
	if (!job->lanes)
		return -ENOMEM;
	for (unsigned i = 0; i < job->lane_count; i++) {
		struct lane *lane = &job->lanes[i];
		lane->job = job;
		lane->worker = engine_worker(engine, i);
		lane->last = &lane->first;
		/* A few more than the window holds, so that a place there is never free for want of a copy.
		 */
		lane->limit = engine_inflight(engine) / job->lane_count + 16;
		lane->items = calloc(lane->limit, sizeof(struct job_item *));
		if (!lane->items)
			return -ENOMEM;
	}
	return 0;
}

static void job_destroy(struct job *job)
{
	for (unsigned i = 0; job->lanes && i < job->lane_count; i++) {
		struct lane *lane = &job->lanes[i];
		for (unsigned k = 0; k < lane->made; k++) {
			free(lane->items[k]->key);
			free(lane->items[k]);
		}
		free(lane->items);
	}
	free(job->lanes);
	account_unref(job->options.source_account);
	account_unref(job->options.account);
	headers_release(&job->headers);
	buf_release(&job->texts);
	journal_free(job->journal);
	pthread_mutex_destroy(&job->lock);
	pthread_cond_destroy(&job->ended);
	free(job);
}

struct job *job_ref(struct job *job)
{
	atomic_fetch_add(&job->refs, 1);
	return job;
}

void job_unref(struct job *job)
{
	if (job && atomic_fetch_sub(&job->refs, 1) == 1)
		job_destroy(job);
}

/* Where the prefixes overlap such that it would never end, or delete its own result. */
bool job_prefixes_meet(const struct job *job)
{
	const struct job_options *o = &job->options;
	if (job->kind == JOB_REMOVE || !job->same_place)
		return false;
	if (!str_has_prefix(o->prefix, o->source_prefix))
		return false;
	bool excluded =
		o->exclude_prefix.len > o->source_prefix.len && str_has_prefix(o->prefix, o->exclude_prefix);
	return job->kind != JOB_COPY || !excluded;
}

static int check_options(enum job_kind kind, const struct job_options *o)
{
	if (!o->engine || !o->source_account || o->source_bucket.len == 0)
		return -EINVAL;
	if (kind == JOB_REMOVE)
		return 0;
	if (!o->account || o->bucket.len == 0)
		return -EINVAL;
	if (kind == JOB_MOVE && !o->journal && (o->flags & JOB_DRY_RUN) == 0)
		return -EINVAL;
	return account_same_service(o->source_account, o->account) ? 0 : -EXDEV;
}

static int job_new(enum job_kind kind, const struct job_options *options, struct job **ret)
{
	struct job *job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->kind = kind;
	job->options = *options;
	if (kind == JOB_REMOVE)
		job->options.account = job->options.source_account;
	account_ref(job->options.source_account);
	account_ref(job->options.account);
	atomic_init(&job->refs, 1);
	pthread_mutex_init(&job->lock, NULL);
	pthread_cond_init(&job->ended, NULL);
	headers_init(&job->headers);
	buf_init(&job->texts, 2 * BUCKET_MAX + 3 * KEY_MAX);
	int error = job_keep_texts(job);
	if (error == 0)
		error = keep_settings(job);
	if (error == 0)
		error = make_lanes(job);
	if (error == 0 && kind != JOB_REMOVE)
		job->same_place = str_eq(job->options.source_bucket, job->options.bucket);
	if (error == 0 && job_prefixes_meet(job))
		error = -EINVAL;
	if (error != 0)
		job_unref(job);
	else
		*ret = job;
	return error;
}

static void job_run_start(struct task *task, struct worker *worker)
{
	tree_settle_names((struct job *)((char *)task - offsetof(struct job, start)));
}

static void job_go(struct job *job, struct journal *journal, struct job **ret)
{
	job->journal = journal;
	job->resumed = journal;
	job->home = engine_pick(job->options.engine);
	*ret = job_ref(job); /* before home can end it */
	job->start.run = job_run_start;
	worker_post(job->home, &job->start);
}

int job_start(enum job_kind kind, const struct job_options *options, struct job **ret)
{
	struct job *job = NULL;
	int error = check_options(kind, options);
	if (error == 0)
		error = job_new(kind, options, &job);
	if (error == 0)
		job_go(job, NULL, ret);
	return error;
}

int job_resume(const struct job_options *options, struct journal *journal, struct job **ret)
{
	const struct journal_intent *intent = journal_intent(journal);
	struct job_options o = *options;
	struct job *job = NULL;
	o.source_bucket = intent->source.bucket;
	o.source_prefix = intent->source.prefix;
	o.bucket = intent->destination.bucket;
	o.prefix = intent->destination.prefix;
	o.exclude_prefix = STR_NONE;
	o.want = NULL;
	o.flags = intent->fresh ? JOB_CREATE_ONLY | JOB_UNDO : 0;
	int error = account_same_service(o.source_account, o.account) ? job_new(JOB_MOVE, &o, &job) : -EXDEV;
	if (error == 0)
		job_go(job, journal, ret);
	return error;
}

/* ---- errors and events ---- */

static void escape_key(struct str key, char *ret, size_t size)
{
	struct buf text;
	buf_init(&text, size - 1);
	ret[0] = '\0';
	/* A key that does not fit whole is cut before it is escaped: an escape is at most four times as
	 * long. */
	if (escape_text(&text, key) != 0) {
		buf_clear(&text);
		escape_text(&text, str_n(key.data, key.len < size / 4 - 1 ? key.len : size / 4 - 1));
	}
	memcpy(ret, buf_text(&text), text.len + 1);
	buf_release(&text);
}

static void job_copy_text(char *to, size_t size, const char *from)
{
	size_t len = from ? strnlen(from, size - 1) : 0;
	if (len > 0)
		memcpy(to, from, len);
	to[len] = '\0';
}

static void run_stop(struct task *task, struct worker *worker)
{
	struct job *job = (struct job *)((char *)task - offsetof(struct job, stop));
	if ((job->phase == PHASE_LIST || job->phase == PHASE_LEFT) && job->lister)
		lister_cancel(job->lister);
	job_wake(job);
	job_unref(job);
}

/* Called with the lock held; false when it is too late. */
static bool set_stopped(struct job *job)
{
	if (atomic_load(&job->deleting) || job->done)
		return false;
	atomic_store(&job->stopped, true);
	return true;
}

static void job_post_stop(struct job *job)
{
	if (atomic_exchange(&job->stop_posted, true))
		return;
	job_ref(job);
	job->stop.run = run_stop;
	worker_post(job->home, &job->stop);
}

void job_fail(struct job *job, const struct job_failure *f)
{
	bool stop = false;
	pthread_mutex_lock(&job->lock);
	if (job->first.error == 0) {
		struct job_error *e = &job->first;
		const struct s3_answer *answer = f->answer;
		e->error = f->error;
		e->what = f->what;
		job_copy_text(e->code, sizeof(e->code), answer ? answer->error.code : f->code);
		if (answer) {
			e->status = answer->status;
			job_copy_text(e->message, sizeof(e->message), answer->error.message);
		}
		job_copy_text(
			e->request_id, sizeof(e->request_id), answer ? answer->request_id : f->request_id);
		escape_key(f->key, e->key, sizeof(e->key));
	}
	if ((job->options.flags & JOB_KEEP_GOING) == 0 || f->error == -ENOMEM)
		stop = set_stopped(job);
	pthread_mutex_unlock(&job->lock);
	if (stop)
		job_post_stop(job);
}

bool job_error_passes(int error, const char *code)
{
	switch (-error) {
	case 0:
	case EBUSY:
	case ESTALE:
	case EEXIST:
	case ENOENT:
	case EPERM:
	case EREMOTE:
	case ENAMETOOLONG:
	case EFBIG:
	case EINVAL:
	case EDESTADDRREQ:
	case EOPNOTSUPP:
		return false;
	case EACCES: /* credentials that have expired, a clock that is wrong: not a policy */
		return strcmp(code, "AccessDenied") != 0;
	default:
		return true;
	}
}

bool job_failed(struct job *job)
{
	pthread_mutex_lock(&job->lock);
	bool failed = job->first.error != 0;
	pthread_mutex_unlock(&job->lock);
	return failed;
}

void job_tell(struct job *job, const struct job_event *event)
{
	if (job->options.on_event)
		job->options.on_event(job->options.user, event);
}

/* ---- batches ---- */

struct job_page *batch_new(struct job *job, enum job_phase phase)
{
	struct job_page *batch = calloc(1, sizeof(*batch));
	if (!batch)
		return NULL;
	batch->phase = phase;
	batch->number = JOURNAL_NO_PAGE;
	buf_init(&batch->lines, RECORD_PAGE_MAX);
	buf_init(&batch->record, RECORD_PAGE_MAX);
	return batch;
}

void batch_free(struct job_page *batch)
{
	if (!batch)
		return;
	buf_release(&batch->lines);
	buf_release(&batch->record);
	page_free(batch->page);
	free(batch);
}

static void lane_take(struct job_page *batch)
{
	struct lane *lane = batch->lane;
	if (batch->phase != PHASE_LIST)
		tree_sweep_add(lane, batch);
	else if (lane->job->kind == JOB_REMOVE)
		tree_remove_add(lane, batch);
	else
		tree_copy_add(lane, batch);
}

static void run_lane(struct task *task, struct worker *worker)
{
	struct job_page *batch = (struct job_page *)((char *)task - offsetof(struct job_page, task));
	/* It may go back at once, and be the job's last. */
	struct job *job = job_ref(batch->lane->job);
	lane_take(batch);
	job_unref(job);
}

void batch_send(struct job *job, struct job_page *batch)
{
	struct lane *lane = &job->lanes[0];
	for (unsigned i = 1; i < job->lane_count; i++) {
		if (job->lanes[i].out < lane->out)
			lane = &job->lanes[i];
	}
	batch->lane = lane;
	lane->out++;
	job->out++;
	batch->task.run = run_lane;
	worker_post(lane->worker, &batch->task);
}

static void run_home(struct task *task, struct worker *worker)
{
	struct job_page *batch = (struct job_page *)((char *)task - offsetof(struct job_page, task));
	struct job *job = batch->lane->job;
	batch->lane->out--;
	job->out--;
	tree_batch_back(job, batch);
}

void batch_back(struct job_page *batch)
{
	batch->task.run = run_home;
	worker_post(batch->lane->job->home, &batch->task);
}

/* ---- waking and stopping lanes ---- */

static void run_wake(struct task *task, struct worker *worker)
{
	struct lane *lane = (struct lane *)((char *)task - offsetof(struct lane, wake));
	struct job *job = lane->job;
	atomic_store(&lane->waking, false);
	if (atomic_load(&job->stopped)) {
		tree_copy_stop(lane);
		tree_remove_stop(lane);
	}
	tree_copy_pump(lane);
	job_unref(job);
}

void job_wake(struct job *job)
{
	for (unsigned i = 0; i < job->lane_count; i++) {
		struct lane *lane = &job->lanes[i];
		if (atomic_exchange(&lane->waking, true))
			continue;
		job_ref(job);
		lane->wake.run = run_wake;
		worker_post(lane->worker, &lane->wake);
	}
}

void job_cancel(struct job *job)
{
	pthread_mutex_lock(&job->lock);
	bool stop = set_stopped(job);
	if (stop && job->first.error == 0)
		job->first = (struct job_error){.error = -ECANCELED, .what = "cancel"};
	pthread_mutex_unlock(&job->lock);
	if (stop)
		job_post_stop(job);
}

/* ---- phases ---- */

#ifdef NDEBUG
static void check_phase(const struct job *job, enum job_phase next)
{
}
#else
enum { AFTER = 1 }; /* shifted by the phase */

/* Which phase may follow which, as the table of job_internal.h says; a job begins in LIST, also one that is
 * taken up again. */
static const unsigned after[] = {
	[PHASE_LIST] = AFTER << PHASE_LIST | AFTER << PHASE_DELETE | AFTER << PHASE_LEFT |
		       AFTER << PHASE_ABORT | AFTER << PHASE_CHECK | AFTER << PHASE_END,
	[PHASE_DELETE] = AFTER << PHASE_LEFT | AFTER << PHASE_END,
	[PHASE_LEFT] = AFTER << PHASE_END,
	[PHASE_ABORT] = AFTER << PHASE_CHECK | AFTER << PHASE_END,
	[PHASE_CHECK] = AFTER << PHASE_UNDO | AFTER << PHASE_END,
	[PHASE_UNDO] = AFTER << PHASE_END,
	[PHASE_END] = 0,
};

static void check_phase(const struct job *job, enum job_phase next)
{
	bool deleting = atomic_load(&job->deleting);
	assert(after[job->phase] & (unsigned)AFTER << next);
	assert(job->out == 0 && !job->lister);
	assert(job->kind == JOB_MOVE || next == PHASE_LIST || next == PHASE_END ||
		(job->kind == JOB_REMOVE && next == PHASE_LEFT));
	/* A move is either undone or goes on to its end. */
	assert(!(deleting && atomic_load(&job->stopped)));
	assert(next != PHASE_DELETE || (deleting && journal_all_copied(job->journal)));
	assert(next != PHASE_LEFT || deleting || job->kind == JOB_REMOVE);
	assert((next != PHASE_CHECK && next != PHASE_UNDO && next != PHASE_ABORT) || !deleting);
	assert(next != PHASE_UNDO || !(atomic_load(&job->source_gone) || atomic_load(&job->unlooked)));
}
#endif

void job_enter(struct job *job, enum job_phase phase)
{
	check_phase(job, phase);
	job->phase = phase;
}

/* ---- the end ---- */

void job_end(struct job *job)
{
	job_enter(job, PHASE_END);
	tree_journal_end(job);
	if (job->options.on_done)
		job->options.on_done(job->options.user, job);
	pthread_mutex_lock(&job->lock);
	job->done = true;
	pthread_cond_broadcast(&job->ended);
	pthread_mutex_unlock(&job->lock);
	job_unref(job);
}

int job_wait(struct job *job)
{
	pthread_mutex_lock(&job->lock);
	while (!job->done)
		pthread_cond_wait(&job->ended, &job->lock);
	int error = job->first.error;
	pthread_mutex_unlock(&job->lock);
	return error;
}

void job_progress(struct job *job, struct job_progress *ret)
{
	*ret = (struct job_progress){
		.found = atomic_load(&job->found),
		.copied = atomic_load(&job->copied),
		.deleted = atomic_load(&job->deleted),
		.skipped = atomic_load(&job->skipped),
		.failed = atomic_load(&job->failed),
		.bytes = atomic_load(&job->bytes),
		.listed = atomic_load(&job->listed),
		.deleting = atomic_load(&job->deleting),
		.undone = atomic_load(&job->undone),
		.settled = !atomic_load(&job->unsettled),
		.kept = job->kept,
	};
}

void job_first_error(struct job *job, struct job_error *ret)
{
	pthread_mutex_lock(&job->lock);
	*ret = job->first;
	pthread_mutex_unlock(&job->lock);
}
