/*
 * Home: lists the source, hands pages to the lanes, takes them back, and goes from phase to phase.
 *
 * The pages under way (on the wire, queued in a lane, being worked on) are the lister's credits; a page that
 * comes back is recycled, which asks for the next.
 */
#include "engine/job/job_internal.h"

#include <errno.h>

enum {
	STREAMS_COPY = 4, /* one stream of 30 ms pages gives 33,000 keys a second: enough but for a start */
	STREAMS_REMOVE = 8, /* and not enough here */
	CREDITS_COPY = 2, /* a page being copied and the next one, in each lane */
	CREDITS_REMOVE = 8, /* pages being deleted */
};

static void job_list_on_page(void *user, struct page *page)
{
	struct job *job = user;
	struct job_page *batch = batch_new(job, PHASE_LIST);
	if (!batch) {
		page_free(page);
		lister_credit(job->lister, 1);
		job_fail(job, &(struct job_failure){
				      .error = -ENOMEM, .what = "list", .key = job->options.source_prefix});
		return;
	}
	batch->page = page;
	int error = tree_journal_page(job, batch);
	if (error != 0) {
		batch_free(batch);
		lister_credit(job->lister, 1);
		tree_journal_fail(job, error);
		return;
	}
	batch_send(job, batch);
}

static void job_list_on_listed(void *user, int error, const struct s3_answer *answer)
{
	struct job *job = user;
	job->lister = NULL;
	if (error == 0)
		atomic_store(&job->listed, true);
	else if (error != -ECANCELED || !atomic_load(&job->stopped))
		job_fail(job, &(struct job_failure){
				      .error = error,
				      .what = "list",
				      .key = job->options.source_prefix,
				      .answer = answer,
			      });
	tree_check(job);
}

void tree_begin(struct job *job)
{
	const struct job_options *o = &job->options;
	bool remove = job->kind == JOB_REMOVE;
	unsigned streams = o->list_streams != 0 ? o->list_streams : remove ? STREAMS_REMOVE : STREAMS_COPY;
	struct lister_options options = {
		.account = o->source_account,
		.bucket = o->source_bucket,
		.prefix = o->source_prefix,
		.streams = streams,
		.credits = streams + (remove ? CREDITS_REMOVE : CREDITS_COPY * job->lane_count),
		.bulk = true,
		.scout_early = remove,
		.on_page = job_list_on_page,
		.on_done = job_list_on_listed,
		.user = job,
	};
	bool create = (o->flags & JOB_CREATE_ONLY) != 0;
	if (job->kind == JOB_MOVE && (o->flags & JOB_DRY_RUN) == 0 &&
		(account_trait(o->account, TRAIT_COPY_IF_MATCH) == TRAIT_UNKNOWN ||
			(create && account_trait(o->account, TRAIT_COPY_CREATE) == TRAIT_UNKNOWN)))
		atomic_store(&job->probe, PROBE_WANTED);
	job_enter(job, PHASE_LIST);
	if (job->kind == JOB_MOVE && (o->flags & JOB_DRY_RUN) == 0 && !atomic_load(&job->stopped)) {
		int opened = tree_journal_open(job);
		if (opened != 0)
			tree_journal_fail(job, opened);
	}
	int error = atomic_load(&job->stopped) || (job->kind == JOB_MOVE && job_failed(job))
			    ? -ECANCELED
			    : lister_start(job->home, &options, &job->lister);
	if (error != 0)
		job_list_on_listed(job, error, NULL);
}

static void list_batch_back(struct job *job, struct job_page *batch)
{
	int error = tree_journal_flush(batch);
	if (error != 0)
		tree_journal_fail(job, error);
	if (job->lister && batch->page) {
		struct page *page = batch->page;
		batch->page = NULL;
		lister_recycle(job->lister, page);
	}
}

void tree_batch_back(struct job *job, struct job_page *batch)
{
	if (batch->phase == PHASE_LIST)
		list_batch_back(job, batch);
	else
		tree_record_pump(job);
	batch_free(batch);
	tree_check(job);
}

/* A move that failed and can't be undone.  Copies in parts that were cut off may have left uploads. */
static void list_kept(struct job *job)
{
	pthread_mutex_lock(&job->lock);
	bool passes = job_error_passes(job->first.error, job->first.code);
	pthread_mutex_unlock(&job->lock);
	if (passes)
		atomic_store(&job->unsettled, true);
	job_end(job);
}

static void list_over(struct job *job)
{
	bool undo = (job->options.flags & JOB_UNDO) != 0 && (job->options.flags & JOB_CREATE_ONLY) != 0 &&
		    !job->doubt;
	bool moving = job->journal && !journal_empty(job->journal);
	if (job->kind == JOB_REMOVE && (job->options.flags & JOB_DRY_RUN) == 0 &&
		!atomic_load(&job->stopped)) {
		tree_look_left(job);
		return;
	}
	if (!moving) {
		job_end(job);
		return;
	}
	pthread_mutex_lock(&job->lock);
	bool whole = job->first.error == 0 && !atomic_load(&job->stopped);
	pthread_mutex_unlock(&job->lock);
	int error = whole ? tree_journal_all_copied(job) : 0;
	if (error != 0)
		tree_journal_fail(job, error);
	pthread_mutex_lock(&job->lock);
	whole = job->first.error == 0 && !atomic_load(&job->stopped);
	if (whole)
		atomic_store(&job->deleting, true);
	pthread_mutex_unlock(&job->lock);
	if (whole)
		tree_move_begin_delete(job);
	else if (undo)
		tree_undo_begin_check(job);
	else
		list_kept(job);
}

void tree_check(struct job *job)
{
	if (job->out > 0 || job->lister)
		return;
	switch (job->phase) {
	case PHASE_LIST:
		list_over(job);
		return;
	case PHASE_DELETE:
		if (job->record_done && job->resumed)
			job_end(job);
		else if (job->record_done)
			tree_look_left(job);
		return;
	case PHASE_ABORT:
		if (job->record_done)
			tree_undo_aborted(job);
		return;
	case PHASE_CHECK:
		if (job->record_done)
			tree_undo_begin(job);
		return;
	case PHASE_LEFT:
	case PHASE_UNDO:
		if (job->record_done)
			job_end(job);
		return;
	case PHASE_END:
		return;
	}
}
