/*
 * unchanged: deletes an object if it is still the version that a process has taken (fs/file/taken.h).
 *
 *   step     request                                   next
 *   LOOK     HEAD, where its ETag is not at hand or    gone: done; another version: EBUSY; else PROBE, DELETE
 *            conditions on deletes are not enforced    or PLAIN
 *   PROBE    DELETE with an ETag that no object has,   deleted: conditions are ignored, and the deletion is
 *            where it is not known whether they are    done; refused: they are enforced, DELETE
 *   DELETE   DELETE with the ETag                      done; refused: AGAIN
 *   AGAIN    HEAD                                      gone: done; that ETag after all (Swift, of an object
 *                                                      uploaded in parts): PLAIN; another one: EBUSY
 *   PLAIN    DELETE without condition                  done
 *
 * The window that is left where conditions are ignored is that between HEAD and DELETE.  The struct is the
 * caller's, with all it points to, until on_done, which comes once, on the worker's thread.
 */
#ifndef FERRYFS_FS_OPS_UNCHANGED_H
#define FERRYFS_FS_OPS_UNCHANGED_H

#include "engine/wire/call.h"
#include "fs/core/place.h"
#include "fs/file/taken.h"

/* For the log, of -EBUSY. */
#define UNCHANGED_CONSEQUENCE                                                                                \
	"not removed: it has changed since this process read or copied it, and what was written meanwhile "  \
	"stays"

struct unchanged {
	/* given, with a zeroed rest */
	struct account *account;
	struct str bucket, key;
	struct taken_version version;
	char etag[ETAG_MAX + 1]; /* the known ETag of the version, or "" */
	bool refused; /* a delete with that ETag was refused already: begins with AGAIN */
	bool look_only; /* where conditions are ignored: ends before PLAIN, for the caller to delete */
	void (*on_done)(struct unchanged *unchanged, const struct s3_answer *answer);
	void *user;

	/* result */
	int error; /* 0; -EBUSY: it is another version; else S3's error */
	bool looked; /* the object is that version, and still there: look_only */

	/* private */
	struct worker *worker;
	struct call call;
	bool probing;
};

/* Takes the version to delete from the note, and from the node's attributes.  hub.lock held.  False: this
 * process has taken no version, or one that is not known any more. */
bool unchanged_prepare(struct unchanged *unchanged, struct taken *taken, pid_t pid, const struct node *node,
	const struct place *place);
/* May the delete be sent at once, on condition of its etag? */
bool unchanged_at_once(const struct unchanged *unchanged);
/* Any thread. */
void unchanged_post(struct worker *worker, struct unchanged *unchanged);

#endif
