/*
 * Lane: ends the multipart uploads that a move left when its process was killed (PHASE_ABORT).
 *
 * One with its id in the journal is aborted.  Where it has none, the answer to its creation was lost: then
 * the uploads of exactly that key are listed, and those that began since the journal's page was written are
 * aborted; no other client had reason to write there.  Entry after entry, one request at a time: they are
 * few.
 */
#include "engine/job/job_sweep.h"

#include <errno.h>
#include "engine/base/log.h"

enum { CLOCK_SLACK = 2 }; /* seconds */

static void abort_next(struct sweep *sweep);
static void abort_listed(struct sweep *sweep);

static struct str target_key(struct sweep *sweep)
{
	const struct job_options *o = &sweep->batch->lane->job->options;
	buf_clear(&sweep->texts);
	buf_add_str(&sweep->texts, o->prefix);
	buf_add_str(&sweep->texts, str_skip(sweep_entry(sweep, sweep->at).key, o->source_prefix.len));
	return buf_str(&sweep->texts);
}

static void job_abort_prepare(struct sweep *sweep, enum s3_op op)
{
	const struct job_options *o = &sweep->batch->lane->job->options;
	call_init(&sweep->call);
	sweep->call.request.op = op;
	sweep->call.request.bucket = o->bucket;
	sweep->call.account = o->account;
	sweep->call.flags = TREE_CALL_FLAGS;
	sweep->call.user = sweep;
}

static void job_abort_log_left(struct sweep *sweep, int error, const struct s3_answer *answer)
{
	struct job *job = sweep->batch->lane->job;
	struct log_call line = {
		.what = "recover",
		.bucket = job->options.bucket,
		.key = buf_str(&sweep->texts),
		.error = error,
		.answer = answer,
		.consequence = "an unfinished multipart upload may be left",
	};
	log_call(LOG_LEVEL_WARNING, &line);
	if (job_error_passes(error, answer->error.code))
		atomic_store(&job->unsettled, true);
}

static void aborted(struct call *call, const struct s3_answer *answer)
{
	struct sweep *sweep = call->user;
	if (call->error != 0 && call->error != -ENOENT)
		job_abort_log_left(sweep, call->error, answer);
	if (sweep->uploads) {
		abort_listed(sweep);
		return;
	}
	sweep->at++;
	abort_next(sweep);
}

static void abort_one(struct sweep *sweep, struct str upload_id)
{
	job_abort_prepare(sweep, S3_ABORT_UPLOAD);
	sweep->call.request.key = buf_str(&sweep->texts);
	sweep->call.request.upload_id = upload_id;
	sweep->call.on_done = aborted;
	call_start(sweep->batch->lane->worker, &sweep->call);
}

/* The next of the listed ones that is ours. */
static void abort_listed(struct sweep *sweep)
{
	const struct page *page = sweep->uploads;
	int64_t since = sweep_entry(sweep, sweep->at).copy_mtime;
	while (sweep->upload_at < page->count) {
		const struct page_entry *upload = &page->entries[sweep->upload_at++];
		if (str_eq(upload->key, buf_str(&sweep->texts)) && upload->mtime + CLOCK_SLACK >= since) {
			abort_one(sweep, upload->etag);
			return;
		}
	}
	page_free(sweep->uploads);
	sweep->uploads = NULL;
	sweep->at++;
	abort_next(sweep);
}

static void listed(struct call *call, const struct s3_answer *answer)
{
	struct sweep *sweep = call->user;
	if (call->error != 0) {
		job_abort_log_left(sweep, call->error, answer);
		page_clear(sweep->uploads);
	}
	abort_listed(sweep);
}

static void job_abort_list_uploads(struct sweep *sweep)
{
	struct s3_answer none = {.retry_after = -1};
	if (page_new(&sweep->uploads) != 0) {
		job_abort_log_left(sweep, -ENOMEM, &none);
		sweep->at++;
		abort_next(sweep);
		return;
	}
	sweep->upload_at = 0;
	job_abort_prepare(sweep, S3_LIST_UPLOADS);
	sweep->call.request.prefix = buf_str(&sweep->texts);
	sweep->call.sinks.page = sweep->uploads;
	sweep->call.on_done = listed;
	call_start(sweep->batch->lane->worker, &sweep->call);
}

static void abort_next(struct sweep *sweep)
{
	while (sweep->at < sweep->count &&
		(!sweep_entry(sweep, sweep->at).large || !sweep_entry(sweep, sweep->at).unknown))
		sweep->at++;
	if (sweep->at == sweep->count) {
		sweep_end(sweep);
		return;
	}
	target_key(sweep);
	if (sweep->texts.error != 0)
		sweep_end(sweep);
	else if (sweep_entry(sweep, sweep->at).upload.len > 0)
		abort_one(sweep, sweep_entry(sweep, sweep->at).upload);
	else
		job_abort_list_uploads(sweep);
}

void sweep_abort(struct sweep *sweep)
{
	abort_next(sweep);
}
