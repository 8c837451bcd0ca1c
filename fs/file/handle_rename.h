/*
 * follow: open files below a directory that is being renamed.
 *
 * The copy of an object in parts has another ETag than its source (so has one that KMS encrypts).  Its bytes
 * are the same, since our own copy was made on condition of the old ETag; so who has it open goes on with the
 * new one.  Only those are remembered: as many as there are open files at most.
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

/* A copy below the prefix that `directory` stands for.  Any thread, no lock held. */
void follow_copied(struct follow *follow, struct hub *hub, const struct node *directory, size_t prefix_len,
	const struct job_event *event);
/* The copies are what there is now.  hub.lock held. */
void follow_moved(struct follow *follow, struct hub *hub);
/* hub.lock held. */
void follow_clear(struct follow *follow, struct hub *hub);

#endif
