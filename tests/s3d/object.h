/* What the operations on objects share. */
#ifndef S3D_OBJECT_H
#define S3D_OBJECT_H

#include "tests/s3d/request.h"

/* AWS: a single PUT, and the source of a single copy, at most 5 GiB. */
#define OBJECT_PUT_MAX ((uint64_t)5 << 30)

/* Reads a version id as reply_version() writes it, or "null" (0).  0 or -EINVAL. */
int version_of(struct span text, uint64_t *ret);
/* Storage classes whose objects can't be read or copied before a restore. */
bool object_is_archived(const struct object *object);

struct deletion {
	struct span etag; /* only if it is this one; p NULL: whatever is there */
	struct span version; /* this version for good; p NULL: the newest */
};

/* Deletes one key of req->b.  NULL (a missing key too) or an S3 code. */
const char *delete_one(
	struct req *req, struct span key, const struct deletion *how, struct object **ret_marker);

struct copy_source {
	char *name; /* decoded "bucket/key"; copy_source_release() frees it */
	struct span bucket, key;
	struct object *object;
};

/* Finds the source of a copy and checks who may read it and its conditions.  NULL or an S3 code; release in
 * any case. */
const char *copy_source_find(struct req *req, struct copy_source *source);
void copy_source_release(struct copy_source *source);

#endif
