/* A path named in the options of ferryfs mount. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/cmd/mount_internal.h"
#include "fs/host/path.h"

int mount_check_path(struct mount *mount, const char *path)
{
	char *real = path ? realpath(path, NULL) : NULL;
	bool below = path && path_is_below(real ? real : path, mount->mountpoint);

	free(real);
	if (!below)
		return 0;
	snprintf(mount->why, sizeof(mount->why), "%.200s is below the mount point %.200s", path,
		mount->mountpoint);
	return -ELOOP;
}
