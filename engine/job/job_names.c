/*
 * Home: before a job with a destination in its source, or around it, by text alone: are its two buckets
 * one bucket under two names (engine/object/twins.h)?
 *
 *   they are two        as ever
 *   they are one        as within one bucket: refused where it would never end or delete its own result
 *   it can't be told    a copy goes on; a move is in doubt: nothing is undone (a copy to be removed may be
 *                       its own source), and a source goes only if its listing shows the time from before
 *                       the copy, and the copy is younger than that
 *
 * A job taken up again after a crash is never refused here, but in doubt unless they are two.
 */
#include "engine/job/job_internal.h"

#include <errno.h>
#include <stdlib.h>
#include "engine/base/log.h"

static void go(struct job *job)
{
	if (job->resumed)
		tree_resume(job);
	else
		tree_begin(job);
}

static void job_names_refuse(struct job *job)
{
	struct log_call line = {
		.what = job->kind == JOB_MOVE ? "move" : "copy",
		.bucket = job->options.source_bucket,
		.key = job->options.source_prefix,
		.error = -EBUSY,
		.consequence = "not begun: source and destination are one bucket under two names",
	};

	log_call(LOG_LEVEL_ERROR, &line);
	job_fail(job, &(struct job_failure){
			      .error = -EBUSY,
			      .what = job->kind == JOB_MOVE ? "move" : "copy",
			      .key = job->options.source_prefix,
		      });
	job_end(job);
}

static void on_settled(struct twins *twins)
{
	struct job *job = twins->user;
	enum twins_verdict verdict = twins->verdict;

	if (verdict == TWINS_UNKNOWN && job->kind == JOB_MOVE)
		log_call(LOG_LEVEL_WARNING, &(struct log_call){
						    .what = "compare bucket names",
						    .bucket = job->options.bucket,
						    .key = job->options.prefix,
						    .error = twins->error,
						    .answer = twins->answer.status ? &twins->answer : NULL,
						    .consequence = "whether it is the source's bucket is not "
								   "known: what can't be told from its copy "
								   "stays",
					    });
	free(twins);
	job->doubt = verdict == TWINS_UNKNOWN || (verdict == TWINS_YES && job->resumed);
	job->same_place = job->same_place || verdict == TWINS_YES;
	if (verdict == TWINS_YES && !job->resumed && job_prefixes_meet(job))
		job_names_refuse(job);
	else
		go(job);
}

/* Could one lie in the other?  A copy of a prefix onto itself does no harm. */
static bool is_concerned(const struct job *job)
{
	const struct job_options *o = &job->options;

	if (job->kind == JOB_REMOVE || job->same_place || (o->flags & JOB_DRY_RUN))
		return false;
	if (job->kind == JOB_COPY && str_eq(o->prefix, o->source_prefix))
		return false;
	return str_has_prefix(o->prefix, o->source_prefix) || str_has_prefix(o->source_prefix, o->prefix);
}

void tree_settle_names(struct job *job)
{
	const struct twins_name a = {job->options.source_account, job->options.source_bucket};
	const struct twins_name b = {job->options.account, job->options.bucket};

	if (!is_concerned(job) || twins_known(&a, &b) == TWINS_NO) {
		go(job);
		return;
	}
	struct twins *twins = calloc(1, sizeof(*twins));

	if (!twins) {
		job->doubt = true;
		go(job);
		return;
	}
	twins->a = a;
	twins->b = b;
	twins->prefix = job->options.prefix;
	twins->on_done = on_settled;
	twins->user = job;
	twins_start(job->home, twins);
}
