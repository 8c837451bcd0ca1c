#include "fs/host/opendir_at.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

DIR *opendir_at(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;

	if (fd >= 0 && !entries) {
		int error = errno;

		close(fd);
		errno = error;
	}
	return entries;
}
