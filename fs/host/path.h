/*
 * path: texts of paths.  Pure; any thread.
 */
#ifndef FERRYFS_FS_HOST_PATH_H
#define FERRYFS_FS_HOST_PATH_H

#include <stdbool.h>

/* Is path the directory itself, or below it?  Both canonical. */
bool path_is_below(const char *path, const char *directory);

#endif
