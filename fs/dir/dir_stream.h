/*
 * dir_stream: the listing of one directory, page by page, as nodes.
 *
 * Made for an open directory handle, or to make a directory known (then its entries are not kept: pages_max).
 * It runs on one worker; entries are given out by index, in listing order, and at most STREAM_AHEAD beyond
 * what was consumed are fetched, so that a directory of a million entries begins to list at once and takes no
 * more memory than one of some thousands.
 *
 *   NEW       nothing asked yet
 *   RUNNING   the lister, or ListBuckets, is at work
 *   ENDED     everything is here, or `error` is why not
 *
 * The stream's owner has one reference until dir_stream_close; the listing under way, and a task posted to
 * the worker, have others.  on_change comes from the worker's thread, without a lock, whenever entries came
 * and at the end; the owner looks under the lock at what is there.  None begins after dir_stream_close. All
 * functions with hub.lock held, unless they say otherwise.
 */
#ifndef FERRYFS_FS_DIR_DIR_STREAM_H
#define FERRYFS_FS_DIR_DIR_STREAM_H

#include "fs/dir/dir.h"

enum {
	STREAM_AHEAD = 3000, /* entries: three pages */
	STREAM_BEHIND = 1000, /* kept for a small seek back */
};

struct dir_stream;

struct dir_stream_options {
	struct hub *hub;
	struct node *directory; /* referenced by the stream */
	unsigned pages_max; /* not 0: keep no entries, and end with -E2BIG when that many pages are not all */
	/* hub.lock held, before each on_change, where the owner may close the stream meanwhile on another
	 * thread: keeps user alive for it.  May be NULL. */
	void (*hold)(void *user);
	void (*on_change)(void *user);
	void *user;
};

/* No lock held.  -ENOMEM, or why the directory has no listing. */
int dir_stream_new(const struct dir_stream_options *options, struct dir_stream **ret);
/* No lock held; once. */
void dir_stream_start(struct dir_stream *stream);
/* No lock held.  Ends what is under way and the owner's reference. */
void dir_stream_close(struct dir_stream *stream);

/* One begun without an owner's on_change belongs to these options' user from now on.  False: it failed, or
 * something came to the directory after its end, so that it is no listing of now. */
bool dir_stream_adopt(struct dir_stream *stream, const struct dir_stream_options *options);

bool dir_stream_ended(const struct dir_stream *stream);
/* Why it ended; 0: that was all. */
int dir_stream_error(const struct dir_stream *stream);
/* It has ended: was something left out that has no name (fs/core/odd_name.h)? */
bool dir_stream_odd(const struct dir_stream *stream);
/* Lent while the stream is.  No lock needed. */
struct node *dir_stream_directory(const struct dir_stream *stream);
/* Are entries from this index on here, or to come? */
bool dir_stream_reaches(const struct dir_stream *stream, uint64_t index);
/* The node at index, lent; NULL: not here (yet), or a node that has left the directory (*ret_skip then is
 * true). */
struct node *dir_stream_entry(struct dir_stream *stream, uint64_t index, bool *ret_skip);
/* All before index is consumed. */
void dir_stream_consume(struct dir_stream *stream, uint64_t index);

#endif
