/*
 * recoverer: recovery of a mount's moves, on a thread of its own.
 *
 * A mount whose account may have left moves unfinished asks for it when it begins, and waits a little: in
 * most cases it is over before anything is shown.  A longer one goes on while the mount serves.
 */
#ifndef FERRYFS_FS_RECOVERER_H
#define FERRYFS_FS_RECOVERER_H

#include "engine/engine.h"
#include "engine/journal_dir.h"

struct account;
struct recoverer;

/* Both are lent until recoverer_free.  -ENOMEM. */
int recoverer_new(struct engine *engine, struct journal_dir *dir, struct recoverer **ret);
/* Looks for moves of this account, and of those given before; returns after it, or after limit_ms.  Any
 * thread; NULL is fine. */
void recoverer_run(struct recoverer *recoverer, struct account *account, unsigned limit_ms);
/* Begins nothing more.  To be called before the engine is freed, which ends what is under way. */
void recoverer_stop(struct recoverer *recoverer);
/* After the engine was freed; accepts NULL. */
void recoverer_free(struct recoverer *recoverer);

#endif
