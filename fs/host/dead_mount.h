/*
 * dead_mount: the mounts that a killed daemon leaves.  Every call there fails with ENOTCONN until they are unmounted.
 *
 * Dead is a mount of ours by type that no daemon holds the runtime file of (fs/host/runtime_dir.h) and for which the
 * kernel itself answers ENOTCONN.  One that this user opened may be cleared away for a new one; anybody
 * else's is only named.  Asks the kernel; the mount's daemon could be asked only if it lived.  Any thread.
 */
#ifndef FERRYFS_FS_HOST_DEAD_MOUNT_H
#define FERRYFS_FS_HOST_DEAD_MOUNT_H

#include <stdbool.h>

/* Is the last mount on this canonical path dead?  *ret_own (may be NULL): was it this user's? */
bool dead_mount_is(const char *path, bool *ret_own);

/* Takes away the dead mounts of this user on this canonical path, lazily and nothing else: 0, also when
 * there is nothing.  -errno with a sentence in why (ACCOUNT_WHY_MAX bytes): it could not be, or something
 * that lives is mounted inside it. */
int dead_mount_clear(const char *path, char *why);

/* Calls back for each dead mount of this user's that one of their daemons had, but not for a hub's own,
 * which the next hub clears away.  point is lent. */
void dead_mount_each(void (*found)(const char *point, void *user), void *user);

#endif
