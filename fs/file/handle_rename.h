/*
 * follow: open files below a directory that is being renamed.
 *
 * The copy of an object in parts has another ETag than its source (so has one that KMS encrypts).  The bytes
 * are the same, since ferryfs made the copy on condition of the old ETag.  So an open handle continues with
 * the new ETag.  Only copies of open files are remembered: at most as many as there are open files.
 *
 * Zeroed to begin with; follow_copied for each copy, then follow_moved or follow_clear.  Protected by
 * hub.lock.
 */
#ifndef FERRYFS_FS_FILE_HANDLE_RENAME_H
#define FERRYFS_FS_FILE_HANDLE_RENAME_H

#include "fs/core/hub.h"

struct job_event;
struct follow_one;

struct follow {
	struct follow_one *first;
};

/* Notes a copy below the prefix that `directory` stands for.  Any thread, no lock held. */
void follow_copied(struct follow *follow, struct hub *hub, const struct node *directory, size_t prefix_len,
	const struct job_event *event);
/* The copies have replaced their sources.  hub.lock held. */
void follow_moved(struct follow *follow, struct hub *hub);
/* hub.lock held. */
void follow_clear(struct follow *follow, struct hub *hub);

#endif
