/*
 * single: one object copied, moved or removed, one request after another from the main thread.
 *
 * HEAD of the source; the copy, on condition that the source still has the ETag of that HEAD; for a move HEAD
 * again, and the delete, on the same condition, only if nothing has changed (a service that ignores the
 * condition leaves a window of one round trip).
 *
 * A move from one bucket name to another, onto the same key, first finds out whether the two are one bucket
 * (engine/object/twins.h): the object would be deleted as its own source.  Where that can't be told, the source goes
 * only if it shows the time from before the copy, and the copy is younger than that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "fs/cmd/transfer_run.h"
#include "fs/cmd/cli.h"

static int head(struct run *run, struct s3_answer *ret)
{
	struct call call;

	call_init(&call);
	call.account = run->account;
	call.request = (struct s3_request){
		.op = S3_HEAD_OBJECT,
		.bucket = address_bucket(&run->source),
		.key = address_key(&run->source),
	};
	return waiter_call(&run->waiter, run->engine, &call, ret);
}

/* An answer to HEAD has no body, so 404 does not say whether the bucket or the key is missing. */
static void tell_missing(struct run *run)
{
	struct s3_answer answer = {.status = 0};
	struct call call;
	struct buf text;

	call_init(&call);
	call.account = run->account;
	call.request = (struct s3_request){.op = S3_HEAD_BUCKET, .bucket = address_bucket(&run->source)};
	int error = waiter_call(&run->waiter, run->engine, &call, &answer);

	if (run->options.force && error != -ENOENT)
		return;
	buf_init(&text, 8192);
	if (error == -ENOENT) {
		buf_addf(&text, "no such bucket: s3://%s", run->source.bucket);
	} else {
		buf_add_text(&text, "no such object: ");
		address_text(&text, address_bucket(&run->source), address_key(&run->source));
	}
	words_failed(run->command, "%s", buf_text(&text));
	buf_release(&text);
	run->told = true;
}

static void transfer_one_tell(struct run *run, const struct job_event *event)
{
	report_event(&run->report, event);
	if (event->error)
		run->done.failed++;
	else if (event->step == JOB_SKIPPED)
		run->done.skipped++;
	else if (event->step == JOB_COPIED)
		run->done.copied++;
	else if (event->step == JOB_DELETED)
		run->done.deleted++;
}

/* The request was on the wire when the command stopped waiting. */
static void tell_unknown(struct run *run, const char *what, struct str bucket, struct str key)
{
	struct buf text;

	buf_init(&text, 8192);
	address_text(&text, bucket, key);
	words_failed(run->command, "%s had no answer, and may have been %s", buf_text(&text), what);
	buf_release(&text);
}

/* The part of a move that is still to be shown. */
struct doubt {
	bool twins; /* the source may be the destination, under another name */
	int64_t copied; /* when the copy was made, as the server said; 0: it did not */
};

static int copy_one(
	struct run *run, struct job_event *event, const struct s3_answer *source, struct doubt *doubt)
{
	struct copy copy = {
		.settings = &run->options.copy,
		.source_account = run->account,
		.account = run->account,
		.source_bucket = address_bucket(&run->source),
		.source_key = event->source_key,
		.bucket = address_bucket(&run->destination),
		.key = event->key,
		.source_etag = source->etag[0] ? str_of(source->etag) : STR_NONE,
		.storage_class = str_of(source->storage_class),
		.size = source->size,
	};
	struct s3_answer answer = {.status = 0};
	int error = waiter_copy(&run->waiter, run->engine, &copy, &answer);

	event->step = JOB_COPIED;
	event->error = error;
	event->answer = &answer;
	event->etag = copy.etag;
	transfer_one_tell(run, event);
	event->answer = NULL;
	event->etag = NULL;
	doubt->copied = copy.mtime;
	if (error == 0)
		run->done.bytes = source->size;
	else if (error == -ECANCELED && copy.ambiguous)
		tell_unknown(run, "written", copy.bucket, copy.key);
	return error;
}

/* -ESTALE when the object is another one than it was, -EBUSY when it may be the copy; an absent one is as good
 * as deleted. */
static int check_same(struct run *run, const struct s3_answer *before, const struct doubt *doubt)
{
	struct s3_answer now = {.status = 0};
	int error = head(run, &now);

	if (error < 0)
		return error;
	if (strcmp(now.etag, before->etag) != 0 || now.mtime != before->mtime)
		return doubt->twins ? -EBUSY : -ESTALE;
	return doubt->twins && doubt->copied <= before->mtime ? -EBUSY : 0;
}

