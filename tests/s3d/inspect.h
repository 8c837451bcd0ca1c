/* What the server holds, as texts for tests.  JSON texts are malloc'd, NULL without memory. */
#ifndef S3D_INSPECT_H
#define S3D_INSPECT_H

#include "tests/s3d/server.h"

/* [{"spec":..., "seen":..., "fired":...}] */
char *inspect_faults(const struct faults *faults);
/* {"key", "size", "etag", "last_modified", "version", "versions", "storage_class", "headers", "tags", "md5",
 * "uploads"} */
char *inspect_object(const struct server *server, const struct bucket *bucket, const struct object *object);
/* [{"bucket", "key", "id", "parts", "bytes", "headers", "tags"}] */
char *inspect_uploads(const struct store *store);
/* Appends a line for each object below the prefix (admin.h says what is in it). */
void inspect_keys(const struct bucket *bucket, struct span prefix, struct buf *b);

#endif
