/*
 * Home: the second half of a move.  Everything is copied and on record; the record's pages go out to be
 * deleted, a few at once, and at the end the source is looked at once more: whatever is still there was put
 * there meanwhile.
 *
 * The first page goes alone where the service's ways with conditional deletes are not known yet.
 */
#include "engine/tree.h"

#include <errno.h>
#include "engine/log.h"

enum { LEFT_TOLD_MAX = 10 }; /* keys named in the log */

void tree_record_pump(struct job *job)
{
	while (!job->record_done && !job->sweep_probe && job->out < SWEEPS_AT_ONCE) {
		struct batch *batch = batch_new(job, job->phase);
		int err = batch != NULL ? record_next(job->record, &batch->record) : -ENOMEM;
		if (err != 0) {
			batch_free(batch);
			job->record_done = true;
			if (err != -ENODATA && job->phase == PHASE_CHECK)
				atomic_store(&job->source_gone, true); /* not known to be there */
			if (err != -ENODATA)
				job_fail(job, &(struct failure){
						      .error = err,
						      .what = "record",
						      .key = job->options.source_prefix,
					      });
			return;
		}
		batch->probe =
			job->phase == PHASE_DELETE && !job->sweep_probed &&
			account_trait(job->options.source_account, TRAIT_DELETE_IF_MATCH) == TRAIT_UNKNOWN;
		job->sweep_probe = batch->probe;
		job->sweep_probed = true;
		batch_send(job, batch);
	}
}

static void record_begin(struct job *job, enum job_phase phase)
{
	job->phase = phase;
	job->record_done = false;
	job->sweep_probe = job->sweep_probed = false;
	record_rewind(job->record);
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

void tree_undo_begin(struct job *job)
{
	if (!atomic_load(&job->source_gone)) {
		record_begin(job, PHASE_UNDO);
		return;
	}
	struct log_call line = {
		.what = "move",
		.bucket = job->options.source_bucket,
		.key = job->options.source_prefix,
		.error = -EBUSY,
		.consequence =
			"not undone, since sources are missing or changed: what was copied is at both places",
	};
	log_call(LOG_LEVEL_WARNING, &line);
	job_end(job);
}

/* ---- is something left? ---- */

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
		if (job->left++ >= LEFT_TOLD_MAX)
			break;
		atomic_fetch_add(&job->failed, 1);
		job_tell(job, &event);
		job_fail(job,
			&(struct failure){.error = -EBUSY, .what = "delete", .key = page->entries[i].key});
	}
	page_free(page);
	lister_cancel(job->lister);
}

static void on_left_done(void *user, int error, const struct s3_answer *answer)
{
	struct job *job = user;
	job->lister = NULL;
	if (error != 0 && error != -ECANCELED)
		job_fail(job, &(struct failure){
				      .error = error,
				      .what = "list",
				      .key = job->options.source_prefix,
				      .answer = answer,
			      });
	job->record_done = true;
	tree_check(job);
}

void tree_move_look_left(struct job *job)
{
	const struct job_options *o = &job->options;
	bool partial = o->want != NULL || o->exclude_prefix.len > 0 || job_failed(job);
	struct lister_options options = {
		.account = o->source_account,
		.bucket = o->source_bucket,
		.prefix = o->source_prefix,
		.credits = 1,
		.page_size = LEFT_TOLD_MAX,
		.bulk = true,
		.on_page = on_left,
		.on_done = on_left_done,
		.user = job,
	};
	job->phase = PHASE_LEFT;
	/* What was left out on purpose, or could not go and was told, is no news. */
	int err = partial ? -ECANCELED : lister_start(job->home, &options, &job->lister);
	if (err != 0)
		on_left_done(job, err, NULL);
}