static void delete_one(
	struct run *run, struct job_event *event, const struct s3_answer *source, const struct doubt *doubt)
{
	struct s3_answer answer = {.status = 0};
	bool moved = run->kind == JOB_MOVE;
	struct call call;
	int error = moved ? check_same(run, source, doubt) : 0;
	bool gone = error == -ENOENT; /* somebody else deleted it */

	if (error == 0) {
		call_init(&call);
		call.account = run->account;
		call.request = (struct s3_request){
			.op = S3_DELETE_OBJECT,
			.bucket = address_bucket(&run->source),
			.key = event->source_key,
			.if_match = moved && source->etag[0] ? str_of(source->etag) : STR_NONE,
		};
		error = waiter_call(&run->waiter, run->engine, &call, &answer);
		if (error == -ECANCELED && call.ambiguous)
			tell_unknown(run, "removed", call.request.bucket, call.request.key);
	}
	event->step = JOB_DELETED;
	event->error = gone || s3_answer_says_gone(&answer) ? 0 : error;
	event->answer = &answer;
	transfer_one_tell(run, event);
	event->answer = NULL;
}

/* May the two places be one?  -EBUSY: they are; 0: they are not; other errors: the service could not be asked. */
static int check_twins(struct run *run, struct doubt *ret)
{
	struct twins *twins;
	int error = 0;

	if (run->kind != JOB_MOVE || strcmp(run->source.bucket, run->destination.bucket) == 0 ||
		!str_eq(address_key(&run->source), address_key(&run->destination)))
		return 0;
	twins = calloc(1, sizeof(*twins));
	if (!twins)
		return -ENOMEM;
	twins->a = (struct twins_name){run->account, address_bucket(&run->source)};
	twins->b = (struct twins_name){run->account, address_bucket(&run->destination)};
	twins->key = address_key(&run->source);
	switch (waiter_twins(&run->waiter, run->engine, twins)) {
	case TWINS_YES:
		words_failed(run->command, "s3://%s and s3://%s are one bucket under two names",
			run->source.bucket, run->destination.bucket);
		error = -EBUSY;
		break;
	case TWINS_UNKNOWN:
		error = twins->error == -ECANCELED ? -ECANCELED : 0;
		ret->twins = true;
		break;
	case TWINS_NO:
		break;
	}
	free(twins);
	return error;
}

/* The object is there. */
static void transfer_one_settle(struct run *run, const struct s3_answer *source)
{
	struct page_entry entry = {
		.key = address_key(&run->source),
		.size = source->size,
		.mtime = source->mtime,
		.etag = str_of(source->etag),
		.storage_class = str_of(source->storage_class),
	};
	struct job_event event = {
		.step = JOB_FOUND,
		.source_key = entry.key,
		.key = run->kind == JOB_REMOVE ? STR_NONE : address_key(&run->destination),
		.entry = &entry,
	};

	struct doubt doubt = {0};
	int error;

	run->done.found = 1;
	run->done.listed = true;
	if (!run_wants(run, entry.key)) {
		event.step = JOB_SKIPPED;
		transfer_one_tell(run, &event);
		return;
	}
	if (run->options.dry_run) {
		transfer_one_tell(run, &event);
		return;
	}
	error = check_twins(run, &doubt);
	if (error < 0) {
		event.step = JOB_COPIED;
		event.error = error;
		transfer_one_tell(run, &event);
		return;
	}
	if (run->kind != JOB_REMOVE && copy_one(run, &event, source, &doubt) < 0)
		return;
	if (run->kind != JOB_COPY && !waiter_interrupted(&run->waiter))
		delete_one(run, &event, source, &doubt);
}

int single_run(struct run *run)
{
	struct s3_answer source = {.status = 0};
	int error = head(run, &source);

	if (error == -ENOENT) {
		tell_missing(run);
		run->done.listed = true;
		return 0;
	}
	if (error < 0) {
		run->error = (struct job_error){.error = error, .what = "look at", .status = source.status};
		memcpy(run->error.message, source.error.message, sizeof(run->error.message));
		memcpy(run->error.code, source.error.code, sizeof(run->error.code));
		memcpy(run->error.request_id, source.request_id, sizeof(run->error.request_id));
		return 0;
	}
	transfer_one_settle(run, &source);
	return 0;
}
