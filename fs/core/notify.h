/*
 * notify: tells the kernel that a name or an inode is no longer as it knows it.
 *
 * Any thread, also under hub.lock: the calls only queue, and the notifier's thread tells the kernel, since the kernel may let
 * it wait (inval_entry waits while a request on that directory is parked: measured).  The queue is bounded: when it is
 * full, the oldest entries are merged into the loss of their directory's whole cache.
 */
#ifndef FERRYFS_FS_CORE_NOTIFY_H
#define FERRYFS_FS_CORE_NOTIFY_H

#include "fs/core/hub.h"

void notify_entry(struct hub *hub, uint64_t parent, struct str name);
void notify_inode(struct hub *hub, uint64_t ino);
/* send, on the notifier's thread, tells the kernel; name STR_NONE: of an inode.  NULL: through the hub's
 * session. */
int notifier_new(
	struct hub *hub, void (*send)(struct hub *hub, uint64_t ino, struct str name), struct notifier **ret);
/* The queue is dropped, and the thread ends after its current notice.  Its calls into the kernel may wait for
 * parked requests, so the session must be read, or be over, until notifier_stopped. */
void notifier_stop(struct notifier *notifier);
bool notifier_stopped(struct notifier *notifier);
void notifier_free(struct notifier *notifier); /* stops and joins; accepts NULL */

#endif
