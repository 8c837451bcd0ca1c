/*
 * staging_file: an unnamed file for content on its way to S3.
 */
#ifndef FERRYFS_FS_HOST_STAGING_FILE_H
#define FERRYFS_FS_HOST_STAGING_FILE_H

#include "s3/str.h"

/* Of its name for a moment, where the file system has no files without one. */
#define STAGING_FILE_PREFIX "draft-"

/* Of the name that content gets which its daemon may leave behind: fs/host/staged.h. */
#define STAGED_FILE_PREFIX "staged-"

/* A descriptor, readable and writable by this user only, gone when it is closed; -errno. */
int staging_file(const char *dir);

#endif
