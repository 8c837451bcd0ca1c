/*
 * Who asks, and may they: AWS Signature Version 4, in the Authorization header or presigned in the query,
 * rebuilt from the raw request by AWS's "Create a signed AWS API request".  Independent of the client under
 * test.
 */
#ifndef S3D_AUTH_H
#define S3D_AUTH_H

#include "tests/s3d/request.h"

/* True when the request may go on (req->account says for whom); else the reply is filled with the refusal. */
bool auth_check(struct req *req);
/* Whether this request's account may touch a bucket. */
bool auth_allows(const struct req *req, struct span bucket);

#endif
