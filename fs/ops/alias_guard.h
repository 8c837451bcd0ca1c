/*
 * guard: is the file that is about to be removed or replaced another file of this hub as well, under another
 * name?
 *
 * One bucket may be in a hub twice: under an alias, below one mount of s3://, or by two addresses that were
 * not known to be of one service when the second was mounted.  mv from one to the other unlinks its
 * destination first, which is the source; rsync --remove-source-files replaces the destination and unlinks
 * the source, which is the destination.  Either has looked both names up, so both are nodes with one key.
 *
 *   step   question                                                      next
 *   FIND   a node of this key in another bucket or service of the hub,   none: the removal goes on
 *          in a bucket that may be the same one
 *   WHO    which program removes it?                                     rm, which reads nothing: goes on
 *   TWINS  are the two buckets one (engine/object/twins.h)?              NO: FIND; else EBUSY, and a log line
 *
 * A process that replaces a file, by O_TRUNC, a truncate or a rename over it, does so often and means it; there it
 * matters only whether the same process has read the file by its other name: cp and a program that moves by
 * itself open the source and then empty the destination, which is the source.  So FIND looks for a name that
 * this process has taken a version of (fs/file/taken.h), and WHO is left out.
 *
 * Once a pair of buckets is settled, FIND costs a look into the table of nodes for each other bucket.
 */
#ifndef FERRYFS_FS_OPS_ALIAS_GUARD_H
#define FERRYFS_FS_OPS_ALIAS_GUARD_H

#include "engine/object/twins.h"
#include "fs/core/hub.h"
#include "fs/core/place.h"
#include "fs/host/caller_resolver.h"
#include "fs/request/parked.h"

struct guard {
	/* given; lent until on_done */
	bool replaces; /* the file is emptied, shortened or renamed over; false: it is removed */
	const struct place *place;
	const char *what; /* "unlink", for the log */
	/* 0 or -EBUSY; once, no lock held, on any thread, perhaps before guard_begin returns */
	void (*on_done)(struct guard *guard, int error);
	void *user;

	/* of the request that would do it */
	struct hub *hub;
	struct worker *worker;
	pid_t thread;
	uid_t uid;

	/* private */
	struct twins twins;
	struct twins_name other;
	char bucket[BUCKET_MAX + 1];
	struct resolve resolve;
};

/* hub.lock held.  Must the guard answer before the file at this place may be removed? */
bool guard_wanted(struct hub *hub, const struct place *place);
/* The same before this thread may replace the file at the place. */
bool guard_wanted_by(struct hub *hub, const struct place *place, pid_t thread);
/* Makes a guard of what is given, at *ret, for the caller to free once on_done was called, and asks it on behalf of this
 * request.  -ENOMEM: on_done is not called.  Any thread, no lock held. */
int guard_begin(const struct parked *parked, const struct guard *given, struct guard **ret);

#endif
