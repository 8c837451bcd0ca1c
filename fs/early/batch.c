/*
 * The table of batches, and the promises of each.
 *
 *   process  outstanding  error  waits     meaning
 *   lives    0            0      none      everything that the process was told is true
 *   lives    > 0          0      none      answered early; some operations are under way
 *   lives    any          < 0    none      a failure that the process does not know yet: its next call that
 *                                          can report an error reports this one
 *   lives    > 0          any    some      a call without evidence waits
 *   lives    0            any    some      only while `settling`, or within batch_pump: the waits are called
 *   ended    > 0          any    `last`    not in the table; drains
 *   ended    0            any    none      an error can only be logged; freed with the last ref
 *
 * Invariants: batches.outstanding is the sum over all batches; no wait of a live batch is called while that
 * batch has an outstanding promise; exactly one caller takes an error; a wait for room is queued only while
 * there is no room, and waits are served in their order, except that a wait is passed over while its own
 * batch is full.
 *
 * One lock, a leaf, protects the table, all batches and their visits.  Callbacks are called without it.
 */
#include "engine/base/clock.h"
#include "fs/early/batch_mounts.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "fs/host/process_exit.h"

enum {
	/* A process that was alive so short a time ago has its pid: the kernel reuses no pid so fast. */
	ALIVE_MS = 5,
};

static void batch_check(const struct batch *batch)
{
#ifndef NDEBUG
	const struct batches *batches = batch->batches;

	assert(batch->refs > 0);
	assert(batch->error <= 0);
	assert(batch->outstanding <= batches->outstanding);
	assert(batch->waits || batch->waits_last == &batch->waits);
	assert(batches->room || batches->room_last == &batches->room);
#endif
}

int batches_new(struct resolver *resolver, const struct batches_hooks *hooks, struct batches **ret)
{
	struct batches *batches = calloc(1, sizeof(*batches));

	if (!batches)
		return -ENOMEM;
	batches->resolver = resolver;
	batches->hooks = *hooks;
	batches->room_last = &batches->room;
	pthread_mutex_init(&batches->lock, NULL);
	clock_cond_init(&batches->drained);
	*ret = batches;
	return 0;
}

static void batch_free(struct batch *batch)
{
	visits_release(&batch->visits);
	batch_mounts_release(batch);
	close(batch->pidfd);
	free(batch);
}

void batches_free(struct batches *batches)
{
	if (!batches)
		return;
	assert(batches->outstanding == 0 && !batches->room);
	for (unsigned i = 0; i < BATCH_SLOTS; i++) {
		while (batches->slots[i]) {
			struct batch *batch = batches->slots[i];

			batches->slots[i] = batch->next;
			batch_free(batch);
		}
	}
	pthread_cond_destroy(&batches->drained);
	pthread_mutex_destroy(&batches->lock);
	free(batches);
}

/* ---- the table ---- */

static struct batch **batch_slot_of(struct batches *batches, pid_t pid)
{
	return &batches->slots[(unsigned)pid % BATCH_SLOTS];
}

/* Lock held. */
static bool is_alive(struct batch *batch)
{
	uint64_t now = clock_ms();

	if (now - batch->seen_ms < ALIVE_MS)
		return true;
	batch->seen_ms = now;
	return !process_ended(batch->pidfd);
}

/* Lock held.  The pid may belong to another process by now, before on_end was called for its former owner. */
static struct batch *batch_find(struct batches *batches, pid_t pid)
{
	struct batch *batch = *batch_slot_of(batches, pid);

	while (batch && (batch->caller.pid != pid || !is_alive(batch)))
		batch = batch->next;
	return batch;
}

/* Lock held.  The caller takes over the table's ref. */
static void leave_table(struct batch *batch)
{
	struct batch **at = batch_slot_of(batch->batches, batch->caller.pid);

	while (*at != batch)
		at = &(*at)->next;
	*at = batch->next;
	batch->batches->count--;
}

struct batch *batch_ref(struct batch *batch)
{
	pthread_mutex_lock(&batch->batches->lock);
	batch->refs++;
	pthread_mutex_unlock(&batch->batches->lock);
	return batch;
}

/* Lock held.  True: the caller has to free the batch. */
static bool unref(struct batch *batch)
{
	batch_check(batch);
	return --batch->refs == 0;
}

void batch_unref(struct batch *batch)
{
	if (!batch)
		return;
	struct batches *batches = batch->batches;

	pthread_mutex_lock(&batches->lock);
	bool last = unref(batch);

	pthread_mutex_unlock(&batches->lock);
	if (last)
		batch_free(batch);
}

