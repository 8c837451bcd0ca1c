#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "fs/cmd/address.h"
#include "fs/cmd/progress.h"
#include "fs/cmd/reason.h"
#include "fs/cmd/transfer_report.h"
#include "s3/escape.h"

/* A failure's text: two escaped keys of 1 KiB take at most 8 KiB. */
enum { FAILURE_TEXT_MAX = 12 << 10, SUMMARY_MAX = 1024 };

void report_init(struct report *report)
{
	pthread_mutex_init(&report->lock, NULL);
}

void report_release(struct report *report)
{
	for (unsigned i = 0; i < REPORT_FAILURES_MAX; i++)
		free(report->failures[i]);
	pthread_mutex_destroy(&report->lock);
}

static const char *event_op(const struct report *report, const struct job_event *event)
{
	switch (event->step) {
	case JOB_COPIED:
		return "copy";
	case JOB_DELETED:
		return "delete";
	case JOB_FOUND:
	case JOB_SKIPPED:
	case JOB_UNDONE:
		break;
	}
	return report->kind == JOB_COPY ? "copy" : report->kind == JOB_MOVE ? "move" : "delete";
}

static const char *event_status(const struct job_event *event)
{
	if (event->error)
		return "failed";
	switch (event->step) {
	case JOB_FOUND:
		return "planned";
	case JOB_SKIPPED:
		return "skipped";
	case JOB_UNDONE:
		return "undone";
	default:
		return "done";
	}
}

/* Appends the destination's key and returns true, where the event has a destination: not for the marker that
 * needs none at the top of a bucket. */
static bool event_destination(const struct report *report, const struct job_event *event, struct buf *key)
{
	if (report->kind == JOB_REMOVE || event->step == JOB_DELETED)
		return false;
	if (event->key.data)
		return buf_add_str(key, event->key) == 0 && key->len > 0;
	/* Found or skipped: no key was made. */
	buf_add_str(key, report->destination_prefix);
	return buf_add_str(key, str_skip(event->source_key, report->source_prefix.len)) == 0 && key->len > 0;
}

static void json_url(struct buf *buf, struct str bucket, struct str key)
{
	char text[sizeof("s3:///") + BUCKET_MAX + 2 * KEY_MAX];
	size_t len = bucket.len + key.len + strlen("s3:///");

	if (len >= sizeof(text)) {
		buf_add_text(buf, "null");
		return;
	}
	memcpy(text, "s3://", 5);
	memcpy(text + 5, bucket.data, bucket.len);
	text[5 + bucket.len] = '/';
	if (key.len)
		memcpy(text + 6 + bucket.len, key.data, key.len);
	escape_json(buf, str_n(text, len));
}

static void json_text(struct buf *buf, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_addf(buf, ",\"%s\":", name);
	escape_json(buf, str_of(value));
}

static void json_error(struct buf *buf, int error, const struct s3_answer *answer)
{
	json_text(buf, "errno", strerrorname_np(-error));
	if (answer) {
		json_text(buf, "code", answer->error.code);
		json_text(buf, "message", answer->error.message);
		json_text(buf, "request_id", answer->request_id);
	}
}

static void event_json(const struct report *report, const struct job_event *event, struct buf *buf)
{
	struct buf key;

	buf_addf(buf,
		"{\"type\":\"object\",\"op\":\"%s\",\"status\":\"%s\",\"source\":", event_op(report, event),
		event_status(event));
	json_url(buf, report->bucket, event->source_key);
	buf_init(&key, 2 * KEY_MAX);
	if (event_destination(report, event, &key)) {
		buf_add_text(buf, ",\"destination\":");
		json_url(buf, report->destination, buf_str(&key));
	}
	buf_release(&key);
	if (event->entry)
		buf_addf(buf, ",\"size\":%llu", (unsigned long long)event->entry->size);
	json_text(buf, "etag", event->etag);
	if (event->error)
		json_error(buf, event->error, event->answer);
	buf_add_text(buf, "}\n");
}

/* "copy: s3://a/x -> s3://b/x" */
static void event_text(const struct report *report, const struct job_event *event, struct buf *buf)
{
	struct buf key;

	buf_addf(buf, "%s: ", event_op(report, event));
	address_text(buf, report->bucket, event->source_key);
	buf_init(&key, 2 * KEY_MAX);
	if (event_destination(report, event, &key)) {
		buf_add_text(buf, " -> ");
		address_text(buf, report->destination, buf_str(&key));
	}
	buf_release(&key);
}

/* Does this event get a line on standard output, in this mode? */
static bool event_shown(const struct report *report, const struct job_event *event)
{
	if (event->step == JOB_FOUND && !event->error)
		return report->dry_run && (report->json || report->lines);
	return report->json || (report->lines && !event->error && event->step != JOB_SKIPPED);
}

static void event_print(struct report *report, const struct job_event *event)
{
	struct buf *buf = output_begin(report->output);

	if (report->json) {
		event_json(report, event, buf);
	} else {
		if (report->dry_run)
			buf_add_text(buf, "(dry run) ");
		if (event->step == JOB_UNDONE)
			buf_add_text(buf, "undone: ");
		event_text(report, event, buf);
		buf_add_char(buf, '\n');
	}
	output_end(report->output);
}

