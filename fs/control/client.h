/*
 * control_client: a command's side of the control protocol (fs/control/control.h).  One thread.
 */
#ifndef FERRYFS_FS_CONTROL_CLIENT_H
#define FERRYFS_FS_CONTROL_CLIENT_H

#include "fs/control/control.h"

/* Connects to the hub of a namespace; directory: of runtime_dir_open.  -ECONNREFUSED, -ENOENT: no hub runs;
 * -EACCES, -EPERM. */
int control_connect(int directory, uint64_t namespace, int *ret_fd);

/* Connects to the daemon of a mount with a file system of its own. */
int control_connect_mount(int directory, dev_t dev, int *ret_fd);

/* Sends the request and waits.  0 with the reply, which the caller decrefs; -EREMOTEIO: the hub refused, its
 * sentence in why (ACCOUNT_WHY_MAX bytes); -ECONNRESET: the hub went away; -ETIMEDOUT; -EPROTO. */
int control_ask(int fd, const struct control_request *request, unsigned limit_ms, json_t **ret, char *why);

/* The source of the view at this mount point, as this namespace's hub knows it; malloc'd; NULL: the hub knows
 * none. */
char *control_source_of(const char *point);

#endif
