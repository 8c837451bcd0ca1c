#include "fs/file/read_wait.h"

#include <errno.h>

#include "fs/file/handle.h"

static bool read_wait_overlaps(const struct read_wait *wait, uint64_t start, uint64_t len)
{
	return wait->from < start + len && start < wait->from + wait->len;
}

bool read_wait_wants(const struct handle *handle, uint64_t start, uint64_t len)
{
	for (const struct read_wait *wait = handle->reads; wait; wait = wait->next) {
		if (read_wait_overlaps(wait, start, len) && wait->wanted(wait))
			return true;
	}
	return false;
}

int read_wait_collect(struct read_wait *wait)
{
	wait->pieces = chunks_pieces(wait->handle, wait->from, wait->len, &wait->piece_count);
	return wait->pieces ? 0 : -ENOMEM;
}

void read_wait_park(struct read_wait *wait)
{
	wait->next = wait->handle->reads;
	wait->handle->reads = wait;
}

struct read_wait *read_wait_chunk_done(struct handle *handle, uint64_t start, uint64_t len, int outcome)
{
	struct read_wait *woken = NULL, **last = &woken;

	for (struct read_wait **at = &handle->reads, *wait; (wait = *at);) {
		bool here = read_wait_overlaps(wait, start, len);
		bool ready = here && outcome == 0 && chunks_ready(handle, wait->from, wait->len);

		if (!here || (outcome == 0 && !ready)) {
			at = &wait->next;
			continue;
		}
		if (ready)
			wait->error = read_wait_collect(wait);
		else if (outcome < 0)
			wait->error = outcome;
		*at = wait->next;
		wait->next = NULL;
		*last = wait;
		last = &wait->next;
	}
	return woken;
}

struct read_wait *read_wait_take_starved(struct hub *hub)
{
	struct chunks *pool = &hub->files->chunks;
	struct read_wait *first = pool->starved;

	if (!first || pool->bytes >= CHUNKS_MAX)
		return NULL;
	pool->starved = NULL;
	pool->starved_last = NULL;
	return first;
}

void read_wait_starve(struct hub *hub, struct read_wait *wait)
{
	struct chunks *pool = &hub->files->chunks;

	wait->next = NULL;
	*(pool->starved ? pool->starved_last : &pool->starved) = wait;
	pool->starved_last = &wait->next;
}

/* Of this thread: the reads that read_wait_run has still to run. */
static _Thread_local struct read_wait *read_queue, **read_queue_last;
static _Thread_local bool read_queue_runs;

void read_wait_run(struct read_wait *first)
{
	if (!first)
		return;
	*(read_queue ? read_queue_last : &read_queue) = first;
	while (first->next)
		first = first->next;
	read_queue_last = &first->next;
	if (read_queue_runs)
		return;
	read_queue_runs = true;
	while (read_queue) {
		struct read_wait *wait = read_queue;

		read_queue = wait->next;
		wait->next = NULL;
		wait->run(wait);
	}
	read_queue_runs = false;
}
