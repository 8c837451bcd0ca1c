/*
 * taken: the version of an object that a process has read, or has let the service copy, through this hub.
 *
 * mv between two views copies first and unlinks afterwards, minutes later for a tree.  If another client has
 * written the object meanwhile, that version must not be deleted.  rsync --remove-source-files, and programs
 * that move files themselves, do the same.  So every open for reading, and every copy that the service has
 * made for a process, leaves a note here: process, place, ETag.  An unlink by that process finds the note,
 * and deletes that version only (fs/ops/unchanged.h).  A process that never read the object (rm) has no note,
 * and removes any version.
 *
 *   note     open for reading; a copy made by the service, perhaps of a later version than the opened one
 *   forget   this mount itself has stored, renamed onto, or removed the object at the place, or at a place
 *            below: the object there is no other client's version
 *   drop     an unlink by the process was refused once: the same unlink again is done
 *
 * At most TAKEN_MAX notes; the oldest is overwritten.  For a process that lost a note, the time of its first
 * lost note is remembered: an object that the process removes without a note must be older than that, by its
 * LastModified, or it stays.  At most TAKEN_LOST_MAX such processes are remembered one by one; all further
 * ones share one time.
 *
 * Any thread; its lock is an innermost one.
 */
#ifndef FERRYFS_FS_FILE_TAKEN_H
#define FERRYFS_FS_FILE_TAKEN_H

#include "fs/core/node.h"
#include "fs/core/place.h"

enum {
	/* 32 bytes each; the kernel gives memory only for notes that were used once */
	TAKEN_MAX = 256 * 1024,
	TAKEN_LOST_MAX = 64,
	TAKEN_BELOW_MAX = 64,
};

struct taken;

int taken_new(unsigned max, struct taken **ret); /* max: TAKEN_MAX, except in a test.  -ENOMEM */
void taken_free(struct taken *taken); /* accepts NULL */

/* taken NULL, here and below: notes nothing, and finds nothing.  pid: as FUSE tells it, of a thread; 0 and
 * "" are not noted. */
void taken_note(struct taken *taken, pid_t pid, const struct place *place, const char *etag);
void taken_forget(struct taken *taken, const struct place *place);
/* The same for all objects below a directory that was renamed to this place (it ends in "/").  Only the
 * last TAKEN_BELOW_MAX such renames are remembered. */
void taken_forget_below(struct taken *taken, const struct place *place);
void taken_drop(struct taken *taken, pid_t pid, const struct place *place);

struct taken_version {
	uint64_t hash; /* taken_hash of its ETag; 0: the note is lost, and `before` holds */
	int64_t before; /* the version must be older than this second, by this machine's clock */
};

uint64_t taken_hash(const char *etag); /* never 0 */
/* False: there is no valid note of this process for the place, and no note of this process is lost. */
bool taken_find(struct taken *taken, pid_t pid, const struct place *place, struct taken_version *ret);

#endif
