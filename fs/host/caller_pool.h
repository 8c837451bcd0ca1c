/*
 * caller_pool: the helper processes of a resolver, and which question goes to which of them.
 *
 * A helper has one question at a time:
 *
 *   starting   exec'ed, has not said that it runs
 *   idle       waits for a question
 *   busy       has one
 *   lost       its question was given up after RESOLVER_DEADLINE_MS; should it answer yet, it is idle again
 *
 * One helper does all the work as long as it answers.  A question that finds every helper busy for longer
 * than POOL_SLOW_MS, or none, starts another.  So that nobody can take them all away from the others:
 *
 *   POOL_UID_MAX        helpers that one user's questions of one kind hold at most, busy and lost together; of
 *                       a user who has lost so many nothing is known any more until one of them comes back
 *   POOL_STRANGERS_MAX  that all users but root and the daemon's own hold together, likewise;
 *                       POOL_STRANGERS_QUICK_MAX of the other kind
 *   POOL_MAX            processes in all, so that two users of two kinds each are left
 *
 * The two kinds are CALLER_WHO, which may hang, and the others, whose files take no lock that a process can
 * hold: kill -9 keeps working for a user whose cp cannot be looked at.
 *
 * All on the resolver's thread.
 */
#ifndef FERRYFS_FS_HOST_CALLER_POOL_H
#define FERRYFS_FS_HOST_CALLER_POOL_H

#include "fs/host/caller_resolver.h"

enum {
	POOL_UID_MAX = 2,
	POOL_STRANGERS_MAX = 12,
	POOL_STRANGERS_QUICK_MAX = 4,
	POOL_MAX = POOL_STRANGERS_MAX + POOL_STRANGERS_QUICK_MAX + 2 * 2 * POOL_UID_MAX,
	POOL_IDLE_MAX = 2, /* kept after a rush */
	POOL_SLOW_MS = 100,
	POOL_WAITING_OF_UID_MAX = 256, /* questions of one user that wait for a helper */
};

struct caller_pool;

/* on_done is called once for each question that pool_add took; bytes NULL: nothing is known. */
int caller_pool_new(const char *proc, void (*on_done)(struct resolve *resolve), struct caller_pool **ret);
/* Open questions are answered as unknown.  Accepts NULL. */
void caller_pool_free(struct caller_pool *pool);

/* Becomes readable when a helper has said something: then caller_pool_step. */
int caller_pool_fd(const struct caller_pool *pool);
void caller_pool_add(struct caller_pool *pool, struct resolve *resolve);
/* Takes answers, gives up overdue questions, passes on waiting ones.  Returns after how many milliseconds it
 * wants to be called again at the latest; -1: when something happens. */
int caller_pool_step(struct caller_pool *pool);

#endif
