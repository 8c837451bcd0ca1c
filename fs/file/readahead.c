#include "fs/file/readahead.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/object/fetch.h"
#include "engine/base/log.h"
#include "fs/core/place.h"
#include "fs/file/handle.h"
#include "fs/file/read_wait.h"
#include "fs/file/recognise.h"

/* ---- how far to fetch ---- */

uint64_t readahead_until(struct readahead *ahead, uint64_t from, uint64_t len, uint64_t size)
{
	uint64_t end = from + len;
	uint64_t slack = ahead->window ? READ_SLACK : 0;

	if (from <= ahead->next + slack && from + READ_SLACK >= ahead->next) {
		ahead->run += len;
		if (end > ahead->next)
			ahead->next = end;
		if (ahead->window == 0)
			ahead->window = READ_WINDOW_FIRST;
		else if (ahead->run >= 2 * ahead->window && ahead->window < READ_WINDOW_MAX)
			ahead->window *= READ_WINDOW_GROWTH;
		end = ahead->next + ahead->window;
	} else {
		ahead->next = end;
		ahead->run = len;
		ahead->window = 0;
		end = (end + READ_ROUND - 1) / READ_ROUND * READ_ROUND;
	}
	return end < size ? end : size;
}

uint64_t readahead_unit(const struct readahead *ahead)
{
	uint64_t unit = ahead->window / 2;

	if (unit < READ_ROUND)
		return READ_ROUND;
	return unit < READ_CHUNK_MAX ? unit : READ_CHUNK_MAX;
}

static void readahead_on_fetched(struct fetch *fetch, const struct s3_answer *answer);

static int chunk_send(struct chunk *chunk)
{
	int error = chunk->handle->node->gone ? -ESTALE : node_place(chunk->handle->node, &chunk->place);

	if (error < 0)
		return error;
	chunk->fetch = (struct fetch){
		.account = chunk->place.account,
		.bucket = place_bucket(&chunk->place),
		.key = place_key(&chunk->place),
		.etag = chunk->etag[0] ? str_of(chunk->etag) : STR_NONE,
		.start = chunk->start,
		.length = chunk->len,
		.data = chunk->data,
		.on_done = readahead_on_fetched,
		.user = chunk,
	};
	fetch_post(engine_pick(chunk->hub->engine), &chunk->fetch);
	return 0;
}

/* Was the object renamed since the chunk was requested?  Then requests the chunk at the new place, with
 * the ETag of the copy there. */
static bool follow_rename(struct chunk *chunk)
{
	struct handle *handle = chunk->handle;
	const struct node *node = handle->node;
	struct place now;

	if (chunk->moved || chunk->dropped || node->gone || node_place(node, &now) < 0)
		return false;
	if (place_same_key(&now, &chunk->place))
		return false;
	if (node->attr.etag && !node->draft && node->attr.size == handle->size)
		snprintf(handle->etag, sizeof(handle->etag), "%s", node->attr.etag);
	memcpy(chunk->etag, handle->etag, sizeof(chunk->etag));
	chunk->moved = true;
	return chunk_send(chunk) == 0;
}

static void readahead_log_failure(const struct chunk *chunk, int error, const struct s3_answer *answer)
{
	log_call(LOG_LEVEL_ERROR, &(struct log_call){.what = "read",
					  .bucket = place_bucket(&chunk->place),
					  .key = place_key(&chunk->place),
					  .error = error,
					  .answer = answer});
}

/* ---- hashing (fs/file/recognise.h) ---- */

/* Returns the hash state of the chunk's handle, begun with the first bytes.  hub.lock held; NULL: none so
 * far. */
static struct served *served_of(const struct chunk *chunk)
{
	struct handle *handle = chunk->handle;

	if (!handle->served && chunk->start == 0 && chunk->place.view->recognise) {
		const struct recognise_version version = {
			.account = chunk->place.account,
			.bucket = place_bucket(&chunk->place),
			.key = place_key(&chunk->place),
			.etag = str_of(chunk->etag),
			.size = chunk->whole,
		};

		if (served_new(chunk->hub->recognise, &version, &handle->served) < 0)
			return NULL; /* a copy of this object is not recognised then */
	}
	return handle->served;
}

