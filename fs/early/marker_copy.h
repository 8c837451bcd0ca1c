/*
 * marker_copy: writes a directory's marker as the server's copy of another directory's marker, so that the
 * metadata that other tools keep there (s3fs: mode and owner; tags) is copied too.
 */
#ifndef FERRYFS_FS_EARLY_MARKER_COPY_H
#define FERRYFS_FS_EARLY_MARKER_COPY_H

#include "engine/object/copy.h"
#include "fs/core/place.h"
#include "fs/file/relay.h"
#include "fs/dir/marker.h"

struct marker_copy {
	/* given, with a zeroed rest */
	struct place from; /* the key ends in "/" */
	bool plain; /* the marker was listed as empty and STANDARD: no HEAD is needed first */

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

/* Any thread.  Calls marker->on_done at the end; both structs are the caller's until then.  If the source
 * is gone an ordinary marker is written. */
void marker_copy(struct marker_copy *copy, struct marker *marker);

#endif
