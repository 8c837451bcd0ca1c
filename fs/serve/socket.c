#include "fs/serve/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64 };

int control_socket_listen(
	int directory, const char *name, const struct sockaddr_un *address, struct control_socket *ret)
{
	struct stat there;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	unlinkat(directory, name, 0);
	mode_t mask = umask(0177);
	int bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));

	umask(mask);
	if (bound < 0 || listen(fd, BACKLOG) < 0 ||
		fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	*ret = (struct control_socket){.directory = directory, .there = there};
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return fd;
}

void control_socket_remove(const struct control_socket *socket)
{
	struct stat now;

	if (fstatat(socket->directory, socket->name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
		now.st_ino == socket->there.st_ino && now.st_dev == socket->there.st_dev)
		unlinkat(socket->directory, socket->name, 0);
}
