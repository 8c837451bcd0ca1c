/*
 * dir_merge: a delimiter listing becomes directory entries, each name once and of one kind.
 *
 * S3 lists "a" long before the prefix "a/" where names like "a-b" or "a.txt" lie between ('-' and '.' sort
 * before '/'). When both exist the directory is shown and the object is not, so an object is held back for as
 * long as its directory may still come: while every later key begins with its name.  Those held are prefixes
 * of one another, hence at most KEY_NAME_MAX, and the merge is exact without looking at more than the current
 * key.
 *
 * Names that can't be shown (empty, ".", "..", over 255 bytes, NUL inside) are told as such and not emitted;
 * so is an object that a directory hides.  The marker of the listed directory itself is told, and no entry.
 * No locks, no I/O; one thread at a time.
 */
#ifndef FERRYFS_FS_DIR_DIR_MERGE_H
#define FERRYFS_FS_DIR_DIR_MERGE_H

#include "s3/key.h"
#include "s3/page.h"

enum merge_event { MERGE_ENTRY, MERGE_HIDDEN, MERGE_UNSHOWABLE, MERGE_MARKER };

struct merge_held;

struct dir_merge {
	size_t prefix_len; /* of the directory: keys begin with it */
	/* name: of the entry, without "/"; lent, as is entry. */
	void (*emit)(void *user, enum merge_event event, struct str name, const struct page_entry *entry);
	void *user;
	struct merge_held *top; /* private: the longest held name first */
};

/* One page, in the listing's order.  -ENOMEM: an object could not be held back; the listing must be given up.
 */
int dir_merge_page(struct dir_merge *merge, const struct page *page);
/* The listing is complete: decides the names that are held. */
void dir_merge_end(struct dir_merge *merge);
/* Forgets the names that are held, emitting nothing. */
void dir_merge_clear(struct dir_merge *merge);

#endif
