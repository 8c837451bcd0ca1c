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

struct handle;
struct chunk;

struct readahead {
	uint64_t next; /* the next offset of a sequential reader */
	uint64_t run; /* bytes read in sequence */
	uint64_t window; /* 0: random access */
	struct chunk *chunks; /* sorted by start; none overlaps another */
};

/* A read of [from, from + len) has come: returns the offset up to which to fetch, at most size. */
uint64_t readahead_until(struct readahead *ahead, uint64_t from, uint64_t len, uint64_t size);
/* The length of one chunk ahead. */
uint64_t readahead_unit(const struct readahead *ahead);

/* Fetches the missing bytes of [from, from + len) and then, room permitting, those up to `until`.  1: all
 * bytes of [from, from + len) are here; 0: they are on their way, and read_wait_chunk_done will be called for
 * each of their chunks; -EAGAIN: no room; -ENOMEM; node_place's errors. */
int readahead_cover(struct hub *hub, struct handle *handle, uint64_t from, uint64_t len, uint64_t until);

#endif
