/*
 * pruner: the thread that asks the kernel to drop unused nodes (fs/serve/prune.h).
 *
 * Its thread is not the notifier's: a notice about a name waits for its directory's lock, which a request
 * that is parked for minutes may hold, and meanwhile memory would grow without bound.  Asking for nodes by
 * number takes no directory's lock.  (Kernels before 6.18 are asked by name; there one such directory holds
 * this thread as well, and nothing else.)
 */
#ifndef FERRYFS_FS_SERVE_PRUNER_H
#define FERRYFS_FS_SERVE_PRUNER_H

#include <stdbool.h>

struct hub;
struct pruner;

/* Starts the thread. */
int pruner_new(struct hub *hub, struct pruner **ret);
/* There may be more nodes than are needed: the thread makes rounds until there are not.  Any thread, also
 * under hub.lock. */
void pruner_wake(struct pruner *pruner);
/* The thread ends after its current step, as with notifier_stop (fs/core/notify.h). */
void pruner_stop(struct pruner *pruner);
bool pruner_stopped(struct pruner *pruner);
void pruner_free(struct pruner *pruner); /* stops and joins; accepts NULL */

#endif
