/*
 * opendir_at: the entries of a directory that is open already.
 */
#ifndef FERRYFS_FS_HOST_OPENDIR_AT_H
#define FERRYFS_FS_HOST_OPENDIR_AT_H

#include <dirent.h>

/* A stream of its own, from the first entry on, for closedir; directory stays the caller's.  NULL, errno set. */
DIR *opendir_at(int directory);

#endif