static void keep_failure(struct report *report, const struct job_event *event)
{
	struct buf text;
	char *kept = NULL;

	buf_init(&text, FAILURE_TEXT_MAX);
	event_text(report, event, &text);
	buf_add_text(&text, ": ");
	struct reason reason = reason_of_answer(event->error, event->answer, report->account);

	reason_text(&text, &reason);
	if (!text.error)
		kept = str_dup(buf_str(&text));
	buf_release(&text);
	pthread_mutex_lock(&report->lock);
	if (report->failed < REPORT_FAILURES_MAX) {
		report->failures[report->failed] = kept;
		kept = NULL;
	}
	report->failed++;
	pthread_mutex_unlock(&report->lock);
	free(kept);
}

void report_event(struct report *report, const struct job_event *event)
{
	if (event->error == -ECANCELED) {
		pthread_mutex_lock(&report->lock);
		report->cancelled++;
		pthread_mutex_unlock(&report->lock);
		return;
	}
	if (event->error) {
		keep_failure(report, event);
	} else if (event->step == JOB_FOUND && report->dry_run) {
		pthread_mutex_lock(&report->lock);
		report->planned++;
		report->planned_bytes += event->entry ? event->entry->size : 0;
		pthread_mutex_unlock(&report->lock);
	}
	if (event_shown(report, event))
		event_print(report, event);
}

void report_failures(struct report *report)
{
	uint64_t told = 0;

	for (unsigned i = 0; i < REPORT_FAILURES_MAX; i++)
		if (report->failures[i]) {
			fprintf(stderr, "failed: %s\n", report->failures[i]);
			told++;
		}
	if (report->failed > told)
		fprintf(stderr, "failed: %llu more\n", (unsigned long long)(report->failed - told));
}

static void summary_json(const struct report *report, const struct report_summary *summary, struct buf *buf)
{
	static const char *const ops[] = {[JOB_COPY] = "copy", [JOB_MOVE] = "move", [JOB_REMOVE] = "remove"};
	const struct job_progress *p = &summary->progress;

	buf_addf(buf, "{\"type\":\"summary\",\"op\":\"%s\",\"dry_run\":%s,\"found\":%llu,\"planned\":%llu,",
		ops[report->kind], report->dry_run ? "true" : "false", (unsigned long long)p->found,
		(unsigned long long)report->planned);
	buf_addf(buf, "\"copied\":%llu,\"deleted\":%llu,\"skipped\":%llu,\"failed\":%llu,",
		(unsigned long long)p->copied, (unsigned long long)p->deleted, (unsigned long long)p->skipped,
		(unsigned long long)p->failed);
	buf_addf(buf, "\"bytes\":%llu,\"retried\":%llu,\"seconds\":%.3f,\"complete\":%s,\"interrupted\":%s",
		(unsigned long long)(report->dry_run ? report->planned_bytes : p->bytes),
		(unsigned long long)summary->retried, summary->seconds, p->listed ? "true" : "false",
		summary->interrupted ? "true" : "false");
	if (summary->error) {
		json_text(buf, "errno", strerrorname_np(-summary->error->error));
		json_text(buf, "code", summary->error->code);
		json_text(buf, "message", summary->error->message);
		json_text(buf, "request_id", summary->error->request_id);
	}
	buf_add_text(buf, "}\n");
}

static void summary_text(const struct report *report, const struct report_summary *summary, struct buf *buf)
{
	static const char *const plain[] = {
		[JOB_COPY] = "copied", [JOB_MOVE] = "moved", [JOB_REMOVE] = "removed"};
	static const char *const would[] = {
		[JOB_COPY] = "copy", [JOB_MOVE] = "move", [JOB_REMOVE] = "remove"};
	const struct job_progress *p = &summary->progress;
	uint64_t done = report->dry_run ? report->planned : report->kind == JOB_COPY ? p->copied : p->deleted;
	uint64_t bytes = report->dry_run ? report->planned_bytes : p->bytes;

	if (report->dry_run)
		buf_addf(buf, "(dry run) would %s ", would[report->kind]);
	else
		buf_addf(buf, "%s%s ", summary->interrupted ? "interrupted: " : "", plain[report->kind]);
	buf_addf(buf, "%llu", (unsigned long long)done);
	if (done < p->found || !p->listed)
		buf_addf(buf, " of %llu%s", (unsigned long long)p->found, p->listed ? "" : " or more");
	buf_addf(buf, " object%s", done == 1 && p->found <= 1 ? "" : "s");
	if (report->kind == JOB_MOVE && !report->dry_run && p->copied > p->deleted)
		buf_addf(buf, " (%llu copied)", (unsigned long long)p->copied);
	if (bytes) {
		buf_add_text(buf, ", ");
		progress_bytes(buf, bytes);
	}
	if (p->undone)
		buf_addf(buf, ", %llu %s removed again", (unsigned long long)p->undone,
			p->undone == 1 ? "copy" : "copies");
	if (p->skipped)
		buf_addf(buf, ", %llu skipped", (unsigned long long)p->skipped);
	if (p->failed)
		buf_addf(buf, ", %llu failed", (unsigned long long)p->failed);
	if (summary->retried)
		buf_addf(buf, ", %llu retried", (unsigned long long)summary->retried);
	buf_addf(buf, ", %.2f s", summary->seconds);
	if (done && summary->seconds > 0)
		buf_addf(buf, " (%.0f/s)", (double)done / summary->seconds);
}

void report_summary(struct report *report, const struct report_summary *summary)
{
	struct buf text;

	if (report->json) {
		summary_json(report, summary, output_begin_main(report->output));
		output_end(report->output);
	}
	if (summary->quiet || (summary->error && summary->progress.found == 0))
		return;
	buf_init(&text, SUMMARY_MAX);
	summary_text(report, summary, &text);
	fprintf(stderr, "%s\n", buf_text(&text));
	buf_release(&text);
}
