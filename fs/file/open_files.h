/*
 * open_files: files that are written and still open when a session ends.
 *
 * The kernel sends no flush and no release for files that are open when the daemon ends by a signal, or when
 * the connection is cut.  The daemon itself brings their written content to S3, once it reads no more
 * requests from the kernel.
 */
#ifndef FERRYFS_FS_FILE_OPEN_FILES_H
#define FERRYFS_FS_FILE_OPEN_FILES_H

#include "fs/core/hub.h"

/* Begins to store all these files; each store is counted in hub.parked until it has ended.  No lock held. */
void open_files_store(struct hub *hub);
/* Logs each file with content that S3 still does not have.  No lock held. */
void open_files_log(struct hub *hub);

#endif
