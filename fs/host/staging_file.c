#include "fs/host/staging_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* For file systems without O_TMPFILE (open(2): overlayfs before 6.3, NFS). */
static int named(const char *dir)
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/" STAGING_FILE_PREFIX "XXXXXX", dir);

	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	int fd = mkostemp(path, O_CLOEXEC); /* 0600 */

	if (fd < 0)
		return -errno;
	if (unlink(path) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

int staging_file(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* ENOENT is an old kernel's answer (open(2)), and then that of a missing directory as well. */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT)
		return named(dir);
	return -errno;
}
