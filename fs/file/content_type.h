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

/* What an object saved under `from` gets when it is renamed or copied to `to`, if it has the type of its old
 * ending or of none: NULL: the same as it has, since the endings stand for one type, or `to`'s is not known. */
const char *content_type_follows(struct str from, struct str to);

#endif
