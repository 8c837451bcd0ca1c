/*
 * recopy: one object copied by the server with something of its headers changed, and everything else kept.
 *
 *   HEAD of the source (its metadata, content headers, encryption, ETag, class)
 *   -> the caller's `edit` changes the headers
 *   -> a copy (copy.h) with the directive REPLACE, on condition that the source is still that version
 *
 * The source may be the destination itself: that is how the metadata of a stored object is changed.  Then the
 * copy has the same condition on the destination (If-Match), so that an object that another client stores in
 * between stays: AWS enforces that since 2025; where a service does not, or says 501 to it, the moment
 * between the two conditions is left.  Tags and the storage class are kept as copy.h says, the encryption as
 * HEAD says it is.
 *
 * The struct is the caller's, with all it points to, until on_done (worker thread, exactly once, never from
 * inside of start).
 */
#ifndef FERRYFS_ENGINE_OBJECT_RECOPY_H
#define FERRYFS_ENGINE_OBJECT_RECOPY_H

#include "engine/object/copy.h"

struct recopy {
	/* given; the rest is zero */
	struct copy
		copy; /* as copy.h wants it, without on_done and user; source_etag STR_NONE: any version */
	/* Changes them.  0; 1: nothing is to be changed, so that no REPLACE is needed (and no copy at all of
	 * an object onto itself); -errno ends it.  head: of the source.  Worker thread, no lock held. */
	int (*edit)(struct recopy *recopy, struct headers *headers, const struct s3_answer *head);
	/* answer: of the deciding request. */
	void (*on_done)(struct recopy *recopy, const struct s3_answer *answer);
	void *user;

	/* result; ETag, version and time are copy's, or the source's where nothing was to be changed */
	int error; /* as copy's; -ESTALE also: the object is another one by now */
	bool unchanged; /* edit said 1, and it was an object onto itself */
	struct s3_answer head; /* the source, as it was when its headers were read; status 0: was not */

	/* private */
	struct call call;
	struct headers headers;
	struct copy_settings settings;
	char etag[ETAG_MAX + 1], class[STORAGE_CLASS_MAX + 1];
};

void recopy_start(struct worker *worker, struct recopy *recopy); /* worker thread */

#endif
