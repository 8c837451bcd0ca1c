/*
 * mount_options: the options of `ferryfs mount`, as typed.
 *
 * Options come as -o NAME[=VALUE][,...] (a comma or backslash inside a value is written \, and \\) and as
 * --NAME[=VALUE] or
 * --NAME VALUE; `-` and `_` are the same in a name.  A name that is neither an option nor one that mount(8)
 * and fstab(5) put there for others is an error.  One thread; a value, released by mount_options_release.
 */
#ifndef FERRYFS_FS_CMD_MOUNT_OPTIONS_H
#define FERRYFS_FS_CMD_MOUNT_OPTIONS_H

#include "fs/cmd/common_options.h"
#include "fs/host/staging_room.h"
#include "fs/core/view.h"

struct mount_options {
	struct connect_options connect;
	struct view *view; /* owned; no account yet */
	const char *mountpoint; /* lent from argv */
	const char *log; /* "syslog", a file, or NULL: by foreground; lent from texts */
	bool foreground, noexec, help;
	struct staging_reserve staging_reserve; /* the daemon's */
	int fuse_cpu; /* fs/host/fuse_cpu.h */
	bool fuse_cpu_given;
	bool file_mode_given, dir_mode_given; /* umask leaves them alone */
	bool alone; /* hub=no: a daemon and superblock of its own */
	bool helper; /* given: mount(8) calls, as "mount.ferryfs SOURCE DIR [-sfnv] [-N NAMESPACE] [-t TYPE]
			[-o OPTIONS]" */
	bool mount_fuse; /* given: mount.fuse(8) calls, as "ferryfs SOURCE DIR -o OPTIONS", with options of its own */
	bool fake; /* its -f: do everything but mount */
	/* private: the option texts, for as long as connect's account may need them */
	char **texts;
	unsigned text_count;
};

int mount_options_init(struct mount_options *options); /* -ENOMEM */
void mount_options_release(struct mount_options *options);

/* The words after "mount": -EINVAL with a sentence in why (ACCOUNT_WHY_MAX bytes), -ENOMEM.  With `help` set
 * nothing else is checked. */
int mount_options_parse(struct mount_options *options, int argc, char **argv, char *why);

/* The text of one -o. */
int mount_options_text(struct mount_options *options, const char *text, char *why);
/* One option; value NULL: none was given. */
int mount_options_set(struct mount_options *options, const char *name, const char *value, char *why);

#endif
