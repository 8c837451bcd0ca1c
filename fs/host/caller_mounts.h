/*
 * caller_mounts: the things a process sees where this daemon shows a directory: its mounts, and its operands.
 *
 * An entry of a listing of ours is evidence that the process comes to it only if the process finds ours there:
 * a mount over it, in the process's own mount namespace, takes its calls elsewhere.  Mounts are read from
 * /proc/PID/mountinfo, which leaves out what cannot be reached from the process's root (proc_pid_mountinfo(5)):
 * such a mount has a parent that is not listed, which then is the mount that its root lies on.  A working
 * directory outside of the root, or on a mount that is not listed (lazily unmounted), could reach what is not
 * listed: then nothing is known.
 *
 * Operands are looked up in what the kernel has cached (RESOLVE_CACHED), so that no file system is asked, and
 * cp has looked at them just before: what is not there is not known.
 *
 * proc: "/proc", or a folder of the same shape in a test.  Any thread; may block as /proc does.
 */
#ifndef FERRYFS_FS_HOST_CALLER_MOUNTS_H
#define FERRYFS_FS_HOST_CALLER_MOUNTS_H

#include "fs/host/caller.h"

/* Is it known that nothing is mounted over an entry of the file system `device`, where this process may meet it?
 * Another ferryfs mount's entries are no evidence here, so that a mount over those counts for nothing.
 * device 0: of any ferryfs mount. */
bool caller_mounts_clear(const char *proc, pid_t pid, dev_t device);
/* The device that all sources are on; 0: they are on several, or it is not known. */
dev_t caller_sources_device(const char *proc, pid_t pid, const struct caller_words *words);

#endif
