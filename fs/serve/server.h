/*
 * control_server: a daemon's socket and the thread behind it.
 *
 * Of a hub: the thread alone deals with views, reads the kernel's list of mounts when it changes, and ends
 * the hub when nothing but the hub's own mount is left: it takes that mount away and closes the socket. A
 * remaining holder of the superblock (another mount namespace, an open file) is served until the kernel ends
 * the session.
 *
 * Of a mount with a file system of its own: only hello, status and settle.  Nothing that a client asks keeps
 * another one waiting.
 *
 * Only root and the hub's own user are heard (SO_PEERCRED).  At most CONTROL_CLIENTS_MAX connections, a
 * line's bound of memory each; a client that does not send or take a line within CONTROL_CLIENT_MS is cut
 * off.
 */
#ifndef FERRYFS_FS_SERVE_SERVER_H
#define FERRYFS_FS_SERVE_SERVER_H

#include "fs/control/control.h"
#include "fs/serve/hub_status.h"

enum {
	CONTROL_CLIENTS_MAX = 16,
	CONTROL_MOUNT_MS = 30000, /* between add and mounted */
	CONTROL_UNUSED_MS = 10000, /* a new hub waits so long for its first view */
};

struct control_server;

struct control_server_options {
	struct hub *hub;
	struct views *views; /* NULL: not a hub, and then: */
	const struct control_alone *alone; /* lent */
	int listen_fd; /* takes */
	uint64_t namespace;
	bool no_verify_tls;
	const char *log; /* where the log goes, for people; lent */
	/* Nothing is mounted any more, or the server is freed: the socket is closed. */
	void (*on_leave)(void *user);
	/* Called once, some while after on_leave, if the session has not ended. */
	void (*on_kept)(void *user);
	void *user;
};

/* Starts the thread.  Takes listen_fd also on failure. */
int control_server_new(const struct control_server_options *options, struct control_server **ret);
/* Ends the thread and closes everything.  Accepts NULL. */
void control_server_free(struct control_server *server);

#endif
