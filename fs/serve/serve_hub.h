/*
 * hub_serve: the daemon of a hub, from its start to its end.
 *
 * A hub is mounted out of sight in the runtime directory and shown by views (fs/serve/views.h).  The command
 * that wants the first view starts the hub.  The hub ends when nothing but its own mount is left, or by
 * SIGTERM, SIGINT or SIGHUP: then the operations under way are given some seconds and every mount of the hub
 * is taken away.
 */
#ifndef FERRYFS_FS_SERVE_SERVE_HUB_H
#define FERRYFS_FS_SERVE_SERVE_HUB_H

#include "engine/wire/engine.h"
#include "fs/host/daemon.h"
#include "fs/host/staging_room.h"

struct hub_serve_options {
	struct engine_options engine; /* its ca_bundle does not count: each account has its own */
	const char *staging; /* NULL: the default */
	struct staging_reserve staging_reserve;
	const char *journal; /* likewise */
	const char *log_path; /* canonical, or NULL */
	const char *log; /* where the log goes, for people */
	bool dumpable;
	int fuse_cpu; /* fs/host/fuse_cpu.h */
	uint64_t namespace;
};

/* The caller, or the process that waits for the daemon, holds the namespace's lock.  Returns the exit status;
 * a failure to start was told to the process that waits. */
int hub_serve(const struct hub_serve_options *options, struct daemon *daemon);

#endif
