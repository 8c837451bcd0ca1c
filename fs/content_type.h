/*
 * content_type: the media type that a new object gets by its name's ending, as the AWS CLI guesses it.
 *
 * Pure; any thread.  The text is static.
 */
#ifndef FERRYFS_FS_CONTENT_TYPE_H
#define FERRYFS_FS_CONTENT_TYPE_H

#include "s3/str.h"

/* "binary/octet-stream", S3's own default, for an ending that is not known. */
const char *content_type_of(struct str name);

#endif
