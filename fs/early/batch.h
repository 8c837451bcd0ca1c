/*
 * batch: the operations of one process (one `cp -r`) that were answered and that S3 has not yet acknowledged.
 * Each of them is a promise.
 *
 * Only GNU cp, mv and rm with plain options have one (fs/host/caller.h).  ferryfs answers a call of theirs
 * before S3 has acknowledged it only with evidence (fs/early/walk.h) that a later call of the same process is
 * to come.  The batch keeps the first error, and the next call that can report it does so.  A call without
 * evidence first waits for all promises of the batch.  So the process does not end with 0 unless everything
 * it was told is true.
 *
 * A batch is made when the process opens its first directory or makes its first.  It belongs to that very
 * process: its pidfd says whether the process still lives.  (A shell that globbed and then became cp was no
 * cp when it opened the directory, so it has no batch.)  Reference-counted; all functions from any thread and
 * also under hub.lock, except batch_keep, batch_wait, batches_settle, which call back.
 */
#ifndef FERRYFS_FS_EARLY_BATCH_H
#define FERRYFS_FS_EARLY_BATCH_H

#include "fs/host/caller_resolver.h"

enum {
	BATCH_OUTSTANDING_MAX = 1024, /* promises of one process: twice the window; each is some 2 KiB */
	/* Promises of one rm: four full DeleteObjects, one being gathered while three are away. */
	BATCH_REMOVALS_MAX = 4096,
	/* Promises of all processes: a flat bound on memory and on the work that a crash leaves undone. */
	BATCHES_OUTSTANDING_MAX = 16384,
	/* Promises that each process may always have: those of others may be stuck at a dead server. */
	BATCH_RESERVE = 64,
	BATCHES_MAX = 256, /* processes; past it, one more process waits for each of its calls */
};

struct batch;
struct batches;

struct batches_hooks {
	/* A caller is about to wait: the hook sends the deletes that are only being gathered. hub.lock may
	 * be held, no other lock: the hook only queues. */
	void (*hurry)(void *user);
	/* No promise is outstanding and a caller waits for the batch: the hook promises
	 * (batch_promise_more) the work that was put off.  No lock held.  When those promises are kept the
	 * hook is called again, until it has nothing to promise. */
	void (*settle)(void *user, struct batch *batch);
	void *user;
};

/* One waiting caller.  The memory is the caller's until on_done, which is called once, with no lock held.
 * error: as batch_wait says. */
struct batch_wait {
	void (*on_done)(struct batch_wait *wait, int error);
	void *user;
	/* with an error: a file or directory that the process made or copied is missing; false: only
	 * removals failed */
	bool lacking;
	/* private */
	struct batch *batch;
	struct batch_wait *next;
};

int batches_new(struct resolver *resolver, const struct batches_hooks *hooks, struct batches **ret);
/* After the resolver, the session and the engine have ended; frees the batches of processes that still
 * live.  Accepts NULL. */
void batches_free(struct batches *batches);

/* The process has been resolved: returns its batch, and makes one if there is none.  Takes pidfd.  NULL:
 * no memory, or too many batches.  One ref. */
struct batch *batches_open(struct batches *batches, const struct caller *caller, int pidfd);
/* Returns the batch of this living process, with one ref, or NULL. */
struct batch *batches_find(struct batches *batches, pid_t pid);
struct batch *batch_ref(struct batch *batch);
void batch_unref(struct batch *batch); /* accepts NULL */
const struct caller *batch_caller(const struct batch *batch); /* constant */
bool batch_over(const struct batch *batch); /* has its process ended? */
/* cp, mv: is nothing mounted over the entries that the process is told of (fs/early/batch_mounts.h)?  No
 * lock of batches held. */
bool batch_is_clear(struct batch *batch);

/* Waits until no batch has an outstanding promise, or limit_ms are over (-ETIMEDOUT).  For the daemon's
 * end. */
int batches_settle(struct batches *batches, unsigned limit_ms);
/* For status: the number of processes, and of their outstanding promises. */
void batches_count(struct batches *batches, unsigned *ret_processes, unsigned *ret_outstanding);

/* One more operation will be answered early.  True: it is promised.  False: there is no room; once there
 * is, the operation is promised and wait->on_done is called.  A promise holds the batch until batch_keep. */
bool batch_promise(struct batch *batch, struct batch_wait *wait); /* wait NULL: only if there is room now */
/* Promises without regard to room: for the settle hook, and for operations that cannot wait. */
void batch_promise_more(struct batch *batch);
/* A promised operation has ended, with this error (0: done).  The batch keeps the first error.  The caller
 * has logged a failure already. */
void batch_keep(struct batch *batch, int error);
/* The same for a removal. */
void batch_keep_removal(struct batch *batch, int error);
/* Takes the first error that was not yet reported. */
int batch_take_error(struct batch *batch);
/* Is there an error that is still to be reported to the process, or was batch_refused called? */
bool batch_has_failed(struct batch *batch);
/* rm is about to be told of any failure: it will not remove the directories around the failed entry. */
void batch_refused(struct batch *batch);
/* Puts the error of this wait back, for a later call to report. */
void batch_put_error(struct batch *batch, const struct batch_wait *wait, int error);
/* Calls back once no promise is outstanding, with the first error; this counts as the report of that
 * error.  Perhaps calls back before it returns. */
void batch_wait(struct batch *batch, struct batch_wait *wait);

/* ---- where the process is: fs/early/walk.h ---- */
uint64_t batch_opened(struct batch *batch, uint64_t directory, uint64_t parent);
void batch_told(struct batch *batch, uint64_t id, uint64_t highest);
void batch_rewound(struct batch *batch, uint64_t id);
bool batch_listed(struct batch *batch, uint64_t id);
void batch_entry(struct batch *batch, uint64_t directory, uint64_t entry);
/* These three are false also where something may be mounted over the entries that the process was told of. */
bool batch_more(struct batch *batch, uint64_t directory, uint64_t entry);
bool batch_coming(struct batch *batch);
bool batch_passes(struct batch *batch, uint64_t directory, uint64_t entry);
void batch_lands(struct batch *batch, uint64_t directory);
bool batch_has(struct batch *batch, uint64_t directory);
/* rm was told of an entry that it may ask the user about, and the user may say no: the directories that rm
 * opened are no evidence any more. */
void batch_asks(struct batch *batch);
bool batch_inside(struct batch *batch, uint64_t directory);
bool batch_removing(struct batch *batch, uint64_t directory, uint64_t entry);
void batch_left(struct batch *batch, uint64_t directory);
/* Does any process still have to come to this entry of the directory? */
bool batches_ahead(struct batches *batches, uint64_t directory, uint64_t entry);
/* Is a process of another batch than `except` in that directory? */
bool batches_visit(struct batches *batches, uint64_t directory, const struct batch *except);

#endif
