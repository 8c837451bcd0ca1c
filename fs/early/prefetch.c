#include "fs/early/prefetch.h"

#include "engine/base/clock.h"
#include "fs/core/node.h"

/* The number of siblings among which the next directories are searched. */
enum { LOOK_MAX = 256 };

/* hub.lock held: the slot of the directory's listing, or NULL. */
static struct prefetch *prefetch_find(
	struct prefetches *prefetches, const struct batch *batch, uint64_t directory)
{
	for (unsigned i = 0; i < PREFETCH_MAX; i++) {
		struct prefetch *slot = &prefetches->slots[i];

		if (slot->stream && slot->batch == batch && slot->directory == directory)
			return slot;
	}
	return NULL;
}

/* hub.lock held: returns a free slot, or the oldest slot if that is too old (its stream goes to *ret_old),
 * or NULL. */
static struct prefetch *free_slot(struct prefetches *prefetches, uint64_t now, struct dir_stream **ret_old)
{
	struct prefetch *oldest = &prefetches->slots[0];

	*ret_old = NULL;
	for (unsigned i = 0; i < PREFETCH_MAX; i++) {
		struct prefetch *slot = &prefetches->slots[i];

		if (!slot->stream)
			return slot;
		if (slot->began_ms < oldest->began_ms)
			oldest = slot;
	}
	if (now - oldest->began_ms < PREFETCH_AGE_MS)
		return NULL;
	*ret_old = oldest->stream;
	oldest->stream = NULL;
	return oldest;
}

static void prefetch_begin(
	struct hub *hub, struct prefetches *prefetches, const struct batch *batch, struct node *directory)
{
	const struct dir_stream_options options = {.hub = hub, .directory = directory};
	struct dir_stream *stream, *old;
	uint64_t now = clock_ms();

	if (dir_stream_new(&options, &stream) < 0)
		return;
	hub_lock(hub);
	struct prefetch *slot = free_slot(prefetches, now, &old);

	if (slot)
		*slot = (struct prefetch){
			.stream = stream, .batch = batch, .directory = directory->ino, .began_ms = now};
	hub_unlock(hub);
	if (old)
		dir_stream_close(old);
	if (slot)
		dir_stream_start(stream);
	else
		dir_stream_close(stream);
}

void prefetch_beside(
	struct hub *hub, struct prefetches *prefetches, const struct batch *batch, struct node *directory)
{
	struct node *next[PREFETCH_AHEAD];
	unsigned count = 0, looked = 0;

	hub_lock(hub);
	/* Siblings made later have higher inode numbers and stand before this directory (node_table.c). */
	struct node *node = directory->gone ? NULL : directory->child_prev;

	for (; node && count < PREFETCH_AHEAD && looked < LOOK_MAX; node = node->child_prev, looked++) {
		if (node->kind != NODE_DIR || node->local || node->ino < directory->ino)
			continue;
		if (prefetch_find(prefetches, batch, node->ino))
			continue;
		next[count++] = node_ref(node);
	}
	hub_unlock(hub);
	for (unsigned i = 0; i < count; i++)
		prefetch_begin(hub, prefetches, batch, next[i]);
	hub_lock(hub);
	for (unsigned i = 0; i < count; i++)
		node_unref(hub->nodes, next[i]);
	hub_unlock(hub);
}

struct dir_stream *prefetch_take(struct hub *hub, struct prefetches *prefetches, const struct batch *batch,
	const struct dir_stream_options *options)
{
	struct dir_stream *stream = NULL, *old = NULL;

	hub_lock(hub);
	struct prefetch *slot = prefetch_find(prefetches, batch, options->directory->ino);

	if (slot) {
		bool fresh = clock_ms() - slot->began_ms < PREFETCH_AGE_MS;

		*(fresh && dir_stream_adopt(slot->stream, options) ? &stream : &old) = slot->stream;
		slot->stream = NULL;
	}
	hub_unlock(hub);
	if (old)
		dir_stream_close(old);
	return stream;
}

void prefetch_drop(struct hub *hub, struct prefetches *prefetches, const struct batch *batch)
{
	for (unsigned i = 0; i < PREFETCH_MAX; i++) {
		struct dir_stream *stream = NULL;

		hub_lock(hub);
		struct prefetch *slot = &prefetches->slots[i];

		if (slot->stream && (!batch || slot->batch == batch)) {
			stream = slot->stream;
			slot->stream = NULL;
		}
		hub_unlock(hub);
		if (stream)
			dir_stream_close(stream);
	}
}
