/*
 * chunk: pieces of objects in memory, each of one version of the object that a handle reads.
 *
 * A handle holds its chunks in a list; the hub holds all of them in one pool, so that their bytes have one bound
 * (CHUNKS_MAX).  fs/file/readahead.c requests them; a read that is answered with them holds refs on them.
 *
 * hub.lock held for everything here.
 */
#ifndef FERRYFS_FS_FILE_CHUNK_H
#define FERRYFS_FS_FILE_CHUNK_H

#include "engine/object/fetch.h"
#include "fs/core/hub.h"
#include "fs/core/place.h"

#define CHUNKS_MAX ((uint64_t)128 << 20)

struct handle;
struct read_wait;

/* The chunks of all handles. */
struct chunks {
	struct chunk *oldest, *newest;
	uint64_t bytes;
	struct read_wait *starved, **starved_last; /* fs/file/read_wait.c: no room yet */
};

/* fs/file/chunk.c keeps the lists, the bounds and the refs, fs/file/readahead.c the other fields. */
struct chunk {
	struct chunk *next; /* of the handle */
	struct chunk *newer, *older; /* of the pool */
	struct hub *hub;
	struct handle *handle; /* referenced while on its way, lent while in its list */
	bool dropped;
	uint64_t start;
	size_t len;
	unsigned refs;
	bool ready;
	uint64_t whole; /* size of the whole version, if the bytes are surely of it: may be hashed; else 0 */
	bool moved; /* the object was renamed meanwhile, and was requested once more at its new place */
	struct fetch fetch;
	struct place place;
	char etag[ETAG_MAX + 1];
	char data[];
};

/* A piece of memory with bytes of a read. */
struct chunk_piece {
	struct chunk *chunk; /* referenced */
	const char *data;
	size_t len;
};

/* Puts a new chunk into its handle's list, before *at, and into the pool. */
void chunk_insert(struct chunk *chunk, struct chunk **at);
/* Takes the chunk out of its handle's list, and frees it unless it is on its way or in use. */
void chunk_drop(struct chunk *chunk);
/* Drops a ref; the last one of a dropped chunk frees it. */
void chunk_put(struct chunk *chunk);
/* Is there room for len more bytes?  Drops chunks for it that no parked read needs, the oldest first. */
bool chunks_make_room(struct chunks *pool, uint64_t len);
/* Drops the handle's chunks that end more than slack bytes before from or begin more than slack bytes after until. */
void chunks_trim(struct handle *handle, uint64_t from, uint64_t until, uint64_t slack);
/* Returns how many bytes of [from, until) are in no chunk. */
uint64_t chunks_missing(const struct handle *handle, uint64_t from, uint64_t until);
/* Are all bytes of [from, from + len) here? */
bool chunks_ready(const struct handle *handle, uint64_t from, uint64_t len);
/* If chunks_ready: returns the pieces, their number in *ret_count, with a ref on each; NULL: no memory.
 * The caller frees the array. */
struct chunk_piece *chunks_pieces(struct handle *handle, uint64_t from, uint64_t len, unsigned *ret_count);
/* Drops the refs of the pieces. */
void chunks_put(struct hub *hub, struct chunk_piece *pieces, unsigned count);
/* Drops the handle's chunks: they are of a version that the handle does not read any more. */
void chunks_drop(struct hub *hub, struct handle *handle);

#endif
