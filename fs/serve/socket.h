/*
 * control_socket: a listening socket in the runtime directory, for fs/serve/server.h.
 *
 * The file is closed to others (0600).  It is taken away only while it is still the same: a process that
 * found no daemon behind it may have put another one there.
 */
#ifndef FERRYFS_FS_SERVE_SOCKET_H
#define FERRYFS_FS_SERVE_SOCKET_H

#include <sys/stat.h>
#include <sys/un.h>

struct control_socket {
	int directory; /* of runtime_dir_open; lent */
	char name[64];
	struct stat there;
};

/* Listens by that name; replaces an older socket there, which no process serves any more.  Returns a
 * descriptor that does not block, or -errno.  Changes the umask for a moment. */
int control_socket_listen(
	int directory, const char *name, const struct sockaddr_un *address, struct control_socket *ret);
void control_socket_remove(const struct control_socket *socket);

#endif
