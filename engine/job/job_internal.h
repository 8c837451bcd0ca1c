/*
 * tree: the inside of a job, for job.c and the tree_*.c files.
 *
 * A job has a home, the worker that lists, hands out and decides, and a lane on every worker, which does the
 * requests. Between them go pages of the listing or of the record, each with the work to be done on it.
 *
 *   home                                    lane
 *   lister page -> batch_new, batch_send -> lane_run: tree_copy / tree_remove / tree_sweep
 *   tree_batch_back  <------------------- batch_back (everything of the batch has ended)
 *   nothing out, nothing to come: the next phase
 *
 *   phase   pages of     kind of job, and its work               next
 *   LIST    pages        all: copies or deletes as pages come    END; a removal: LEFT; a move: DELETE where
 *                                                                all is copied, CHECK to be undone
 *   DELETE  the journal  move: sources are deleted               LEFT, or END after a recovery
 *   LEFT    -            move, removal: is something left?       END
 *   ABORT   the journal  recovery: unfinished uploads end        CHECK
 *   CHECK   the journal  move: is every source still there?      UNDO if so, else END
 *   UNDO    the journal  move: copies are deleted again          END
 *
 * Laws held here: no batch of DELETE exists while a copy is unacknowledged (one phase at a time, and LIST
 * ends only with nothing out); `deleting` and `stopped` are set under the lock and exclude each other, so
 * that a move is either undone or goes on to its end.
 *
 * Memory: at most `credits` pages of the listing exist, at most SWEEPS_AT_ONCE of the record, and in each
 * lane at most lane.limit copies, for a tree of any size.
 */
#ifndef FERRYFS_ENGINE_JOB_JOB_INTERNAL_H
#define FERRYFS_ENGINE_JOB_JOB_INTERNAL_H

#include <pthread.h>
#include "engine/job/job.h"
#include "engine/list/lister.h"
#include "engine/journal/journal.h"
#include "engine/journal/journal_record.h"
#include "engine/object/twins.h"

enum {
	SWEEPS_AT_ONCE = 6, /* a listing and a DeleteObjects of 1,000: 30 ms each is 100,000 keys a second */
	LARGE_AT_ONCE = 4, /* copies in parts of one lane: each has parts and an answer of its own */
	TREE_CALL_FLAGS = CALL_BULK,
};

enum job_phase { PHASE_LIST, PHASE_DELETE, PHASE_LEFT, PHASE_ABORT, PHASE_CHECK, PHASE_UNDO, PHASE_END };

/* Whether conditions are enforced is learnt on the first copy of a move. */
enum job_probe { PROBE_OFF, PROBE_WANTED, PROBE_RUNNING };

struct lane;
struct sweep;
struct removal;

struct job_page {
	struct task task; /* on its way to the lane or back */
	struct job_page *next;
	struct lane *lane;
	enum job_phase phase;
	struct page *page; /* LIST */
	unsigned at, active; /* of the page's entries: next, being copied */
	int64_t number; /* LIST: of the page in the journal */
	struct buf lines; /* LIST: answers on their way into the journal */
	unsigned answers; /* copies acknowledged in them */
	struct buf record; /* the entries to be deleted or undone */
	bool probe; /* DELETE: this one learns whether conditions are enforced */
	struct sweep *sweep;
	struct removal *removal;
};

/* One object's copy; from a pool of its lane. */
struct job_item {
	struct copy copy;
	struct lane *lane;
	struct job_page *batch; /* NULL: free */
	struct job_item *next_free;
	unsigned entry;
	bool large;
	enum { ITEM_PLAIN, ITEM_PROBE_MATCH, ITEM_PROBED, ITEM_PROBE_CREATE } probe;
	char *key; /* the destination's */
	size_t key_size;
};

/* Worker thread only, but for wake. */
struct lane {
	struct job *job;
	struct worker *worker;
	struct job_page *first, **last; /* being copied, in order of arrival */
	struct job_page *removals; /* being removed */
	struct job_item **items; /* all that were made, at most limit */
	struct job_item *free;
	unsigned made, limit, active, large;
	struct task wake;
	atomic_bool waking;
	unsigned out; /* home's: batches it has */
};

struct job {
	enum job_kind kind;
	struct job_options options; /* its texts and headers are the job's own */
	struct copy_settings settings;
	struct headers headers;
	struct buf texts;
	bool same_place; /* source and destination are one bucket of one service */
	bool doubt; /* they may be, under two names: engine/job/job_names.c */

	atomic_uint refs;
	struct lane *lanes;
	unsigned lane_count;

	_Atomic uint64_t found, copied, deleted, skipped, failed, bytes;
	atomic_bool stopped; /* begin nothing more of LIST; written under lock */
	atomic_bool listed, deleting; /* deleting: written under lock */
	_Atomic uint64_t undone;
	atomic_bool source_gone; /* CHECK: a source is missing */
	atomic_bool unlooked; /* CHECK: a source could not be looked for */
	atomic_bool
		unsettled; /* the outcome of some key is not known, or may yet change: the journal stays */
	atomic_int probe; /* enum job_probe */
	struct {
		char etag[ETAG_MAX + 1];
		char version_id[VERSION_ID_MAX / 8 + 1];
		int64_t mtime;
	} probed; /* the copy that the probe made; of the one lane that probes */

	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct job_error first; /* protected by lock */
	bool done; /* protected by lock */