const struct caller *batch_caller(const struct batch *batch)
{
	return &batch->caller;
}

bool batch_over(const struct batch *batch)
{
	return process_ended(batch->pidfd);
}

static void on_drained(struct batch_wait *wait, int error)
{
	struct batch *batch = wait->user;

	/* The failed operation was logged by name.  A process that was killed, or ended by another error,
	 * did not exit with 0.  (If it did exit with 0, that is a defect of ferryfs: tests/cases/lib.sh
	 * looks for this log line.) */
	if (error < 0) {
		char text[PROCESS_EXIT_TEXT_MAX];
		int status = process_exit_status(batch->pidfd, batch->caller.pid);

		log_text(status == 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			"process %d (%s) ended before it could be told of a failure: %s",
			(int)batch->caller.pid, caller_tool_name(batch->caller.tool),
			process_exit_text(status, text));
	}
	batch_unref(batch);
}

/* On the resolver's thread: the process has ended. */
static void on_end(struct process_watch *watch)
{
	struct batch *batch = watch->user;
	struct batches *batches = batch->batches;

	pthread_mutex_lock(&batches->lock);
	leave_table(batch);
	pthread_mutex_unlock(&batches->lock);
	batch->last = (struct batch_wait){.on_done = on_drained, .user = batch};
	batch_wait(batch, &batch->last);
}

struct batch *batches_find(struct batches *batches, pid_t pid)
{
	pthread_mutex_lock(&batches->lock);
	struct batch *batch = batch_find(batches, pid);

	if (batch)
		batch->refs++;
	pthread_mutex_unlock(&batches->lock);
	return batch;
}

struct batch *batches_open(struct batches *batches, const struct caller *caller, int pidfd)
{
	struct batch *there = batches_find(batches, caller->pid);
	struct batch *batch = there ? NULL : calloc(1, sizeof(*batch));

	if (!batch) {
		close(pidfd);
		return there;
	}
	batch->batches = batches;
	batch->caller = *caller;
	batch->pidfd = pidfd;
	batch->began_ms = clock_ms();
	batch->watch = (struct process_watch){.pidfd = pidfd, .on_end = on_end, .user = batch};
	batch->waits_last = &batch->waits;
	batch_mounts_init(batch);
	batch->refs = 2; /* one of the table (later of on_end), one of the caller */
	pthread_mutex_lock(&batches->lock);
	bool full = batches->count == BATCHES_MAX;

	if (!full) {
		batch->next = *batch_slot_of(batches, caller->pid);
		*batch_slot_of(batches, caller->pid) = batch;
		batches->count++;
	}
	pthread_mutex_unlock(&batches->lock);
	int error = full ? -EAGAIN : resolver_watch(batches->resolver, &batch->watch);

	if (error == 0)
		return batch;
	pthread_mutex_lock(&batches->lock);
	if (!full)
		leave_table(batch);
	pthread_mutex_unlock(&batches->lock);
	batch_free(batch);
	return NULL;
}

void batches_count(struct batches *batches, unsigned *ret_processes, unsigned *ret_outstanding)
{
	pthread_mutex_lock(&batches->lock);
	*ret_processes = batches->count;
	*ret_outstanding = batches->outstanding;
	pthread_mutex_unlock(&batches->lock);
}

/* ---- promises ---- */

static bool has_room(const struct batch *batch)
{
	unsigned max = batch->caller.tool == CALLER_RM ? BATCH_REMOVALS_MAX : BATCH_OUTSTANDING_MAX;

	return batch->outstanding < max &&
	       (batch->outstanding < BATCH_RESERVE || batch->batches->outstanding < BATCHES_OUTSTANDING_MAX);
}

/* Lock held. */
static void promise(struct batch *batch)
{
	batch->refs++;
	batch->outstanding++;
	batch->batches->outstanding++;
	batch_check(batch);
}

bool batch_promise(struct batch *batch, struct batch_wait *wait)
{
	struct batches *batches = batch->batches;

	pthread_mutex_lock(&batches->lock);
	bool room = has_room(batch);

	if (room) {
		promise(batch);
	} else if (wait) {
		wait->batch = batch;
		wait->next = NULL;
		*batches->room_last = wait;
		batches->room_last = &wait->next;
	}
	pthread_mutex_unlock(&batches->lock);
	if (!room)
		batches->hooks.hurry(batches->hooks.user);
	return room;
}

