/*
 * progress: one line on a terminal that says how far a job is, rewritten at most five times a second.
 *
 * progress_open decides whether there is a terminal; without one every call does nothing.  Main thread only.
 * progress_format is pure: its caller brings the numbers.
 */
#ifndef FERRYFS_FS_CMD_PROGRESS_H
#define FERRYFS_FS_CMD_PROGRESS_H

#include "engine/job/job.h"
#include "s3/buf.h"

enum { PROGRESS_INTERVAL_MS = 200 };

struct progress_numbers {
	const char *verb; /* "copy" */
	uint64_t done, found, failed, skipped, retried, bytes;
	bool listed; /* found is all there is */
	double rate; /* objects a second of late */
	unsigned window;
};

/* Appends the line, cut to columns - 1 (a full line would wrap); columns 0: uncut. */
int progress_format(struct buf *buf, const struct progress_numbers *numbers, unsigned columns);
/* Appends "1.5 GiB". */
int progress_bytes(struct buf *buf, uint64_t bytes);
/* Appends "0:07", "12:03", "3:02:01". */
int progress_time(struct buf *buf, uint64_t seconds);

struct progress {
	bool active;
	bool shown; /* a line stands there */
	int fd;
	double drawn; /* when, in seconds, monotonic */
	double rate;
	uint64_t rate_done;
};

/* quiet: none. */
void progress_open(struct progress *progress, int fd, bool quiet);
/* numbers->rate is filled in here. */
void progress_draw(struct progress *progress, struct progress_numbers *numbers);
/* Takes the line away, so that something else can be printed. */
void progress_erase(struct progress *progress);

/* Seconds of the monotonic clock. */
double progress_now(void);

#endif
