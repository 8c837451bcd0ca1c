/*
 * runtime: which process serves a mount, for whoever wants to wait for its end.
 *
 * /run/ferryfs (root) or $XDG_RUNTIME_DIR/ferryfs holds a file a mount, named by its device number ("0:52")
 * and locked (flock) by the daemon for as long as it lives: the kernel lets go of the lock however the
 * process ends, so a left-over file misleads nobody.
 */
#ifndef FERRYFS_FS_RUNTIME_H
#define FERRYFS_FS_RUNTIME_H

#include <stdbool.h>
#include <sys/types.h>

/* The daemon: *ret_fd keeps the lock until it is closed.  -ENOENT: no such directory for this user. */
int runtime_claim(dev_t dev, int *ret_fd);
void runtime_release(dev_t dev, int fd); /* fd -1 is fine */

/* The other side, before it unmounts.  -ENOENT: not known. */
int runtime_open(dev_t dev, int *ret_fd);
/* Waits until the daemon is gone; -ETIMEDOUT.  Closes fd; -1 is fine. */
int runtime_wait(int fd, unsigned limit_ms);

#endif