void batch_promise_more(struct batch *batch)
{
	pthread_mutex_lock(&batch->batches->lock);
	promise(batch);
	pthread_mutex_unlock(&batch->batches->lock);
}

/* Lock held: takes the first wait that has room in its batch now, and promises its operation; NULL: none. */
static struct batch_wait *take_room(struct batches *batches)
{
	for (struct batch_wait **at = &batches->room; *at; at = &(*at)->next) {
		struct batch_wait *wait = *at;

		if (!has_room(wait->batch))
			continue;
		*at = wait->next;
		if (!*at)
			batches->room_last = at;
		promise(wait->batch);
		return wait;
	}
	return NULL;
}

/* Lock held. */
static int take_error(struct batch *batch)
{
	int error = batch->error;

	batch->error = 0;
	batch->lacking = false;
	return error;
}

static struct batch_wait *take_wait(struct batch *batch)
{
	struct batch_wait *wait = batch->waits;

	if (!wait || batch->outstanding > 0)
		return NULL;
	batch->waits = wait->next;
	if (!wait->next)
		batch->waits_last = &batch->waits;
	return wait;
}

/* Lock held at call and return, released in between; the caller holds a ref.  Calls the waits when no
 * promise is outstanding. */
static void batch_pump(struct batch *batch)
{
	struct batches *batches = batch->batches;

	if (batch->outstanding > 0 || !batch->waits || batch->settling)
		return;
	batch->settling = true;
	pthread_mutex_unlock(&batches->lock);
	batches->hooks.settle(batches->hooks.user, batch);
	pthread_mutex_lock(&batches->lock);
	batch->settling = false;
	for (;;) {
		struct batch_wait *wait = take_wait(batch);

		if (!wait)
			return;
		wait->lacking = batch->lacking;
		int error = take_error(batch);

		pthread_mutex_unlock(&batches->lock);
		wait->on_done(wait, error);
		pthread_mutex_lock(&batches->lock);
	}
}

static void early_batch_keep(struct batch *batch, int error, bool lacking)
{
	struct batches *batches = batch->batches;
	struct batch_wait *room;

	pthread_mutex_lock(&batches->lock);
	assert(batch->outstanding > 0);
	if (error < 0 && !batch->error)
		batch->error = error;
	batch->lacking |= error < 0 && lacking;
	batch->outstanding--;
	batches->outstanding--;
	batch->kept++;
	batch_pump(batch);
	while ((room = take_room(batches))) {
		pthread_mutex_unlock(&batches->lock);
		room->on_done(room, 0);
		pthread_mutex_lock(&batches->lock);
	}
	if (batches->outstanding == 0)
		pthread_cond_broadcast(&batches->drained);
	bool last = unref(batch);

	pthread_mutex_unlock(&batches->lock);
	if (last)
		batch_free(batch);
}

void batch_keep(struct batch *batch, int error)
{
	early_batch_keep(batch, error, true);
}

void batch_keep_removal(struct batch *batch, int error)
{
	early_batch_keep(batch, error, false);
}

int batch_take_error(struct batch *batch)
{
	pthread_mutex_lock(&batch->batches->lock);
	int error = take_error(batch);

	pthread_mutex_unlock(&batch->batches->lock);
	return error;
}

bool batch_has_failed(struct batch *batch)
{
	pthread_mutex_lock(&batch->batches->lock);
	bool failed = batch->refused || batch->error < 0;

	pthread_mutex_unlock(&batch->batches->lock);
	return failed;
}

void batch_refused(struct batch *batch)
{
	pthread_mutex_lock(&batch->batches->lock);
	batch->refused = true;
	visit_refused(&batch->visits);
	pthread_mutex_unlock(&batch->batches->lock);
}

void batch_put_error(struct batch *batch, const struct batch_wait *wait, int error)
{
	pthread_mutex_lock(&batch->batches->lock);
	if (!batch->error)
		batch->error = error;
	batch->lacking |= error < 0 && wait->lacking;
	pthread_mutex_unlock(&batch->batches->lock);
}

void batch_wait(struct batch *batch, struct batch_wait *wait)
{
	struct batches *batches = batch->batches;

	batches->hooks.hurry(batches->hooks.user);
	pthread_mutex_lock(&batches->lock);
	batch->refs++;
	wait->next = NULL;
	*batch->waits_last = wait;
	batch->waits_last = &wait->next;
	batch_pump(batch);
	bool last = unref(batch);

	pthread_mutex_unlock(&batches->lock);
	if (last)
		batch_free(batch);
}
