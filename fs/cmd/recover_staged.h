/*
 * recover_staged: `ferryfs recover` of content that was written to a mount and never stored (fs/host/staged.h).
 *
 * It becomes the object it was to become only where nothing newer can be overwritten by that: onto the very
 * version that it was made of, or where nothing is.  Else it is stored beside, as KEY.recovered-TIME.
 */
#ifndef FERRYFS_FS_CMD_RECOVER_STAGED_H
#define FERRYFS_FS_CMD_RECOVER_STAGED_H

#include "engine/wire/engine.h"
#include "engine/journal/journal_dir.h"

struct recover_staged {
	struct engine *engine;
	struct account *account;
	struct journal_dir *dir;
	bool dry_run, discard, quiet;
	unsigned left; /* that stay, though no daemon lives for them */
};

/* One line each on standard output.  -errno: the directory cannot be read. */
int recover_staged(struct recover_staged *recover);

#endif
