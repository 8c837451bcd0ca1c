/*
 * refresh: one HEAD of a file, by its node, and the update of the node by the answer.  Where attributes are
 * kept as metadata they come with the answer.  For a directory only these are asked for (HEAD of its marker;
 * no marker: no attributes).
 *
 * When the answer comes the node may have changed, and then its newer state is the better answer:
 *
 *   meanwhile                            then
 *   a draft, or newer attributes         those hold
 *   renamed (it has another key now)     asked for again there, REFRESH_AGAIN_MAX times
 *   gone, or a rename or unlink of it    its last known state holds
 *   is under way
 *   none of these, 404                   the name is taken out of its directory, the kernel is told: ENOENT
 *
 * Prepared under hub.lock, started without; on_done comes once, on a worker's thread, without a lock.
 */
#ifndef FERRYFS_FS_FILE_REFRESH_H
#define FERRYFS_FS_FILE_REFRESH_H

#include "engine/wire/call.h"
#include "fs/core/hub.h"
#include "fs/core/place.h"

struct refresh {
	/* set by the caller */
	struct hub *hub;
	struct node *node; /* the caller's ref stays until on_done */
	const char *what; /* "open", for the log */
	/* 0: the node's attributes are right now; -errno: logged, except -ENOENT. */
	void (*on_done)(struct refresh *refresh, int error);
	void *user;
	/* of the last request; private otherwise */
	struct place place;
	uint64_t stamp; /* the node's stamp at the time of the request */
	unsigned again;
	struct call call;
	struct headers headers; /* of the object, where attributes are kept */
};

/* Notes the place to ask for, and the node's current state.  hub.lock held.  -errno of node_place. */
int refresh_prepare(struct refresh *refresh);
void refresh_start(struct refresh *refresh);

#endif
