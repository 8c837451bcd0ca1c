/*
 * tree_sweep: one page of a move's record on its way to be deleted, checked or undone.  For tree_sweep.c and
 * tree_undo.c; one lane's thread.
 */
#ifndef FERRYFS_ENGINE_JOB_JOB_SWEEP_H
#define FERRYFS_ENGINE_JOB_JOB_SWEEP_H

#include "engine/object/compare.h"
#include "engine/object/purge.h"
#include "engine/job/job_internal.h"
#include "engine/list/key_check.h"

/* The word of the last listing about an object of the record.  DOUBT (UNDO only): it has the size, was made
 * since, and both ETags look like MD5s, and differ; whether they are any is to be asked. */
enum sweep_sight { SIGHT_GONE, SIGHT_SAME, SIGHT_CHANGED, SIGHT_DOUBT };

struct sweep {
	struct job_page *batch;
	uint32_t entries[DELETE_SET_MAX]; /* where each lies in batch->record, by key */
	unsigned count;
	unsigned char source[DELETE_SET_MAX], target[DELETE_SET_MAX]; /* enum sweep_sight */
	struct look look;
	struct purge purge;
	struct purge_key keys[DELETE_SET_MAX]; /* user: the number of their entry */
	unsigned key_count;
	bool probing; /* the first key went with an impossible ETag */
	struct call call; /* ABORT */
	struct page *uploads;
	unsigned at, upload_at;
	struct buf texts; /* UNDO: keys of the destination */
	/* UNDO: the ETag that the destination has, where no answer of the copy is known; len 0: none. */
	struct buf seen;
	struct {
		uint32_t at;
		uint16_t len;
	} seen_etag[DELETE_SET_MAX];
	struct compare compare; /* UNDO: of entry `doubt` */
	unsigned doubt;
};

/* Read from the record each time: all of them at once take as much as the record. */
struct record_entry sweep_entry(const struct sweep *sweep, unsigned index);
struct record_entry sweep_entry_of(const struct sweep *sweep, const struct purge_key *key);
static inline void *sweep_entry_user(unsigned index)
{
	return (void *)(uintptr_t)index;
}
/* Ends it: the batch goes back. */
void sweep_end(struct sweep *sweep);
/* A source that has no copy, and needs none (tree_is_top_marker). */
bool sweep_needs_no_copy(const struct sweep *sweep, const struct record_entry *entry);
/* Lists the source's side, or the destination's, into source[] or target[], then calls on_done. */
void sweep_look(struct sweep *sweep, bool target,
	void (*on_done)(void *user, int error, const struct s3_answer *answer));
/* Deletes keys[], then calls on_done. */
void sweep_purge(struct sweep *sweep, unsigned count, void (*on_done)(struct purge *purge));
/* Tells the outcome of an entry.  key: of the purge that had the answer; NULL: a listing said so. */
void sweep_tell(struct sweep *sweep, enum job_step step, const struct record_entry *entry,
	const struct purge_key *key, int error);

/* tree_abort.c: PHASE_ABORT. */
void sweep_abort(struct sweep *sweep);

/* tree_undo.c: PHASE_CHECK and PHASE_UNDO; the source has been looked at. */
void sweep_check(struct sweep *sweep, int error, const struct s3_answer *answer);
void sweep_undo(struct sweep *sweep, int error, const struct s3_answer *answer);

#endif
