/*
 * taken: which version of an object a process has read, or had copied, through this hub.
 *
 * mv between two views copies first and unlinks afterwards, minutes later for a tree; what another client has
 * written meanwhile must not go with the copied version.  rsync --remove-source-files and a program that moves
 * by itself do the same.  So every open for reading, and every copy that the service has made for a process,
 * leaves a note here: process, place, ETag.  An unlink by that process finds it, and deletes that version only
 * (fs/ops/unchanged.h).  A process that never read the object (rm) has no note, and removes whatever is there.
 *
 *   note     open for reading; a copy made by the service, which may be of a later version than was opened
 *   forget   this mount has itself stored, renamed onto, or removed what is at the place, or at one below it: what
 *            is there by now is no other client's version
 *   drop     the process was refused once: what it asks for again, it gets
 *
 * At most TAKEN_MAX notes, the oldest goes.  Of a process that lost one it is remembered since when: what it
 * removes without a note must be older than that, by its LastModified, or stays.  At most TAKEN_LOST_MAX such
 * processes; of more, since when any of them has lost one.
 *
 * Any thread; its lock is an innermost one.
 */
#ifndef FERRYFS_FS_FILE_TAKEN_H
#define FERRYFS_FS_FILE_TAKEN_H

#include "fs/core/node.h"

enum {
	TAKEN_MAX = 256 * 1024, /* 32 bytes each, of which the kernel gives only what was used once */
	TAKEN_LOST_MAX = 64,
	TAKEN_BELOW_MAX = 64,
};

struct taken;

int taken_new(unsigned max, struct taken **ret); /* max: TAKEN_MAX, but in a test.  -ENOMEM */
void taken_free(struct taken *taken); /* accepts NULL */

/* taken NULL, here and below: nothing is noted, and nothing found.  pid: as FUSE tells it, of a thread; 0 and "" are not noted. */
void taken_note(struct taken *taken, pid_t pid, const struct place *place, const char *etag);
void taken_forget(struct taken *taken, const struct place *place);
/* The same for all below a directory that was renamed to this place, which ends in "/": the last
 * TAKEN_BELOW_MAX of them. */
void taken_forget_below(struct taken *taken, const struct place *place);
void taken_drop(struct taken *taken, pid_t pid, const struct place *place);

struct taken_version {
	uint64_t hash; /* taken_hash of its ETag; 0: the note is lost, and then: */
	int64_t before; /* it was made before this second, by this machine's clock */
};

uint64_t taken_hash(const char *etag); /* never 0 */
/* False: this process has taken nothing of what is there. */
bool taken_find(struct taken *taken, pid_t pid, const struct place *place, struct taken_version *ret);

#endif
