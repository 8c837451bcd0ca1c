/*
 * The inside of a dir_stream, for dir_stream.c (references, entries, the owner's side) and dir_stream_list.c
 * (what comes from S3, on the worker's thread).
 */
#ifndef FERRYFS_FS_DIR_DIR_STREAM_INTERNAL_H
#define FERRYFS_FS_DIR_DIR_STREAM_INTERNAL_H

#include "engine/list/lister.h"
#include "fs/core/place.h"
#include "fs/dir/dir_merge.h"
#include "fs/dir/dir_stream.h"

enum stream_state { STREAM_NEW, STREAM_RUNNING, STREAM_ENDED };

struct dir_stream {
	struct dir_stream_options options;
	struct node *directory; /* referenced */
	struct worker *worker;
	struct place place; /* constant, as are the above */

	/* protected by hub.lock */
	unsigned refs;
	enum stream_state state;
	int error;
	bool closed;
	const struct node *head; /* the directory's newest child when it ended; to compare only */
	struct dir_watch watch;
	struct node **entries; /* referenced; entries[0] has index `base` */
	size_t count, size;
	uint64_t base, consumed;
	uint64_t *local; /* inodes of what was listed although it is of this mount's making */
	size_t local_count, local_size;
	unsigned owed; /* credits not given to the lister yet */
	bool posted; /* the task is in the mailbox */
	bool want_start;

	/* worker's thread only */
	struct task task;
	struct lister *lister;
	struct dir_merge merge;
	struct call call; /* ListBuckets */
	struct page *page;
	char *token; /* of the page that is asked for; NULL: the first; owned */
	bool calling;
	unsigned pages;
	uint64_t shown;
	bool marker, marker_plain; /* plain: of no bytes and STANDARD */
	bool too_long;
	bool odd; /* something was left out; constant once it has ended */
	int emit_error;
	uint64_t asked_ms, next_asked_ms; /* not later than the question of this page, of the next */
};

/* No lock held. */
void dir_stream_unref(struct dir_stream *stream);
/* hub.lock held.  Takes the ref on node, unless it fails: -ENOMEM. */
int dir_stream_append(struct dir_stream *stream, struct node *node);

/* The task that the owner posts: starts, cancels, gives credits. */
void dir_stream_run(struct task *task, struct worker *worker);

#endif
