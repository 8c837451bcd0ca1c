/*
 * Reads the XML bodies of requests through libxml2's tree parser.  A document type declaration is refused.
 * All: 0, -EINVAL (malformed), -ENOMEM.
 */
#ifndef S3D_XML_H
#define S3D_XML_H

#include "tests/s3d/buf.h"

#include <stdint.h>

/* LocationConstraint of a CreateBucketConfiguration, appended (nothing when absent). */
int xml_location(struct span text, struct buf *region);

/* Tags of a Tagging, appended as an attrs blob; at most 10. */
int xml_tagging(struct span text, struct buf *blob);

struct delete_key {
	char *key;
	char *etag; /* NULL: unconditional */
	char *version; /* NULL: newest */
};

struct delete_list {
	struct delete_key *keys;
	size_t count;
	bool quiet;
};

/* A Delete; also -E2BIG past `max` keys.  delete_list_release() afterwards, in any case. */
int xml_delete(struct span text, size_t max, struct delete_list *list);
void delete_list_release(struct delete_list *list);

struct complete_part {
	unsigned number;
	char etag[80]; /* quotes removed */
};

/* The parts of a CompleteMultipartUpload, at most 10,000, in *ret (free()). */
int xml_complete(struct span text, struct complete_part **ret, size_t *ret_count);

#endif
