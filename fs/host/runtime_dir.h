/*
 * runtime_dir: the directory where daemons and commands meet, and which process serves a mount, for a process that
 * waits for its end.
 *
 * /run/ferryfs (root), $XDG_RUNTIME_DIR/ferryfs (without it /run/user/UID/ferryfs), or what FERRYFS_RUN_DIR
 * names; its owner's alone.  A hub has
 * a socket there, hub-NAMESPACE.sock, and a lock, hub-NAMESPACE.lock, for whoever starts one: a hub belongs
 * to a mount namespace.  Its own mount is hub.XXXXXX.  Beside them there is a file a mount, named by its
 * device number ("0:52") and locked (flock) by the daemon for as long as it lives: the kernel lets go of the
 * lock however the process ends, so a left-over file misleads nobody.  One with a file system of its own has
 * a socket, too ("0:52.sock").
 */
#ifndef FERRYFS_FS_HOST_RUNTIME_DIR_H
#define FERRYFS_FS_HOST_RUNTIME_DIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

/* The directory, for openat and the like; *ret_path (PATH_MAX bytes; may be NULL) its canonical name.
 * -ENOENT: none for this user, or not there and not to be made; -EPERM: not its owner's alone. */
int runtime_dir_open(bool create, char *ret_path);
/* The inode number of this process's mount namespace; 0 when /proc does not say. */
uint64_t runtime_namespace(void);
/* "hub-4026531840.sock"; what: "sock", "lock". */
void runtime_hub_name(uint64_t namespace, const char *what, char ret[64]);
/* The socket's address, by way of the directory's descriptor: a path may be longer than an address can hold.
 */
void runtime_hub_address(int directory, uint64_t namespace, struct sockaddr_un *ret);
/* The same for a mount with a file system of its own: "0:52.sock". */
void runtime_mount_name(dev_t dev, char ret[64]);
void runtime_mount_address(int directory, dev_t dev, struct sockaddr_un *ret);
/* Locks out others who would start a hub; waits at most limit_ms (0: not at all).  -ETIMEDOUT, -EAGAIN. */
int runtime_hub_lock(int directory, uint64_t namespace, unsigned limit_ms, int *ret_fd);

/* The daemon, with a line for others to read (NULL: none): *ret_fd keeps the lock until it is closed.
 * -ENOENT: no such directory for this user. */
int runtime_claim(dev_t dev, const char *note, int *ret_fd);
void runtime_release(dev_t dev, int fd); /* fd -1 is fine */
/* Says to whoever waits that it may take long: something in another namespace, or open, is still served. */
void runtime_kept(int fd);
/* The line; -ENOENT: there is none, or -errno. */
int runtime_note(dev_t dev, char *ret, size_t size);
/* Does a daemon hold it? */
bool runtime_claimed(dev_t dev);

/* The other side, before it unmounts.  -ENOENT: not known. */
int runtime_open(dev_t dev, int *ret_fd);
/* Waits until the daemon is gone: 0; 1: it said runtime_kept; -ETIMEDOUT.  Closes fd; -1 is fine. */
int runtime_wait(int fd, unsigned limit_ms);

#endif