/* Finds the chunk with the next bytes to be hashed.  hub.lock held; *ret is referenced. */
static bool in_turn(const struct handle *handle, const struct served *served, struct chunk **ret)
{
	for (struct chunk *at = handle->ahead.chunks; at; at = at->next) {
		/* chunk_put frees only what chunk_drop has taken out of this list.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		if (at->start == served_next(served) && at->whole > 0 &&
			served_is_of(served, str_of(at->etag), at->whole)) {
			at->refs++;
			*ret = at;
			return true;
		}
	}
	return false;
}

/* Called before any read is answered with these bytes: a program that has read a whole object then finds
 * it in the table.  Hashes only if the answer itself names the requested version, and came in one piece. */
static void sum_up(struct chunk *chunk, const struct s3_answer *answer)
{
	const struct fetch *fetch = &chunk->fetch;
	struct hub *hub = chunk->hub;

	if (!chunk->etag[0] || chunk->moved || fetch->resumed > 0 || strcmp(answer->etag, chunk->etag) != 0)
		return;
	hub_lock(hub);
	chunk->whole = answer->size;
	struct served *served = chunk->dropped ? NULL : served_of(chunk);

	hub_unlock(hub);
	if (!served)
		return;
	served_lock(served);
	for (;;) {
		struct chunk *next;

		hub_lock(hub);
		bool found = in_turn(chunk->handle, served, &next);

		hub_unlock(hub);
		if (!found)
			break;
		served_take(served, next->data, next->len);
		hub_lock(hub);
		chunk_put(next);
		hub_unlock(hub);
	}
	served_unlock(served);
}

static void readahead_on_fetched(struct fetch *fetch, const struct s3_answer *answer)
{
	struct chunk *chunk = fetch->user;
	struct hub *hub = chunk->hub;
	int error = fetch->error;

	if (error == 0 && fetch->got < fetch->length)
		error = -EIO;
	if (error == 0)
		sum_up(chunk, answer);
	hub_lock(hub);
	if (error == -ESTALE && follow_rename(chunk)) {
		hub_unlock(hub);
		return;
	}
	struct handle *handle = chunk->handle;
	bool anew = chunk->dropped;

	chunk->ready = true;
	if (error < 0 && !anew)
		chunk_drop(chunk);
	struct read_wait *woken =
		read_wait_chunk_done(handle, chunk->start, chunk->len, anew ? READ_WAIT_ANEW : error);

	hub_unlock(hub);
	if (error < 0 && woken && !anew)
		readahead_log_failure(chunk, error, answer);
	hub_lock(hub);
	chunk_put(chunk);
	handle_unref(hub, handle);
	struct read_wait *starved = read_wait_take_starved(hub);

	hub_unlock(hub);
	read_wait_run(woken);
	read_wait_run(starved);
}

/* Puts a new chunk into its place in the list (at *at), and requests it. */
static int chunk_new(struct hub *hub, struct handle *handle, struct chunk **at, uint64_t start, uint64_t len)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + len);

	if (!chunk)
		return -ENOMEM;
	memset(chunk, 0, sizeof(*chunk));
	chunk->hub = hub;
	chunk->handle = handle;
	chunk->start = start;
	chunk->len = (size_t)len;
	memcpy(chunk->etag, handle->etag, sizeof(chunk->etag));
	int error = chunk_send(chunk);

	if (error < 0) {
		free(chunk);
		return error;
	}
	chunk->refs = 1; /* the fetch's */
	handle_ref(handle);
	chunk_insert(chunk, at);
	return 0;
}

/* ---- covering a range ---- */

/* Makes chunks for the gaps of [from, until), of at least unit bytes where the gap has room for them. */
static int readahead_fill(
	struct hub *hub, struct handle *handle, uint64_t from, uint64_t until, uint64_t limit)
{
	struct chunk **at = &handle->ahead.chunks;
	uint64_t unit = readahead_unit(&handle->ahead);
	int error = 0;

	while (error == 0 && from < until) {
		while (*at && (*at)->start + (*at)->len <= from)
			at = &(*at)->next;
		if (*at && (*at)->start <= from) {
			from = (*at)->start + (*at)->len;
			continue;
		}
		uint64_t end = *at && (*at)->start < limit ? (*at)->start : limit;
		uint64_t len = until - from > unit ? until - from : unit;

		if (len > READ_CHUNK_MAX)
			len = READ_CHUNK_MAX;
		if (len > end - from)
			len = end - from;
		error = chunk_new(hub, handle, at, from, len);
		from += len;
	}
	return error;
}

int readahead_cover(struct hub *hub, struct handle *handle, uint64_t from, uint64_t len, uint64_t until)
{
	struct chunks *pool = &hub->files->chunks;
	uint64_t unit = readahead_unit(&handle->ahead), want = chunks_missing(handle, from, from + len);
	int error = 0;

	chunks_trim(handle, from, until, READ_SLACK);
	if (want > 0) {
		if (!chunks_make_room(pool, want + unit) && pool->bytes > 0)
			return -EAGAIN;
		error = readahead_fill(hub, handle, from, from + len, until);
	}
	/* Fetches ahead in whole units, and not into the last half of the pool, which is for requested
	 * bytes. */
	for (uint64_t pos = from + len; error == 0 && pos < until; pos += unit) {
		uint64_t end = pos + unit < until ? pos + unit : until;

		if (pool->bytes + unit > CHUNKS_MAX / 2 ||
			(until < handle->size && chunks_missing(handle, pos, until) < unit))
			break;
		if (readahead_fill(hub, handle, pos, end, until) < 0)
			break; /* a later read there will report the error */
	}
	if (error < 0)
		return error;
	return chunks_ready(handle, from, len);
}
