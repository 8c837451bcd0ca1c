/*
 * multipart: one object made of parts: create, parts in parallel, completion; or, on any failure, an abort.
 *
 * Used by copy_parts (parts copied by the server) and upload_parts (parts sent).  Nothing is left behind:
 * where the abort fails too, or a lost answer may have left a second upload, which cannot be told from
 * another client's, a log line says so and how to clean up.  The multipart is the caller's memory until
 * ops->done, which comes exactly once, on the worker's thread, never from inside multipart_start or
 * multipart_cancel.
 */
#ifndef FERRYFS_ENGINE_OBJECT_MULTIPART_H
#define FERRYFS_ENGINE_OBJECT_MULTIPART_H

#include "engine/object/body_sums.h"
#include "engine/wire/call.h"
#include "s3/parts.h"

enum { MULTIPART_SLOTS_MAX = 64 };

struct multipart;
struct multipart_slot;

struct multipart_ops {
	const char *what; /* "copy", for the log */
	/* Fills the special fields (op, source or body) into a call that has the common ones.  -errno
	 * ends it. */
	int (*prepare)(struct multipart *multipart, struct multipart_slot *slot);
	/* When all parts are there: fills a HEAD of their source into a call that has everything else,
	 * to be looked at before they become an object.  May be NULL. */
	void (*prepare_look)(struct multipart *multipart, struct call *call);
	/* Judges the answer to that HEAD; -errno ends it, and nothing has become of the object. */
	int (*looked)(struct multipart *multipart, const struct call *call, const struct s3_answer *answer);
	/* answer: of the deciding request, never NULL. */
	void (*done)(struct multipart *multipart, int error, const struct s3_answer *answer);
	/* The upload has this id (etag NULL), or is about to be completed with this ETag (upload_id NULL; not
	 * where it can't be foretold).  -errno ends it.  May be NULL. */
	int (*note)(struct multipart *multipart, const char *upload_id, const char *etag);
};

struct multipart_slot {
	struct multipart *multipart;
	struct call call;
	unsigned number; /* of the part; 0: free */
	uint64_t start, length;
	struct body_sums sums; /* for prepare */
};

enum multipart_step {
	MULTIPART_CREATE,
	MULTIPART_PARTS,
	MULTIPART_SOURCE,
	MULTIPART_BEFORE,
	MULTIPART_COMPLETE,
	MULTIPART_LOOK,
	MULTIPART_ABORT,
	MULTIPART_LOST
};

struct multipart {
	/* given */
	const struct multipart_ops *ops;
	struct account *account;
	struct str bucket, key;
	const struct headers *headers; /* of the create; may be NULL */
	const struct headers *part_headers; /* of each part and the completion; may be NULL */
	struct parts plan;
	unsigned at_once; /* 1 .. MULTIPART_SLOTS_MAX */
	bool sums_parts; /* the parts' SHA-256 go out as checksums (OpenSSL has no MD5) */
	bool create_only; /* If-None-Match: * at the completion */
	struct str if_match; /* of the destination, at the completion */
	enum account_trait create_trait; /* the traits that create_only teaches */
	bool look_first; /* just before the completion, where its condition is not known to be enforced */
	unsigned call_flags;
	void *user;

	/* result */
	bool ambiguous; /* failed, yet the completion may have taken effect */

	/* private */
	struct worker *worker;
	enum multipart_step step;
	struct multipart_slot *slots;
	struct s3_part *parts;
	unsigned next_part, active;
	struct call call; /* of all steps but PARTS */
	struct page *page;
	struct s3_answer answer; /* the deciding one, a copy */
	char upload_id[UPLOAD_ID_MAX + 1];
	uint64_t started_ms; /* condition_clock_ms */
	unsigned abort_rounds;
	int error;
	bool create_lost; /* another create may have taken effect */
	bool looked_first, unconditioned;
	bool completed;
	struct task task;
};

/* Worker thread.  Fields not named "given" must be zero. */
void multipart_start(struct worker *worker, struct multipart *multipart);
/* Worker thread.  Begins no further part; calls on the wire are waited for, then it
 * aborts. */
void multipart_cancel(struct multipart *multipart);

#endif
