/*
 * A directory's rename: one tree-move job from prefix to prefix, parked until it has ended.
 *
 * Refused while content below is not stored (EBUSY): nobody waits for a close that may never come.  An interrupt that ends the
 * caller cancels the job: before its first delete it is undone and the answer is EINTR, after that it goes on.
 *
 * A directory may replace an empty one.  Where that has a marker of its own, the source's marker is left out of the job (it
 * creates only) and deleted at the end.
 */
#include "fs/rename_op.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "fs/interrupt.h"
#include "fs/remove_op.h"
#include "fs/subtree.h"

/*
 * What an interrupt needs, apart from the operation, which may end meanwhile.  References: whoever starts the job, the job
 * until it is done, and a task in the mailbox.
 */
struct dir_move {
	atomic_uint refs;
	pid_t pid;
	struct worker *worker;
	_Atomic(struct job *) job; /* one reference */
	atomic_bool cancel;        /* wanted, perhaps before the job was there */
	atomic_bool posted;
	struct task task;
};

static void move_unref(struct dir_move *move)
{
	if (atomic_fetch_sub(&move->refs, 1) > 1)
		return;
	struct job *job = atomic_load(&move->job);

	if (job)
		job_unref(job);
	free(move);
}

static void run_interrupt(struct task *task, struct worker *worker)
{
	struct dir_move *move = (struct dir_move *)((char *)task - offsetof(struct dir_move, task));

	atomic_store(&move->posted, false);
	if (interrupt_fatal(move->pid)) {
		atomic_store(&move->cancel, true);
		struct job *job = atomic_load(&move->job);

		if (job)
			job_cancel(job);
	}
	move_unref(move);
}

/* On the reading thread, with the request's own lock held by libfuse. */
static void on_interrupt(fuse_req_t req, void *data)
{
	struct dir_move *move = data;

	if (atomic_exchange(&move->posted, true))
		return;
	atomic_fetch_add(&move->refs, 1);
	worker_post(move->worker, &move->task);
}

/* ---- the end ---- */

static void finish_moved(struct rename_op *op)
{
	rename_op_apply(op);
	rename_op_done(op);
}

static void on_marker_deleted(struct call *call, const struct s3_answer *answer)
{
	struct rename_op *op = call->user;

	if (call->error < 0 && call->error != -ENOENT) {
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

static void log_job(const struct rename_op *op, const struct job_error *error, const struct job_progress *progress)
{
	struct s3_answer answer = {.retry_after = -1};

	memcpy(answer.error.code, error->code, sizeof(error->code));
	memcpy(answer.request_id, error->request_id, sizeof(error->request_id));
	name_op_log(&op->base, &op->base.ends[0], error->error, error->code[0] ? &answer : NULL,
		progress->deleting ? "moved in part: what could not go is at both places"
				   : "not moved: the copies made were removed where that was safe");
	log_text(LOG_LEVEL_ERROR, "rename: first at %s of %s", error->what ? error->what : "work", error->key);
}

static void on_moved(void *user, struct job *job)
{
	struct rename_op *op = user;
	struct job_progress progress;
	struct job_error first;

	job_progress(job, &progress);
	job_first_error(job, &first);
	/* No interrupt begins after this. */
	fuse_req_interrupt_func(op->base.req, NULL, NULL);
	move_unref(op->move);
	if (first.error == -ECANCELED) {
		rename_op_failed(op, -EINTR);
	} else if (first.error < 0) {
		log_job(op, &first, &progress);
		/* POSIX: what was to be replaced is not empty. */
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

/* ---- the beginning ---- */

/* Constant while the job runs. */
static bool want(void *user, const struct page_entry *entry)
{
	struct rename_op *op = user;

	return !op->keep_marker || !str_eq(entry->key, place_key(&rename_from(op)->place));
}

static struct dir_move *move_new(const struct rename_op *op)
{
	struct dir_move *move = calloc(1, sizeof(*move));

	if (!move)
		return NULL;
	move->refs = 2;
	move->pid = op->pid;
	move->worker = op->base.worker;
	move->task.run = run_interrupt;
	return move;
}

static void start(struct rename_op *op)
{
	const struct place *from = &rename_from(op)->place, *to = &rename_to(op)->place;
	struct dir_move *move = move_new(op);
	struct job *job = NULL;

	if (!move) {
		name_op_finish(&op->base, -ENOMEM);
		return;
	}
	op->move = move;
	op->settings = (struct copy_settings){.tags = from->view->tags};
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
		.want = want,
		.on_done = on_moved,
		.user = op,
	};

	fuse_req_interrupt_func(op->base.req, on_interrupt, move);
	int error = job_start(JOB_MOVE, &options, &job);

	if (error < 0) {
		fuse_req_interrupt_func(op->base.req, NULL, NULL);
		move_unref(move);
		name_op_finish(&op->base, error);
	} else {
		/* The job may have ended by now, and the operation with it. */
		atomic_store(&move->job, job);
		if (atomic_load(&move->cancel))
			job_cancel(job);
	}
	move_unref(move);
}

/* What is to be replaced must be empty. */
static void on_target(struct probe *probe)
{
	struct rename_op *op = probe->user;

	if (probe->error < 0) {
		name_op_log(&op->base, rename_to(op), probe->error, &probe->refusal, NULL);
		name_op_finish(&op->base, remove_errno(probe->error));
	} else if (probe->kind == PROBE_DIR && !probe->empty) {
		name_op_finish(&op->base, -ENOTEMPTY);
	} else {
		op->keep_marker = probe->kind == PROBE_DIR;
		rename_op_mark(op, start);
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
	for (const struct node *child = op->target ? op->target->children : NULL; child; child = child->child_next) {
		if (child->local || child->draft)
			error = -ENOTEMPTY;
	}
	hub_unlock(hub);
	if (error < 0) {
		name_op_finish(&op->base, error);
	} else if (!op->target) {
		rename_op_mark(op, start);
	} else {
		op->probe = (struct probe){
			.account = to->account,
			.bucket = place_bucket(to),
			.key = str_n(to->key, to->key_len - 1),
			.only_dir = true,
			.on_done = on_target,
			.user = op,
		};
		probe_start(op->base.worker, &op->probe);
	}
}
