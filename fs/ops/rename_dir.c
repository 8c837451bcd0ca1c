/*
 * A directory's rename: one tree-move job from prefix to prefix, parked until it has ended.
 *
 * Refused while content below is not stored (EBUSY): the rename does not wait for a close that may never
 * come.  An interrupt that ends the caller cancels the job: before its first delete it is undone and the
 * answer is EINTR, after that it goes on.
 *
 * A directory may replace an empty one.  Where that has a marker of its own, the source's marker is left out
 * of the job (it creates only) and deleted at the end.  S3 is asked about the new place each time: the
 * knowledge of this mount may be as old as cache_ttl, and a move onto other content would mix the two.
 */
#include "fs/core/place.h"
#include "fs/ops/rename_retry.h"

#include <errno.h>

#include "fs/ops/rename_list.h"
#include "fs/ops/remove.h"
#include "fs/ops/subtree.h"
#include "fs/file/taken.h"

void rename_dir_killed(struct parked *parked)
{
	struct rename_op *op = (struct rename_op *)parked;

	/* Either this call sees the job, or the thread that starts the job sees that it is not wanted. */
	atomic_store(&op->cancel, true);
	struct job *job = atomic_load(&op->job);

	if (job)
		job_cancel(job);
}

/* ---- the end ---- */

static void finish_moved(struct rename_op *op)
{
	struct hub *hub = op->base.hub;

	taken_forget_below(hub->taken, &rename_to(op)->place);
	hub_lock(hub);
	follow_moved(&op->follow, hub);
	hub_unlock(hub);
	rename_op_apply(op);
	rename_op_done(op);
}

static void on_marker_deleted(struct call *call, const struct s3_answer *answer)
{
	struct rename_op *op = call->user;

	if (call->error < 0 && !s3_answer_says_gone(answer)) {
		name_op_log(&op->base, rename_from(op), call->error, answer,
			"all below is at the new place; the old directory's marker is left");
		rename_op_failed(op, remove_errno(call->error));
		return;
	}
	finish_moved(op);
}

static void delete_marker(struct rename_op *op)
{
	const struct place *place = &rename_from(op)->place;

	call_init(&op->call);
	op->call.request.op = S3_DELETE_OBJECT;
	op->call.request.bucket = place_bucket(place);
	op->call.request.key = place_key(place);
	op->call.account = place->account;
	op->call.on_done = on_marker_deleted;
	op->call.user = op;
	call_post(op->base.worker, &op->call);
}

/* One line: the first object that failed, and the consequence for all. */
static void log_job(
	const struct rename_op *op, const struct job_error *error, const struct job_progress *progress)
{
	const struct place *place = &op->base.ends[0].place;
	struct s3_answer answer = {.retry_after = -1};

	memcpy(answer.error.code, error->code, sizeof(error->code));
	memcpy(answer.request_id, error->request_id, sizeof(error->request_id));
	log_call(LOG_LEVEL_ERROR,
		&(struct log_call){
			.what = "rename directory",
			.bucket = place_bucket(place),
			.key = error->key[0] ? str_of(error->key) : place_key(place),
			.error = error->error,
			.answer = error->code[0] ? &answer : NULL,
			.consequence =
				!progress->settled ? "not settled: the journal stays, for ferryfs recover or "
						     "the next mount"
				: progress->deleting
					? "moved in part: what could not go is at both places"
					: "not moved: the copies made were removed where that was safe",
		});
}

static void on_moved(void *user, struct job *job)
{
	struct rename_op *op = user;
	struct job_progress progress;
	struct job_error first;

	moves_end(op);
	job_progress(job, &progress);
	job_first_error(job, &first);
	/* With EEXIST the directory that mv finds at the new place is another client's. */
	if (first.error < 0 && first.error != -EEXIST) {
		hub_lock(op->base.hub);
		rename_again_remember(op, first.error == -ECANCELED ? -EINTR : first.error);
		hub_unlock(op->base.hub);
	}
	if (first.error == -ECANCELED) {
		if (!progress.settled)
			log_job(op, &first, &progress);
		rename_op_failed(op, -EINTR);
	} else if (first.error < 0) {
		log_job(op, &first, &progress);
		/* POSIX: the directory to be replaced is not empty. */
		bool full = first.error == -EEXIST && !op->noreplace;

		rename_op_failed(op, full ? -ENOTEMPTY : first.error);
	} else if (progress.found == 0 && !op->keep_marker) {
		rename_op_lost(op);
	} else if (op->keep_marker) {
		delete_marker(op);
	} else {
		finish_moved(op);
	}
}

