#include "fs/host/bind_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

static int set_attributes(int tree, const struct bind_options *options)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};

	if (options->ro)
		attributes.attr_set |= MOUNT_ATTR_RDONLY;
	if (options->noexec)
		attributes.attr_set |= MOUNT_ATTR_NOEXEC;
	if (options->noatime) {
		attributes.attr_clr = MOUNT_ATTR__ATIME;
		attributes.attr_set |= MOUNT_ATTR_NOATIME;
	}
	return mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0 ? -errno : 0;
}

static int bind_at_once(const char *from, const char *to, const struct bind_options *options)
{
	int tree = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	int error;

	if (tree < 0)
		return -errno;
	error = set_attributes(tree, options);
	if (error == 0 && move_mount(tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		error = -errno;
	close(tree);
	return error;
}

static int bind_in_steps(const char *from, const char *to, const struct bind_options *options)
{
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | (options->ro ? MS_RDONLY : 0) |
			      (options->noexec ? MS_NOEXEC : 0) |
			      (options->noatime ? MS_NOATIME : MS_RELATIME);

	if (mount(from, to, NULL, MS_BIND, NULL) < 0)
		return -errno;
	if (mount(NULL, to, NULL, flags, NULL) < 0) {
		int error = -errno;

		umount2(to, MNT_DETACH | UMOUNT_NOFOLLOW);
		return error;
	}
	return 0;
}

int bind_directory(const char *from, const char *to, const struct bind_options *options)
{
	int error = bind_at_once(from, to, options);

	/* No such call, or a container's filter that does not know it. */
	if (error == -ENOSYS || error == -EPERM)
		error = bind_in_steps(from, to, options);
	return error;
}
