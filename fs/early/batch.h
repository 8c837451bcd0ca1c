/*
 * batch: what one process (one `cp -r`) has been promised and S3 has not yet acknowledged.
 *
 * Only GNU cp, mv and rm with plain options have one (fs/host/caller.h).  A call of theirs is answered before S3
 * has acknowledged it only with evidence (fs/early/walk.h) that a later call of the same process is to come;
 * whatever goes wrong is kept, and the next call that can report tells it.  A call without evidence waits for
 * all of the batch first.  So the process does not end with 0 unless everything it was told is true.
 *
 * A batch is made when the process opens its first directory or makes its first, and belongs to that very
 * process: its pidfd says whether it still lives.  (A shell that globbed and then became cp was no cp then,
 * and has none.)  Reference-counted; all functions from any thread and also under hub.lock, except
 * batch_keep, batch_wait, batches_settle, which call back.
 */
#ifndef FERRYFS_FS_EARLY_BATCH_H
#define FERRYFS_FS_EARLY_BATCH_H

#include "fs/host/caller_resolver.h"

enum {
	BATCH_OUTSTANDING_MAX = 1024, /* of one process: what the window takes twice; each is some 2 KiB */
	BATCH_REMOVALS_MAX =
		4096, /* of an rm: four full DeleteObjects, one being gathered while three are away */
	BATCHES_OUTSTANDING_MAX =
		16384, /* of all: a flat bound on memory and on what a crash leaves undone */
	BATCH_RESERVE = 64, /* of one process, whatever others have: theirs may be stuck at a dead server */
	BATCHES_MAX = 256, /* processes; past it one more waits for each call */
};

struct batch;
struct batches;

struct batches_hooks {
	/* Somebody is about to wait: send what is only being gathered.  No lock held but hub.lock perhaps:
	 * queue only. */
	void (*hurry)(void *user);
	/* Nothing is outstanding and the batch is being waited for: promise (batch_promise_more) what was put
	 * off.  No lock held. When that is kept it is asked again, until it has nothing to promise. */
	void (*settle)(void *user, struct batch *batch);
	void *user;
};

/* Somebody who waits; the waiter's memory until on_done, which comes once, with no lock held.  error: of
 * batch_wait. */
struct batch_wait {
	void (*on_done)(struct batch_wait *wait, int error);
	void *user;
	bool lacking; /* with an error: something that the process made or copied is not there; false: only
			 removals failed */
	/* private */
	struct batch *batch;
	struct batch_wait *next;
};

int batches_new(struct resolver *resolver, const struct batches_hooks *hooks, struct batches **ret);
/* After the resolver, the session and the engine have ended; frees batches whose process still lives. Accepts
 * NULL. */
void batches_free(struct batches *batches);

/* The process has been resolved: its batch, made where there is none; takes pidfd.  NULL: no memory, or too
 * many.  One ref. */
struct batch *batches_open(struct batches *batches, const struct caller *caller, int pidfd);
/* The batch of this process, which lives; one ref; or NULL. */
struct batch *batches_find(struct batches *batches, pid_t pid);
struct batch *batch_ref(struct batch *batch);
void batch_unref(struct batch *batch); /* accepts NULL */
const struct caller *batch_caller(const struct batch *batch); /* constant */
bool batch_over(const struct batch *batch); /* has its process ended? */
/* cp, mv: is nothing mounted over what it is told of (fs/early/batch_mounts.h)?  No lock of batches held. */
bool batch_is_clear(struct batch *batch);

/* Waits until nothing is outstanding anywhere, or limit_ms are over (-ETIMEDOUT).  For the daemon's end. */
int batches_settle(struct batches *batches, unsigned limit_ms);
/* For status: processes, and what they were promised. */
void batches_count(struct batches *batches, unsigned *ret_processes, unsigned *ret_outstanding);

/* One thing more will be answered early.  True: promised.  False: there is no room; wait->on_done comes once
 * there was, and it then is promised.  A promise holds the batch until batch_keep. */
bool batch_promise(struct batch *batch, struct batch_wait *wait); /* wait NULL: only if there is room now */
/* From the settle hook, and for what cannot wait: without regard to room. */
void batch_promise_more(struct batch *batch);
/* What was promised has come to its end, with this error (0: done).  The first is kept; whoever keeps a
 * failed promise has logged it. */
void batch_keep(struct batch *batch, int error);
/* The same of a removal. */
void batch_keep_removal(struct batch *batch, int error);
/* The first error that nobody has been told; it then has been. */
int batch_take_error(struct batch *batch);
/* Has something failed that the process is to be told of, or was batch_refused called? */
bool batch_has_failed(struct batch *batch);
/* rm is about to be told of a failure, whatever of: the directories around it stay. */
void batch_refused(struct batch *batch);
/* What this wait was called with is for a later call to tell. */
void batch_put_error(struct batch *batch, const struct batch_wait *wait, int error);
/* Calls back once nothing is outstanding, with the first error, which is then told.  Perhaps before it
 * returns. */
void batch_wait(struct batch *batch, struct batch_wait *wait);

/* ---- where the process is: fs/early/walk.h ---- */
uint64_t batch_opened(struct batch *batch, uint64_t directory, uint64_t parent);
void batch_told(struct batch *batch, uint64_t id, uint64_t highest);
void batch_rewound(struct batch *batch, uint64_t id);
bool batch_listed(struct batch *batch, uint64_t id);
void batch_entry(struct batch *batch, uint64_t directory, uint64_t entry);
/* These three are false also where something may be mounted over what the process was told of. */
bool batch_more(struct batch *batch, uint64_t directory, uint64_t entry);
bool batch_coming(struct batch *batch);
bool batch_passes(struct batch *batch, uint64_t directory, uint64_t entry);
void batch_lands(struct batch *batch, uint64_t directory);
bool batch_has(struct batch *batch, uint64_t directory);
/* rm was told of something that it may ask about, and be told to leave: what it opened is no evidence any
 * more. */
void batch_asks(struct batch *batch);
bool batch_inside(struct batch *batch, uint64_t directory);
bool batch_removing(struct batch *batch, uint64_t directory, uint64_t entry);
void batch_left(struct batch *batch, uint64_t directory);
/* Has any process this entry of the directory still before it? */
bool batches_ahead(struct batches *batches, uint64_t directory, uint64_t entry);
/* Is another process than this one in that directory? */
bool batches_visit(struct batches *batches, uint64_t directory, const struct batch *except);

#endif
