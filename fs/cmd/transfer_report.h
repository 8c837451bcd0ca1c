/*
 * transfer_report: the outcome of each object, for people and for programs.
 *
 * Events come from worker threads.  With --json each becomes a line on standard output; with --verbose, or on
 * a dry run, a line of text.  Failures are kept as well (the first REPORT_FAILURES_MAX, the rest counted) and
 * told on standard error at the end.  report_event may be called from any thread; all else from the main
 * thread, the output drained in between.
 *
 * JSON, one object a line.  An object's:
 * {"type":"object","op":"copy"|"delete"|"move","status":"done"|"failed"|"skipped"|
 * "planned"|"undone","source":URL,"destination":URL (not for a delete),"size":BYTES,"etag":TEXT (of the
 * copy)} and, when failed, "errno":NAME, "code":TEXT, "message":TEXT, "request_id":TEXT.  URLs hold the key
 * as it is.  The last line is the summary (report_summary).
 */
#ifndef FERRYFS_FS_CMD_TRANSFER_REPORT_H
#define FERRYFS_FS_CMD_TRANSFER_REPORT_H

#include "engine/job/job.h"
#include "fs/cmd/output.h"

enum { REPORT_FAILURES_MAX = 100 };

struct report {
	enum job_kind kind;
	struct str bucket, destination; /* buckets; lent, as are the prefixes, by which a destination not yet
					   made is named */
	struct str source_prefix, destination_prefix;
	bool json, lines, dry_run;
	struct output *output; /* lent */
	const struct account *account; /* who is asked, for the failures' reasons; lent */
	pthread_mutex_t lock;
	char *failures[REPORT_FAILURES_MAX]; /* protected by lock, as is all below; NULL: no memory for the
						text */
	uint64_t failed;
	uint64_t cancelled; /* events with -ECANCELED: never begun, so neither told nor a failure */
	uint64_t planned, planned_bytes;
};

/* The caller fills in the fields from kind up to output. */
void report_init(struct report *report);
void report_release(struct report *report);

void report_event(struct report *report, const struct job_event *event);

/* Prints the failures that were kept, and how many more there were. */
void report_failures(struct report *report);

struct report_summary {
	struct job_progress progress;
	uint64_t retried;
	double seconds;
	bool interrupted;
	bool quiet;
	const struct job_error *error; /* what ended it before its end, or NULL */
};

/* One line on standard error (not when quiet), and with --json one on standard output:
 * {"type":"summary","op":"copy"|"move"|"remove","dry_run":BOOL,"found":N,"planned":N,"copied":N,"deleted":N,"skipped":N,
 * "failed":N,"bytes":N,"retried":N,"seconds":S,"complete":BOOL,"interrupted":BOOL} and, where something ended
 * it early, "errno", "code", "message", "request_id". */
void report_summary(struct report *report, const struct report_summary *summary);

#endif
