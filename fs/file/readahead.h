/*
 * readahead: what is fetched of an object before and because it is read.
 *
 * Each handle has a window that grows with sequential reading (128 KiB, 1 MiB, 8 MiB) and is nothing for
 * random access, where only what is asked for is fetched, rounded up to 64 KiB.  What is fetched lies in
 * chunks, ranged GETs of one version, several at once.  Bounded per handle by its window and over the hub by
 * CHUNKS_MAX; past that the oldest that nobody waits for go, and reads that still find no room wait in line.
 *
 * hub.lock held for everything here.
 */
#ifndef FERRYFS_FS_FILE_READAHEAD_H
#define FERRYFS_FS_FILE_READAHEAD_H

#include "fs/core/hub.h"

enum {
	READ_WINDOW_FIRST = 128 << 10,
	READ_WINDOW_GROWTH = 8,
	READ_WINDOW_MAX = 8 << 20,
	READ_CHUNK_MAX = 1 << 20, /* of what is fetched ahead: so that a window is several, in parallel */
	READ_ROUND = 64 << 10, /* what a GET of few bytes costs is its round trip */
	READ_SLACK = 1 << 20, /* parallel reads of one stream come in any order, this far apart */
};

#define CHUNKS_MAX ((uint64_t)128 << 20)

struct handle;
struct chunk;
struct read_op;

struct readahead {
	uint64_t next; /* where a sequential reader goes on */
	uint64_t run; /* bytes read in sequence */
	uint64_t window; /* 0: random access */
	struct chunk *chunks; /* by start, none overlaps another */
};

/* The chunks of all handles. */
struct chunks {
	struct chunk *oldest, *newest;
	uint64_t bytes;
	struct read_op *starved, **starved_last; /* fs/ops/op_read.c: no room yet */
};

/* A read of [from, from + len) has come: how far to fetch, at most to size. */
uint64_t readahead_until(struct readahead *ahead, uint64_t from, uint64_t len, uint64_t size);
/* The length of one chunk ahead. */
uint64_t readahead_unit(const struct readahead *ahead);

/* A piece of memory that holds what was read. */
struct chunk_piece {
	struct chunk *chunk; /* referenced */
	const char *data;
	size_t len;
};

/* Fetches what is missing of [from, from + len) and then, room permitting, up to `until`.  1: all of it is
 * here; 0: it is on its way, read_chunk_done will be called for each chunk of it; -EAGAIN: no room; -ENOMEM;
 * node_place's errors. */
int chunks_cover(struct hub *hub, struct handle *handle, uint64_t from, uint64_t len, uint64_t until);
/* Is all of it here? */
bool chunks_ready(const struct handle *handle, uint64_t from, uint64_t len);
/* Then: the pieces, their number in *ret_count, with a ref on each; NULL: no memory.  The caller frees the
 * array. */
struct chunk_piece *chunks_pieces(struct handle *handle, uint64_t from, uint64_t len, unsigned *ret_count);
/* Gives the refs back. */
void chunks_put(struct hub *hub, struct chunk_piece *pieces, unsigned count);
/* The handle's chunks are of a version nobody reads any more. */
void chunks_drop(struct hub *hub, struct handle *handle);

#endif
