/*
 * recovery: finishes or undoes the moves of processes that ended too early, going by their journals.
 *
 * A journal is taken on when no process holds its lock, it is of this machine, and both its accounts are
 * among those given; every other one is left alone.  The outcome of each is a line in the log, and a result.
 * Blocking; not from a worker.
 */
#ifndef FERRYFS_ENGINE_JOB_RECOVERY_H
#define FERRYFS_ENGINE_JOB_RECOVERY_H

#include <pthread.h>
#include "engine/job/job.h"
#include "engine/journal/journal.h"

enum recovery_outcome {
	RECOVERY_FINISHED, /* the sources are deleted; dry run: would be */
	RECOVERY_UNDONE, /* the copies are removed */
	RECOVERY_KEPT, /* neither can be: the copied objects are at both places; the journal is gone */
	RECOVERY_FAILED, /* not now: the journal stays */
	RECOVERY_LIVE, /* its process is at work on it */
	RECOVERY_ALONE, /* another machine's, or an account that was not given: left alone */
	RECOVERY_DAMAGED, /* unreadable, or not ours alone: left alone */
};

struct recovery_result {
	enum recovery_outcome outcome;
	const char *name; /* of the journal; lent, as is the rest */
	const struct journal_intent *intent; /* NULL: it could not be read */
	struct job_progress progress;
	uint64_t keys, copied; /* of the journal */
	int error; /* the first one; 0: none */
	bool of_journal; /* the error is about the journal's file, not about an answer */
	const char *why; /* for people; NULL: nothing to say */
};

struct recovery_options {
	struct engine *engine;
	struct journal_dir *dir;
	struct account *const *accounts;
	unsigned account_count;
	bool any_credentials; /* the same service is enough: the caller chose the credentials for this */
	bool dry_run;
	/* The thread that frees the engine sets *closed under the gate first: then nothing more is begun.
	 * Both may be NULL. */
	pthread_mutex_t *gate;
	const bool *closed;
	void (*on_result)(void *user, const struct recovery_result *result); /* may be NULL */
	void *user;
};

/* The error in words, and the remedy for a damaged file.  error is not 0. */
const char *recovery_error_text(const struct recovery_result *result);
/* All journals of the directory.  0, or why it could not be read. */
int recovery_run(const struct recovery_options *options);

#endif
