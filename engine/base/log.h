/*
 * log: one line for each thing that a person must know, escaped, to stderr, a file or syslog.
 *
 * The layer that decides the next step logs, once: operation, key, S3 code, request id, consequence.
 * Texts from outside pass through s3/escape.  Lines are bounded (LOG_LINE_MAX) and written in one write(2).
 * No credential, Authorization header or token is ever given to it.  Any thread.
 */
#ifndef FERRYFS_ENGINE_BASE_LOG_H
#define FERRYFS_ENGINE_BASE_LOG_H

#include "s3/answer.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL_TRACE };
enum { LOG_LINE_MAX = 8192 };

/* Before threads start.  fd -1: syslog(3), facility daemon.  The fd is lent. */
void log_open(int fd, enum log_level level);
bool log_enabled(enum log_level level);

/* The text is the caller's own; text from outside goes through %s only after escape_text. */
void log_text(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An S3 call's outcome.  Absent parts are left out. */
struct log_call {
	const char *what; /* "copy", "rename dir" */
	struct str bucket, key; /* escaped here */
	int error; /* -errno or 0 */
	const struct s3_answer *answer; /* code, status and request id; may be NULL */
	const char *consequence; /* "left at both places" */
};

void log_call(enum log_level level, const struct log_call *line);

/* The last errors that log_call was given, at any level of the log: for `status`.  The newest first;
 * returns how many. */
enum { LOG_RECENT_MAX = 32, LOG_RECENT_TEXT = 512 };
struct log_recent {
	int64_t time; /* seconds since 1970 */
	char text[LOG_RECENT_TEXT]; /* escaped, cut where it is long */
};
unsigned log_recent(struct log_recent *ret, unsigned max);

/* True the first time for this (what, bucket/key) of late, false when it was said before: for "logged once".
 * The memory of lines said is bounded (4,096 hashes); an old one may be said again. */
bool log_once(const char *what, struct str bucket, struct str key);

#endif
