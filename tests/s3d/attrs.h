/*
 * Sets of name/value texts (an object's headers and metadata, or its tags), refcounted and interned: a
 * million objects with equal headers share one set.
 *
 * A set is built as a blob in a struct buf, "name\0value\0name\0value\0...", and never changes afterwards.
 * Names of headers are in lower case.  NULL stands for the empty set everywhere.
 */
#ifndef S3D_ATTRS_H
#define S3D_ATTRS_H

#include "tests/s3d/buf.h"

struct attrs;

void attrs_add(struct buf *blob, struct span name, struct span value);
/*
 * Releases the blob; 0 and one reference (or NULL for an empty blob), or -ENOMEM.
 */
int attrs_intern(struct buf *blob, struct attrs **ret);
struct attrs *attrs_ref(struct attrs *attrs);
void attrs_unref(struct attrs *attrs);

/* The value, lent; NULL when there is none. */
const char *attrs_get(const struct attrs *attrs, const char *name);
/* Walks the set: name is NULL to begin, returns the next name or NULL. */
const char *attrs_next(const struct attrs *attrs, const char *name);
static inline const char *attrs_value(const char *name)
{
	return name + strlen(name) + 1;
}
size_t attrs_count(const struct attrs *attrs);
/* The whole blob, lent. */
struct span attrs_blob(const struct attrs *attrs);

#endif
