/*
 * Home: the second half of a move.  Everything is copied and on record; the record's pages go out to be
 * deleted, a few at once, and at the end the source is looked at once more: an object that is still there was
 * put there meanwhile.
 *
 * Where the service's ways with conditional deletes are not known yet, the first page finds out.  The others
 * do not wait for it: until it is known they list their sources, too.
 */
#include "engine/job/job_internal.h"

#include <errno.h>
#include "engine/base/log.h"

enum { LEFT_TOLD_MAX = 10 }; /* keys named in the log */

/* Without the journal nothing is known, so nothing is done. */
static void record_failed(struct job *job, int error)
{
	if (job->phase == PHASE_CHECK)
		atomic_store(&job->unlooked, true);
	atomic_store(&job->unsettled, true);
	tree_journal_fail(job, error);
}

void tree_record_pump(struct job *job)
{
	while (!job->record_done && job->out < SWEEPS_AT_ONCE) {
		struct job_page *batch = batch_new(job, job->phase);
		bool unknown = job->phase != PHASE_DELETE;
		int error = batch ? journal_next(job->journal, unknown, &batch->record) : -ENOMEM;
		if (error != 0) {
			batch_free(batch);
			job->record_done = true;
			if (error != -ENODATA)
				record_failed(job, error);
			return;
		}
		batch->probe =
			job->phase == PHASE_DELETE && !job->sweep_probed &&
			account_trait(job->options.source_account, TRAIT_DELETE_IF_MATCH) == TRAIT_UNKNOWN;
		job->sweep_probed = true;
		batch_send(job, batch);
	}
}

static void record_begin(struct job *job, enum job_phase phase)
{
	job_enter(job, phase);
	job->record_done = false;
	job->sweep_probed = false;
	journal_rewind(job->journal);
	tree_record_pump(job);
	tree_check(job);
}

void tree_move_begin_delete(struct job *job)
{
	record_begin(job, PHASE_DELETE);
}

void tree_undo_begin_check(struct job *job)
{
	record_begin(job, PHASE_CHECK);
}

void tree_resume(struct job *job)
{
	if (journal_all_copied(job->journal)) {
		pthread_mutex_lock(&job->lock);
		atomic_store(&job->deleting, true);
		pthread_mutex_unlock(&job->lock);
		record_begin(job, PHASE_DELETE);
	} else if (journal_has_uploads(job->journal)) {
		record_begin(job, PHASE_ABORT);
	} else {
		tree_undo_aborted(job);
	}
}

void tree_undo_aborted(struct job *job)
{
	if ((job->options.flags & JOB_UNDO) != 0 && !job->doubt)
		record_begin(job, PHASE_CHECK);
	else
		job_end(job);
}

void tree_undo_begin(struct job *job)
{
	bool gone = atomic_load(&job->source_gone), unlooked = atomic_load(&job->unlooked);
	if (!gone && !unlooked) {
		record_begin(job, PHASE_UNDO);
		return;
	}
	job->kept = gone;
	struct log_call line = {
		.what = "move",
		.bucket = job->options.source_bucket,
		.key = job->options.source_prefix,
		.error = gone ? -EBUSY : 0,
		.consequence =
			gone ? "not undone, since sources are missing: what was copied is at both places"
			     : "not undone yet, since its sources could not be listed: the journal stays",
	};
	log_call(LOG_LEVEL_WARNING, &line);
	job_end(job);
}

/* ---- is something left? ---- */

/* Did the job leave this object out on purpose? */
static bool is_left_out(const struct job_options *o, const struct page_entry *entry)
{
	return (o->exclude_prefix.len > 0 && str_has_prefix(entry->key, o->exclude_prefix)) ||
	       (o->want && !o->want(o->user, entry));
}

static void on_left(void *user, struct page *page)
{
	struct job *job = user;
	for (unsigned i = 0; i < page->count; i++) {
		struct job_event event = {
			.step = JOB_DELETED,
			.error = -EBUSY,
			.source_key = page->entries[i].key,
			.entry = &page->entries[i],
		};
		if (is_left_out(&job->options, event.entry))
			continue;
		if (job->left++ >= LEFT_TOLD_MAX)
			break;
		atomic_fetch_add(&job->failed, 1);
		job_tell(job, &event);
		job_fail(job, &(struct job_failure){
				      .error = -EBUSY, .what = "delete", .key = page->entries[i].key});
	}
	if (job->left == 0) {
		lister_recycle(job->lister, page);
		return;
	}
	page_free(page);
	lister_cancel(job->lister);
}

static void on_left_done(void *user, int error, const struct s3_answer *answer)
{
	struct job *job = user;
	job->lister = NULL;
	if (error != 0 && error != -ECANCELED)
		job_fail(job, &(struct job_failure){
				      .error = error,
				      .what = "list",
				      .key = job->options.source_prefix,
				      .answer = answer,
			      });
	job->record_done = true;
	tree_check(job);
}

void tree_look_left(struct job *job)
{
	const struct job_options *o = &job->options;
	struct lister_options options = {
		.account = o->source_account,
		.bucket = o->source_bucket,
		.prefix = o->source_prefix,
		.credits = 1,
		/* Of those left out on purpose there may be many. */
		.page_size = o->want ? 0 : LEFT_TOLD_MAX,
		.bulk = true,
		.on_page = on_left,
		.on_done = on_left_done,
		.user = job,
	};
	job_enter(job, PHASE_LEFT);
	/* A source that could not be deleted, and was told of, is no news. */
	int error = job_failed(job) ? -ECANCELED : lister_start(job->home, &options, &job->lister);
	if (error != 0)
		on_left_done(job, error, NULL);
}
