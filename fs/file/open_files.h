/*
 * open_files: what is written and still open when a session ends.
 *
 * The kernel sends no flush and no release for files that are open when the daemon ends by a signal, or when
 * somebody cuts the connection: what was written to them is brought to S3 by the daemon's own choice, once
 * nothing is read from the kernel any more.
 */
#ifndef FERRYFS_FS_FILE_OPEN_FILES_H
#define FERRYFS_FS_FILE_OPEN_FILES_H

#include "fs/core/hub.h"

/* Begins to store all of it; counted in hub.parked until it has ended.  No lock held. */
void open_files_store(struct hub *hub);
/* Logs each file of which S3 still does not have everything.  No lock held. */
void open_files_log(struct hub *hub);

#endif
