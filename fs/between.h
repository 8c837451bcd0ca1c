/*
 * between: says once, in the log, that somebody copies from another file system of ours to this one.
 *
 * Two mounts with daemons of their own are two superblocks: the kernel asks nobody for a copy, and every byte
 * passes through this machine.  Whoever writes here while it has a file of the other open does that, and
 * there is a way out (one mount of s3://), which the log names the first time.
 */
#ifndef FERRYFS_FS_BETWEEN_H
#define FERRYFS_FS_BETWEEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct hub;

/* Of a hub.  All zero at first. */
struct between {
	atomic_bool said;
	atomic_uint_least64_t looked_ms; /* hub_now_ms */
};

/* This process (or thread) begins to write a file.  Looks at it on a worker's thread, now and then, until it
 * has been said.  Any thread. */
void between_look(struct hub *hub, pid_t pid);

/* Has this process files open on two file systems of ours?  Reads /proc; asks no file system. */
bool between_is(pid_t pid);

#endif
