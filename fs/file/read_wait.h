/*
 * read_wait: the reads of open files that wait, for chunks that are on their way or for room in the pool of chunks.
 *
 * A read is in one line at a time: its handle's reads, or the pool's starved.  The thread that takes it out of its
 * line, under hub.lock, runs it after it has given the lock back (read_wait_run).
 */
#ifndef FERRYFS_FS_FILE_READ_WAIT_H
#define FERRYFS_FS_FILE_READ_WAIT_H

#include "fs/file/chunk.h"

enum {
	READ_WAIT_ANEW = 1
}; /* beside 0 and -errno: the chunks that the read waited for are of no use any more */

/* Embedded in the read; zero but for what the read sets: handle, from, len, wanted, run. */
struct read_wait {
	struct handle *handle; /* the read's ref */
	uint64_t from, len; /* the bytes that it wants */
	/* Is the read still to be answered?  hub.lock held. */
	bool (*wanted)(const struct read_wait *wait);
	/* Its turn has come: look at error and pieces, or try again.  No lock held; may free the read. */
	void (*run)(struct read_wait *wait);
	int error; /* -errno: the read fails */
	struct chunk_piece *pieces; /* the parts of the answer, with refs (chunks_put); NULL: none so far */
	unsigned piece_count;
	struct read_wait *next; /* in its line */
};

/* ---- hub.lock held ---- */

/* Puts the read into its handle's line: it waits for chunks. */
void read_wait_park(struct read_wait *wait);
/* Puts the read into the line for room. */
void read_wait_starve(struct hub *hub, struct read_wait *wait);
/* Takes refs on the parts of the answer, which are all here: from now on nothing can take them away.  -ENOMEM. */
int read_wait_collect(struct read_wait *wait);
/* Does a waiting read of this handle want some of these bytes? */
bool read_wait_wants(const struct handle *handle, uint64_t start, uint64_t len);
/* A chunk of these bytes came, or failed (outcome: 0, -errno or READ_WAIT_ANEW): returns the reads to be run. */
struct read_wait *read_wait_chunk_done(struct handle *handle, uint64_t start, uint64_t len, int outcome);
/* Returns all that wait for room, when there is some. */
struct read_wait *read_wait_take_starved(struct hub *hub);

/* ---- no lock held ---- */

/* Runs these reads; NULL: none.  The end of one read may be room for the next, and so on: they run in a row, not one
 * inside the other. */
void read_wait_run(struct read_wait *first);

#endif
