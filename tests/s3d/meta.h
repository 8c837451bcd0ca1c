/*
 * What an object is stored with: from a request's headers, or from the source of a copy.
 *
 * "content" attributes (content-type and its like, x-amz-meta-*) go along with a copy; "placement" ones
 * (storage class, ACL, encryption, redirect) never do: AWS takes them from the copy's own request.
 */
#ifndef S3D_META_H
#define S3D_META_H

#include "tests/s3d/request.h"

/* The request's attributes, one reference in *ret.  NULL or an S3 code. */
const char *meta_of_request(const struct req *req, struct attrs **ret);
/* Content attributes of the source with the placement of this request. */
const char *meta_of_copy(const struct req *req, struct attrs *source, struct attrs **ret);
/* Tags of x-amz-tagging.  NULL or an S3 code. */
const char *meta_tags(const struct req *req, struct attrs **ret);
bool meta_has_placement(const struct req *req);
/* Shows an object's attributes as answer headers. */
void meta_show(struct req *req, const struct object *object);
/* Shows the encryption a write was given. */
void meta_show_encryption(struct req *req, const struct attrs *attrs);

/*
 * Content-MD5, x-amz-checksum-{crc32,crc32c,sha256} against the request's body.  NULL or an S3 code;
 * *ret_given tells whether there was any.  x-amz-checksum-{sha1,crc64nvme} count as given and are not
 * verified.
 */
const char *meta_check_digests(const struct req *req, bool *ret_given);
/* The same of a body to be stored, with its size, and with what object-lock demands.  NULL or an S3 code. */
const char *meta_check_upload(const struct req *req);

#endif
