/*
 * parts: how a large object is cut for a multipart upload or copy (AWS, "Amazon S3 multipart upload limits":
 * 10,000 parts of 5 MiB to 5 GiB, 48.8 TiB in all).  Pure; any thread.
 */
#ifndef FERRYFS_S3_PARTS_H
#define FERRYFS_S3_PARTS_H

#include <stdint.h>

#define PARTS_MIN_SIZE ((uint64_t)5 << 20)
#define PARTS_MAX_SIZE ((uint64_t)5 << 30)
#define PARTS_MAX 10000u
#define PARTS_OBJECT_MAX (PARTS_MAX_SIZE * PARTS_MAX)

struct parts {
	uint64_t size; /* of the object */
	uint64_t part_size; /* of all parts but the last */
	unsigned count;
};

/* Parts of at least wanted bytes (brought into 5 MiB..5 GiB), grown (in whole MiB) until PARTS_MAX suffice.
 * -EFBIG past PARTS_OBJECT_MAX; -EINVAL for size 0. */
int parts_plan(uint64_t size, uint64_t wanted, struct parts *ret);

/* Part number (from 1). */
void parts_range(const struct parts *parts, unsigned number, uint64_t *ret_start, uint64_t *ret_length);

#endif
