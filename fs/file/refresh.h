/*
 * refresh: one HEAD of a file, by its node, and what its answer does to what is known of it.  Where attributes are
 * kept as metadata they come with it; a directory is asked for these alone (HEAD of its marker; none: it has none).
 *
 * By the time the answer is here the world may have moved on, and then what is known meanwhile is the better
 * answer:
 *
 *   meanwhile                            then
 *   a draft, or newer attributes         those hold
 *   renamed (it has another key now)     asked for again there, REFRESH_AGAIN_MAX times
 *   gone, or a rename or unlink at it    what it last was
 *   none of these, 404                   the name is taken out of its directory, the kernel told: ENOENT
 *
 * Prepared under hub.lock, started without; on_done comes once, on a worker's thread, without a lock.
 */
#ifndef FERRYFS_FS_FILE_REFRESH_H
#define FERRYFS_FS_FILE_REFRESH_H

#include "engine/wire/call.h"
#include "fs/core/hub.h"

struct refresh {
	/* set by the caller */
	struct hub *hub;
	struct node *node; /* the caller's ref stays until on_done */
	const char *what; /* "open", for the log */
	/* 0: what is known of the node is right now; -errno, logged but for -ENOENT. */
	void (*on_done)(struct refresh *refresh, int error);
	void *user;
	/* of the last question; private otherwise */
	struct place place;
	uint64_t stamp; /* of the node when it was asked */
	unsigned again;
	struct call call;
	struct headers headers; /* of the object, where attributes are kept */
};

/* Notes what is asked, and of which state of the node.  hub.lock held.  -errno of node_place. */
int refresh_prepare(struct refresh *refresh);
void refresh_start(struct refresh *refresh);

#endif
