/*
 * A chunk is on its way or ready, in its handle's list or dropped from it.  It is always in the pool's list.
 *
 *   state      in the handle's list  then
 *   on its way yes                   on_fetched: ready; a failure drops it; reads that wait for it are woken
 *   on its way no (dropped)          on_fetched: reads that waited for its bytes start anew; freed
 *   ready      yes                   may be dropped when no ref is left and no parked read of its handle
 *                                    needs it
 *   ready      no                    freed with its last ref
 */
#include "fs/file/chunk.h"

#include <stdlib.h>

#include "fs/file/handle.h"
#include "fs/file/read_wait.h"

static void pool_add(struct chunks *pool, struct chunk *chunk)
{
	chunk->newer = NULL;
	chunk->older = pool->newest;
	*(pool->newest ? &pool->newest->newer : &pool->oldest) = chunk;
	pool->newest = chunk;
	pool->bytes += chunk->len;
}

void chunk_insert(struct chunk *chunk, struct chunk **at)
{
	chunk->next = *at;
	*at = chunk;
	pool_add(&chunk->hub->files->chunks, chunk);
}

static void chunk_free(struct chunk *chunk)
{
	struct chunks *pool = &chunk->hub->files->chunks;

	*(chunk->older ? &chunk->older->newer : &pool->oldest) = chunk->newer;
	*(chunk->newer ? &chunk->newer->older : &pool->newest) = chunk->older;
	pool->bytes -= chunk->len;
	free(chunk);
}

void chunk_put(struct chunk *chunk)
{
	if (--chunk->refs == 0 && chunk->dropped)
		chunk_free(chunk);
}

void chunk_drop(struct chunk *chunk)
{
	struct chunk **at = &chunk->handle->ahead.chunks;

	while (*at != chunk)
		at = &(*at)->next;
	*at = chunk->next;
	chunk->dropped = true;
	if (chunk->refs == 0)
		chunk_free(chunk);
}

void chunks_drop(struct hub *hub, struct handle *handle)
{
	while (handle->ahead.chunks)
		chunk_drop(handle->ahead.chunks);
}

static bool chunk_expendable(const struct chunk *chunk)
{
	return chunk->ready && chunk->refs == 0 && !chunk->dropped &&
	       !read_wait_wants(chunk->handle, chunk->start, chunk->len);
}

bool chunks_make_room(struct chunks *pool, uint64_t len)
{
	for (struct chunk *at = pool->oldest, *next; at && pool->bytes + len > CHUNKS_MAX; at = next) {
		next = at->newer;
		if (chunk_expendable(at))
			chunk_drop(at);
	}
	return pool->bytes + len <= CHUNKS_MAX;
}

void chunks_trim(struct handle *handle, uint64_t from, uint64_t until, uint64_t slack)
{
	for (struct chunk *at = handle->ahead.chunks, *next; at; at = next) {
		next = at->next;
		if ((at->start + at->len + slack < from || at->start > until + slack) && chunk_expendable(at))
			chunk_drop(at);
	}
}

uint64_t chunks_missing(const struct handle *handle, uint64_t from, uint64_t until)
{
	uint64_t bytes = until - from;

	for (const struct chunk *at = handle->ahead.chunks; at && at->start < until; at = at->next) {
		uint64_t start = at->start > from ? at->start : from, end = at->start + at->len;

		if (end > until)
			end = until;
		if (start < end)
			bytes -= end - start;
	}
	return bytes;
}

bool chunks_ready(const struct handle *handle, uint64_t from, uint64_t len)
{
	uint64_t until = from + len;

	for (const struct chunk *at = handle->ahead.chunks; at && from < until; at = at->next) {
		if (at->start + at->len <= from)
			continue;
		if (at->start > from || !at->ready)
			return false;
		from = at->start + at->len;
	}
	return from >= until;
}

struct chunk_piece *chunks_pieces(struct handle *handle, uint64_t from, uint64_t len, unsigned *ret_count)
{
	uint64_t until = from + len;
	unsigned count = 0, room = 0;

	for (const struct chunk *at = handle->ahead.chunks; at && at->start < until; at = at->next)
		room += at->start + at->len > from;
	struct chunk_piece *pieces = calloc(room ? room : 1, sizeof(*pieces));

	if (!pieces)
		return NULL;
	for (struct chunk *at = handle->ahead.chunks; at && at->start < until; at = at->next) {
		uint64_t end = at->start + at->len;

		if (end <= from)
			continue;
		if (end > until)
			end = until;
		at->refs++;
		pieces[count++] = (struct chunk_piece){
			.chunk = at, .data = at->data + (from - at->start), .len = (size_t)(end - from)};
		from = end;
	}
	*ret_count = count;
	return pieces;
}

void chunks_put(struct hub *hub, struct chunk_piece *pieces, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		chunk_put(pieces[i].chunk);
}
