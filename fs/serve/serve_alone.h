/*
 * control_mount: the control socket of a mount with a daemon of its own, for `status` and `umount`.
 *
 * In the runtime directory of the user that mounted it, and for that user alone; its thread is
 * fs/serve/server.h's.
 */
#ifndef FERRYFS_FS_SERVE_SERVE_ALONE_H
#define FERRYFS_FS_SERVE_SERVE_ALONE_H

#include "fs/core/hub.h"

struct control_mount;

/* After the mount is there; dev: its device.  point and log (where the log goes, for people) are lent, as is
 * hub.  -ENOENT: there is no runtime directory. */
int control_mount_new(
	struct hub *hub, const char *point, dev_t dev, const char *log, struct control_mount **ret);
void control_mount_free(struct control_mount *control); /* before hub_free; accepts NULL */

#endif