	/* home's thread only */
	struct worker *home;
	enum job_phase phase;
	struct lister *lister;
	unsigned out;
	struct journal *journal; /* a move that is not a dry run; its writing is any lane's */
	bool resumed; /* the journal is another process's */
	bool kept; /* not undone, since sources are missing */
	bool sweep_probed; /* one sweep went out to learn about conditional deletes; once is enough */
	bool record_done;
	unsigned left; /* LEFT: keys found */
	struct task start, stop;
	atomic_bool stop_posted;
};

/* ---- job.c ---- */

struct job_failure {
	int error;
	const char *what;
	struct str key;
	const struct s3_answer *answer; /* NULL, or where code and request id are */
	const char *code, *request_id; /* where answer is NULL; NULL: none */
};

/* Any thread: notes the first one; without JOB_KEEP_GOING begins nothing more. */
void job_fail(struct job *job, const struct job_failure *failure);
bool job_failed(struct job *job);
void job_tell(struct job *job, const struct job_event *event);
struct job *job_ref(struct job *job);
/* Any thread: lanes look again. */
void job_wake(struct job *job);
/* Home: the only place where a phase begins; checks the table and the laws above by assert. */
void job_enter(struct job *job, enum job_phase phase);
/* Does the destination lie in the source, so that it would never end, or delete its own result? */
bool job_prefixes_meet(const struct job *job);
/* Home: all that the job asked for is over. */
void job_end(struct job *job);

/* Home: a batch in a lane of its choice; it has the page or the record's page.  NULL when memory is short. */
struct job_page *batch_new(struct job *job, enum job_phase phase);
void batch_send(struct job *job, struct job_page *batch);
void batch_free(struct job_page *batch);
/* Lane's thread: back to home. */
void batch_back(struct job_page *batch);

/* S3 refused one object so: does that pass by itself, so that a recovery may succeed later?  Of a
 * request about many (a listing, a set of deletes) that failed as a whole this is no question: nothing was
 * said of any object in it. */
bool job_error_passes(int error, const char *code);

/* ---- tree_journal.c ---- */

/* Home. */
int tree_journal_open(struct job *job);
int tree_journal_page(struct job *job, struct job_page *batch);
int tree_journal_all_copied(struct job *job);
void tree_journal_end(struct job *job);
void tree_journal_fail(struct job *job, int error);
/* Lane. */
int tree_journal_copied(struct job_item *item);
/* A source that needs no copy: see tree_is_top_marker. */
int tree_journal_no_copy(struct job_page *batch, unsigned entry);
void tree_journal_refused(struct job_page *batch, unsigned entry);
int tree_journal_flush(struct job_page *batch);
int tree_journal_parts(struct copy *copy, const char *upload_id, const char *etag);

/* ---- tree_names.c; home ---- */
/* Begins the job, or takes it up again, once it is known whether its two buckets are one. */
void tree_settle_names(struct job *job);

/* The marker of the source prefix itself, where the destination is the top of a bucket: no key is left for a
 * copy of it, and the top needs none.  A copy leaves it out; a move deletes it with the other sources.  An
 * object with content is no marker: its copy fails with -EDESTADDRREQ. */
bool tree_is_top_marker(const struct job *job, struct str source_key, uint64_t size);

/* ---- tree_list.c; home ---- */
void tree_begin(struct job *job);
void tree_batch_back(struct job *job, struct job_page *batch);
/* Home: goes on to the next phase when this one is over. */
void tree_check(struct job *job);

/* ---- tree_copy.c; lane ---- */
void tree_copy_add(struct lane *lane, struct job_page *batch);
void tree_copy_pump(struct lane *lane);
void tree_copy_stop(struct lane *lane);
/* The destination's key.  -ENAMETOOLONG; -EDESTADDRREQ: it would be empty; -EINVAL: it would lie in the
 * source; -ENOMEM. */
int tree_key(struct job_item *item, struct str source_key);
bool tree_is_large(const struct job *job, const struct page_entry *entry);
/* Is the entry to be worked on?  Counts it and tells of it. */
bool tree_wants(struct job *job, const struct page_entry *entry);

/* ---- tree_remove.c; lane ---- */
void tree_remove_add(struct lane *lane, struct job_page *batch);
void tree_remove_stop(struct lane *lane);

/* ---- tree_sweep.c; lane ---- */
void tree_sweep_add(struct lane *lane, struct job_page *batch);

/* ---- tree_move.c; home ---- */

/* A journal that another process left. */
void tree_resume(struct job *job);
void tree_move_begin_delete(struct job *job);
void tree_undo_begin_check(struct job *job);
void tree_undo_begin(struct job *job);
void tree_undo_aborted(struct job *job); /* the uploads that were left are dealt with */
/* Hands out the record's pages until enough are out. */
void tree_record_pump(struct job *job);
/* Is something below the source left that was not listed, to be moved or removed? */
void tree_look_left(struct job *job);

#endif
