/*
 * headers: a bounded list of HTTP header names and values, in the order they were added.
 *
 * Used for the headers that a request sends beside those of its kind (content type, x-amz-meta-*, storage
 * class ...) and for those of an answer about an object.  Names are kept in lower case.  One owner; lent
 * values live until the next change.
 */
#ifndef FERRYFS_S3_HEADERS_H
#define FERRYFS_S3_HEADERS_H

#include "s3/buf.h"

enum {
	HEADERS_MAX = 256, /* pairs */
	HEADERS_BYTES_MAX =
		32768, /* AWS takes 8 KiB of request headers, 2 KiB of them metadata; servers differ */
};

struct headers {
	struct buf text; /* "name\0value\0" ... */
	unsigned count;
};

void headers_init(struct headers *headers);
void headers_release(struct headers *headers);
void headers_clear(struct headers *headers);

/* -EINVAL when the name is no token or the value holds CR, LF or NUL; -EOVERFLOW past the bounds. */
int headers_add(struct headers *headers, struct str name, struct str value);
/* Replaces every earlier one of that name; value STR_NONE only removes. */
int headers_set(struct headers *headers, struct str name, struct str value);
/* Appends all of from's. */
int headers_add_all(struct headers *headers, const struct headers *from);
/* STR_NONE when there is none; the first of several. */
struct str headers_get(const struct headers *headers, struct str name);
/* Walks: *at starts as 0; false at the end. */
/* The same names with the same values, in any order; names that come twice are not told apart. */
bool headers_equal(const struct headers *a, const struct headers *b);
bool headers_next(const struct headers *headers, size_t *at, struct str *ret_name, struct str *ret_value);

/* Is this a header that describes an object's content and that a copy by hand carries over: cache-control,
 * content-disposition, content-encoding, content-language, content-type, expires, x-amz-meta-*,
 * x-amz-website-redirect-location? */
bool headers_is_object(struct str name);
/* Does it say how an object is encrypted, in a form that a request may repeat: x-amz-server-side-encryption,
 * the KMS key's id and whether a bucket key is used? */
bool headers_is_encryption(struct str name);

#endif
