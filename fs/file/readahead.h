/*
 * readahead: fetches an object's bytes for reads, and ahead of them.
 *
 * Each handle has a window that grows with sequential reading (128 KiB, 1 MiB, 8 MiB) and is 0 for random
 * access: then only the requested bytes are fetched, rounded up to 64 KiB.  The fetched bytes lie in chunks:
 * ranged GETs of one version, several at once.  Bounded per handle by its window and over the hub by
 * CHUNKS_MAX; past that the oldest chunks that no read waits for are freed, and reads that still find no room
 * wait in line.
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
	/* of a chunk fetched ahead: so that a window is several chunks, in parallel */
	READ_CHUNK_MAX = 1 << 20,
	READ_ROUND = 64 << 10, /* the cost of a GET of few bytes is its round trip */
	READ_SLACK = 1 << 20, /* parallel reads of one stream come in any order, this far apart */
};

#define CHUNKS_MAX ((uint64_t)128 << 20)

struct handle;
struct chunk;
struct read_op;

struct readahead {
	uint64_t next; /* the next offset of a sequential reader */
	uint64_t run; /* bytes read in sequence */
	uint64_t window; /* 0: random access */
	struct chunk *chunks; /* sorted by start; none overlaps another */
};

/* The chunks of all handles. */
struct chunks {
	struct chunk *oldest, *newest;
	uint64_t bytes;
	struct read_op *starved, **starved_last; /* fs/ops/op_read.c: no room yet */
};

/* A read of [from, from + len) has come: returns the offset up to which to fetch, at most size. */
uint64_t readahead_until(struct readahead *ahead, uint64_t from, uint64_t len, uint64_t size);
/* The length of one chunk ahead. */
uint64_t readahead_unit(const struct readahead *ahead);

/* A piece of memory with bytes of a read. */
struct chunk_piece {
	struct chunk *chunk; /* referenced */
	const char *data;
	size_t len;
};

/* Fetches the missing bytes of [from, from + len) and then, room permitting, those up to `until`.  1: all
 * bytes of [from, from + len) are here; 0: they are on their way, and read_chunk_done will be called for
 * each of their chunks; -EAGAIN: no room; -ENOMEM; node_place's errors. */
int chunks_cover(struct hub *hub, struct handle *handle, uint64_t from, uint64_t len, uint64_t until);
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
