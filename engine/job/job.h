/*
 * job: requests that belong together: a tree copy, a tree move, a tree remove.
 *
 * A job has counters, a first error, a cancel, and exactly one completion.  Its pages are spread over the
 * engine's workers; callbacks that concern one object come on the worker that did it (several at once when
 * there are several workers), on_done on any worker, once, after everything else.  A job is
 * reference-counted: tree_*_start gives the caller one reference, the job holds another until after on_done.
 *
 * Prefixes are byte prefixes of keys: "a/" is a directory's content with its marker; "a" alone would take
 * "ab" too and is used only where that is meant.
 */
#ifndef FERRYFS_ENGINE_JOB_JOB_H
#define FERRYFS_ENGINE_JOB_JOB_H

#include "engine/object/copy.h"

struct job;
struct journal;
struct journal_dir;

enum job_kind { JOB_COPY, JOB_MOVE, JOB_REMOVE };

enum job_flags {
	JOB_KEEP_GOING = 1, /* an object that fails is told and the rest goes on (commands); else the first
			       error ends it */
	JOB_CREATE_ONLY = 2, /* never onto something that is there: If-None-Match: * where the service
				enforces it (a directory rename) */
	JOB_DRY_RUN = 4, /* list and tell, send no write */
	JOB_UNDO =
		8, /* a move that fails before its first delete removes the copies it made (and only those) */
};

/* A dry run tells JOB_FOUND and JOB_SKIPPED only.  A move deletes nothing unless every object it found was
 * copied, with JOB_KEEP_GOING too.  JOB_UNDO needs JOB_CREATE_ONLY, the caller's word that nothing was at the
 * destination. */
enum job_step { JOB_FOUND, JOB_COPIED, JOB_DELETED, JOB_SKIPPED, JOB_UNDONE };

/* One step of one object; all lent. */
struct job_event {
	enum job_step step;
	int error; /* 0 or -errno */
	struct str source_key, key; /* key: the destination's; STR_NONE for a remove */
	const struct page_entry *entry; /* of the source's listing */
	const struct s3_answer *answer; /* may be NULL */
	const char *etag; /* JOB_COPIED: the destination's */
};

struct job_options {
	struct engine *engine;
	struct account *source_account, *account; /* referenced by the job */
	struct str source_bucket, source_prefix; /* copied; for JOB_REMOVE these alone */
	struct str bucket, prefix; /* the destination's; a key is prefix + (source key - source_prefix) */
	struct str exclude_prefix; /* source keys below it are left out (destination inside source); STR_NONE:
				      none */
	const struct copy_settings *copy; /* copied, headers too; NULL: defaults */
	unsigned flags;
	unsigned list_streams; /* 0: the default */
	struct journal_dir *journal; /* JOB_MOVE: where its journal lies; lent until on_done */
	/* False skips a source entry: called before anything is done, and at the end of a move for the keys
	 * still there, and says the same each time.  Worker thread; may be NULL. */
	bool (*want)(void *user, const struct page_entry *entry);
	void (*on_event)(void *user, const struct job_event *event); /* may be NULL */
	void (*on_done)(void *user, struct job *job); /* may be NULL when job_wait is used */
	void *user;
};

/* Any thread.  -EXDEV: the accounts are of different services.  -EINVAL: prefixes that overlap such that it
 * would never end or would delete its own result. */
int job_start(enum job_kind kind, const struct job_options *options, struct job **ret);
/* A move that its process did not end, from its journal: with the "all copied" line its sources are deleted,
 * without it its copies are (where they may be undone).  Of options count engine, the accounts, on_event,
 * on_done, user.  Takes the journal when it succeeds; any thread. */
int job_resume(const struct job_options *options, struct journal *journal, struct job **ret);
void job_unref(struct job *job);

/* Any thread.  Calls on the wire are waited for; nothing new is begun.  A move: before its first delete it
 * is undone (JOB_UNDO), after it, it goes on to the end in spite of the cancel. */
void job_cancel(struct job *job);

struct job_progress {
	uint64_t found, copied, deleted, skipped, failed; /* objects */
	uint64_t bytes; /* of the copied objects */
	bool listed; /* all is found */
	uint64_t undone; /* copies of a move that were removed again */
	bool deleting; /* a move has begun to delete */
	bool settled; /* at the end: nothing is left to do for a recovery */
	bool kept; /* a move was to be undone, but sources were missing: copied objects are at both places */
};

struct job_error {
	int error; /* 0: none */
	int status; /* HTTP; 0: nothing was answered, or it is not known */
	char code[ANSWER_CODE_MAX + 1];
	char message[ANSWER_TEXT_MAX +
		     1]; /* as sent, unescaped, or libcurl's words where nothing was answered */
	char request_id[ANSWER_ID_MAX + 1];
	char key[KEY_MAX + 1]; /* escaped or cut where it does not fit: for people */
	const char *what; /* "copy", "list", "delete" */
};

void job_progress(struct job *job, struct job_progress *ret); /* any thread */
void job_first_error(struct job *job, struct job_error *ret); /* any thread */
int job_wait(struct job *job); /* not from a worker; returns the first error or 0 */

#endif