static void on_event(void *user, const struct job_event *event)
{
	struct rename_op *op = user;

	follow_copied(&op->follow, op->base.hub, op->node, rename_from(op)->place.key_len, event);
}

/* ---- the beginning ---- */

/* All but the source's marker. */
static bool rename_dir_want(void *user, const struct page_entry *entry)
{
	struct rename_op *op = user;

	return !str_eq(entry->key, place_key(&rename_from(op)->place));
}

static void rename_dir_start(struct rename_op *op)
{
	const struct place *from = &rename_from(op)->place, *to = &rename_to(op)->place;
	struct job *job = NULL;

	if (atomic_load(&op->cancel)) {
		name_op_finish(&op->base, -EINTR);
		return;
	}
	if (!op->base.hub->journal) {
		log_call(LOG_LEVEL_ERROR, &(struct log_call){
						  .what = "rename directory",
						  .bucket = place_bucket(from),
						  .key = place_key(from),
						  .error = op->base.hub->journal_error,
						  .consequence = "not begun: there is no directory for its "
								 "journal, see -o journal=DIR",
					  });
		name_op_finish(&op->base, op->base.hub->journal_error);
		return;
	}
	op->settings = view_copy_settings(to->view);
	struct job_options options = {
		.engine = op->base.hub->engine,
		.source_account = from->account,
		.account = to->account,
		.source_bucket = place_bucket(from),
		.source_prefix = place_key(from),
		.bucket = place_bucket(to),
		.prefix = place_key(to),
		.copy = &op->settings,
		.flags = JOB_CREATE_ONLY | JOB_UNDO,
		.journal = op->base.hub->journal,
		.want = op->keep_marker ? rename_dir_want : NULL,
		.on_event = on_event,
		.on_done = on_moved,
		.user = op,
	};

	/* The job, and the operation with it, may end before job_start returns. */
	parked_hold(&op->base.parked);
	moves_begin(op, from, to);
	int error = job_start(JOB_MOVE, &options, &job);

	if (error == 0) {
		moves_job(op, job);
		atomic_store(&op->job, job);
		if (atomic_load(&op->cancel))
			job_cancel(job);
	} else {
		moves_end(op);
		name_op_finish(&op->base, error);
	}
	parked_drop(&op->base.parked);
}

/* The error if the object at the new place can't be replaced; 0: it can, or nothing is there. */
static int refusal(const struct rename_op *op)
{
	const struct probe *probe = &op->probe;

	if (probe->kind == PROBE_NONE)
		return 0;
	if (op->noreplace)
		return -EEXIST;
	if (probe->kind == PROBE_FILE)
		return -ENOTDIR;
	return probe->empty ? 0 : -ENOTEMPTY;
}

static void on_target(struct probe *probe)
{
	struct rename_op *op = probe->user;
	int error = probe->error < 0 ? 0 : refusal(op);

	if (probe->error < 0) {
		name_op_log(&op->base, rename_to(op), probe->error, &probe->refusal, NULL);
		name_op_finish(&op->base, remove_errno(probe->error));
	} else if (error < 0) {
		rename_op_failed(op, error);
	} else {
		op->keep_marker = probe->kind == PROBE_DIR;
		rename_op_mark(op, rename_dir_start);
	}
}

void rename_dir(struct rename_op *op)
{
	struct hub *hub = op->base.hub;
	const struct place *to = &rename_to(op)->place;
	int error = 0;

	hub_lock(hub);
	if (op->node->kind != NODE_DIR)
		error = -EPERM;
	else if (subtree_dirty(op->node))
		error = -EBUSY;
	for (const struct node *child = op->target ? op->target->children : NULL; child;
		child = child->child_next) {
		if (child->local || child->draft)
			error = -ENOTEMPTY;
	}
	hub_unlock(hub);
	if (error < 0) {
		name_op_finish(&op->base, error);
		return;
	}
	op->probe = (struct probe){
		.account = to->account,
		.bucket = place_bucket(to),
		.key = str_n(to->key, to->key_len - 1),
		.only_dir = op->target != NULL,
		.on_done = on_target,
		.user = op,
	};
	probe_start(op->base.worker, &op->probe);
}
