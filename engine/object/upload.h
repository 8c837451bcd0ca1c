/*
 * upload: a file becomes an object: one PUT, or above a threshold a multipart upload with parts in parallel.
 *
 * The body is read by pread from a descriptor that no thread writes to meanwhile; each request carries the
 * SHA-256 of its bytes and their MD5 (engine/object/body_sums.h), so that the server refuses bytes damaged on
 * the way.  On failure a multipart upload is aborted.  The upload is the caller's memory until on_done
 * (worker thread, exactly once).
 *
 * A condition (create_only, if_match) is kept at any service: where it is not known that the service enforces
 * it, the object is looked at just before, which leaves the moment between the two.
 */
#ifndef FERRYFS_ENGINE_OBJECT_UPLOAD_H
#define FERRYFS_ENGINE_OBJECT_UPLOAD_H

#include "engine/object/body_sums.h"
#include "engine/wire/call.h"

/* Up to the threshold one PUT.  A part is hashed on the worker's thread just before it is sent: 16 MiB take
 * some 10 ms there, and four of them fill a line of a Gbit/s at 500 ms. */
#define UPLOAD_PART_THRESHOLD ((uint64_t)16 << 20)
#define UPLOAD_PART_SIZE ((uint64_t)16 << 20)
enum { UPLOAD_PARTS_AT_ONCE = 4 };

struct upload {
	/* given */
	struct account *account;
	struct str bucket, key;
	int fd; /* lent */
	uint64_t size;
	const struct headers *headers; /* content type, metadata, storage class ...; may be NULL */
	bool create_only; /* If-None-Match: *; -EEXIST when something is there */
	struct str if_match; /* replace only this ETag, else -ESTALE; STR_NONE: any version */
	uint64_t part_threshold, part_size; /* 0: UPLOAD_PART_THRESHOLD, UPLOAD_PART_SIZE */
	unsigned call_flags;
	void (*on_done)(struct upload *upload, const struct s3_answer *answer);
	void *user;

	/* result */
	int error;
	bool ambiguous; /* it failed, yet an attempt without an answer may have stored it */
	char etag[ETAG_MAX + 1];
	int64_t mtime; /* 0: not told */

	/* private */
	struct call call;
	struct upload_parts *parts;
	struct body_sums sums;
	struct worker *worker;
	uint64_t started_ms; /* condition_clock_ms */
	bool unconditioned; /* the right ETag was refused: the object was looked at instead */
	enum { UPLOAD_NO_PROBE, UPLOAD_PROBE_MATCH, UPLOAD_PROBE_CREATE } probe;
};

void upload_start(struct worker *worker, struct upload *upload); /* worker thread */
void upload_post(struct worker *worker, struct upload *upload); /* any thread */

#endif
