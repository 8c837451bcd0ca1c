/*
 * content_type: the media type that a new object gets by its name's ending, as the AWS CLI guesses it.
 *
 * Pure; any thread.  The text is static.
 */
#ifndef FERRYFS_FS_FILE_CONTENT_TYPE_H
#define FERRYFS_FS_FILE_CONTENT_TYPE_H

#include "s3/str.h"

/* "binary/octet-stream", S3's own default, for an ending that is not known. */
const char *content_type_of(struct str name);

/* Returns the type for an object with the name `from` when it is renamed or copied to `to`, provided that
 * it has the type of its old ending or of no ending.  NULL: it keeps its type, since both endings stand
 * for one type, or the ending of `to` is not known. */
const char *content_type_follows(struct str from, struct str to);

#endif
