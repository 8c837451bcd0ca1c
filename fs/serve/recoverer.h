/*
 * recoverer: recovery of a mount's moves, on a thread of its own.
 *
 * If its account may have left moves unfinished, a mount asks for recovery when it begins, and waits a
 * little: in most cases the recovery is over before anything is shown.  A longer one goes on while the mount
 * serves.
 */
#ifndef FERRYFS_FS_SERVE_RECOVERER_H
#define FERRYFS_FS_SERVE_RECOVERER_H

#include "engine/wire/engine.h"
#include "engine/journal/journal_dir.h"

struct account;
struct recoverer;

/* Both are lent until recoverer_free.  -ENOMEM. */
int recoverer_new(struct engine *engine, struct journal_dir *dir, struct recoverer **ret);
/* Looks for moves of this account, and of those given before: begins, and returns the round that will have
 * recovered them (0: none).  Any thread; NULL is fine, also below. */
unsigned recoverer_begin(struct recoverer *recoverer, struct account *account);
/* Has the round ended, or can it no longer end? */
bool recoverer_done(struct recoverer *recoverer, unsigned round);
/* Begins a round, and returns when the round is over, or after limit_ms. */
void recoverer_run(struct recoverer *recoverer, struct account *account, unsigned limit_ms);
/* Begins nothing more.  To be called before the engine is freed, which ends the recoveries under way. */
void recoverer_stop(struct recoverer *recoverer);
/* After the engine was freed; accepts NULL. */
void recoverer_free(struct recoverer *recoverer);

#endif
