/* Conditional requests: RFC 9110 section 13 as S3 has it. */
#ifndef S3D_COND_H
#define S3D_COND_H

#include "tests/s3d/request.h"

/*
 * Conditions on an object to read; the header names begin with `prefix` ("" or "x-amz-copy-source-").
 * Returns 0 (go on), 304 or 412.
 */
unsigned cond_read(const struct req *req, const struct object *object, const char *prefix);
/* If-Match and If-None-Match on what is about to be written; object is what is there now, or NULL.  NULL or
 * an S3 code. */
const char *cond_write(const struct req *req, const struct object *object);
/* Whether the header value (quoted or not, a list, or *) names the object's ETag. */
bool cond_etag(struct span value, const struct object *object);

#endif
