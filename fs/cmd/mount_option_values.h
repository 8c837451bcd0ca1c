/*
 * mount_option_values: the options of a mount itself, one by one; private to mount_options.c.
 */
#ifndef FERRYFS_FS_CMD_MOUNT_OPTION_VALUES_H
#define FERRYFS_FS_CMD_MOUNT_OPTION_VALUES_H

#include "fs/cmd/mount_options.h"

/* name in its form with `_`; value NULL: none given.  -ENOENT: not one of these; -EINVAL with a sentence. */
int mount_option_value(struct mount_options *options, const char *name, const char *value, char *why);
/* Is it an option (of these or of connect's) that has to have a value?  Any spelling. */
bool mount_option_needs_value(struct mount_options *options, const char *name);
/* Is word the value of an option that may also stand alone: "--sse aws:kms"?  Any spelling. */
bool mount_option_takes_word(const char *name, const char *word);

#endif
