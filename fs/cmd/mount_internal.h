/*
 * mount_inside: one `ferryfs mount`, for mount*.c.
 */
#ifndef FERRYFS_FS_CMD_MOUNT_INTERNAL_H
#define FERRYFS_FS_CMD_MOUNT_INTERNAL_H

#include "fs/host/daemon.h"
#include "fs/cmd/mount_options.h"

struct mount {
	struct mount_options options;
	struct daemon daemon;
	char *mountpoint; /* canonical */
	int log_fd;
	char why[ACCOUNT_WHY_MAX];
};

/* A superblock and a daemon of its own.  Returns the exit status, in the daemon too. */
int mount_alone(struct mount *mount);
/* As a view of the hub, which is started where none runs; likewise. */
int mount_view(struct mount *mount);
/* Before either: -EBUSY with a sentence in why where another mount of this machine shows the same objects under
 * another name.  view: it is to be one of this namespace's hub. */
int mount_twins(const struct mount *mount, struct engine *engine, bool view, char *why);
/* Can a hub show it?  Each part of the prefix has to be a name. */
bool mount_view_possible(const struct mount *mount);
/* A path that the daemon will use must not lead into its own mount: it would wait for itself.  NULL is fine.
 */
int mount_check_path(struct mount *mount, const char *path);

#endif
