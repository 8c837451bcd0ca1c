/*
 * marker_copy: a directory's marker as the server's copy of another directory's, so that what other tools
 * keep in it (s3fs: mode and owner; tags) comes along.
 */
#ifndef FERRYFS_FS_EARLY_MARKER_COPY_H
#define FERRYFS_FS_EARLY_MARKER_COPY_H

#include "engine/object/copy.h"
#include "fs/file/relay.h"
#include "fs/dir/marker.h"

struct marker_copy {
	/* given, with a zeroed rest */
	struct place from; /* the key ends in "/" */
	bool plain; /* it was listed as empty and STANDARD: nothing of it needs to be asked for first */

	/* private */
	struct marker *marker;
	struct task task;
	struct copy_settings settings;
	char etag[ETAG_MAX + 1];
	union {
		struct copy copy;
		struct call call;
		struct carry carry;
	};
};

/* Any thread.  Tells marker->on_done.  A source that is no more leaves an ordinary marker.  Both structs are
 * the caller's until then. */
void marker_copy(struct marker_copy *copy, struct marker *marker);

#endif
