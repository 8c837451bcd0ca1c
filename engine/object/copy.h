/*
 * copy: one object of any size copied by the server, with everything that belongs to it.
 *
 * Up to `part_threshold` (never over 5 GiB, AWS's limit) it is one CopyObject.  Above, a multipart upload:
 * HEAD of the source for its metadata and content headers, its tags where it has some, UploadPartCopy in
 * parallel, each with the source's ETag as condition, completion; and the upload is aborted on any failure.
 * S3 keeps metadata and tags in a CopyObject but lets the storage class fall to STANDARD, so it is sent.
 *
 * The two accounts must reach the same service: requests are signed with the destination's credentials.  The
 * copy is the caller's memory, with all it points to, until on_done, which comes exactly once on the worker's
 * thread.
 */
#ifndef FERRYFS_ENGINE_OBJECT_COPY_H
#define FERRYFS_ENGINE_OBJECT_COPY_H

#include "engine/wire/call.h"

#define COPY_SIZE_UNKNOWN UINT64_MAX
/* The most one CopyObject moves; AWS, CopyObject. */
#define COPY_OBJECT_MAX ((uint64_t)5 << 30)

/* The defaults.  Parts copy in parallel and change the ETag, and cost a HEAD, a GetObjectTagging, a create
 * and a completion beside them: worth it once one CopyObject would take several seconds, which at the 100 to
 * 300 MB/s that AWS moves inside a region is about a GiB. */
#define COPY_PART_THRESHOLD ((uint64_t)1 << 30)
#define COPY_PART_SIZE ((uint64_t)256 << 20)
#define COPY_PARTS_AT_ONCE 8u

enum copy_tags { COPY_TAGS_AUTO, COPY_TAGS_NO, COPY_TAGS_REQUIRED };

/* The same for many copies; lent to them all. */
struct copy_settings {
	uint64_t part_threshold; /* 0: COPY_PART_THRESHOLD */
	uint64_t part_size; /* wanted; 0: COPY_PART_SIZE */
	unsigned parts_at_once; /* of one object; 0: COPY_PARTS_AT_ONCE */
	/* Of copies in parts.  AUTO: asked for unless HEAD shows that there are none; where the service has
	 * no tags or the credentials may not read them, the copy goes on without.  REQUIRED: fails then. */
	enum copy_tags tags;
	/* Sent with each copy (storage class, SSE, ACL, request payer, directives and the headers they
	 * replace); may be NULL. An x-amz-storage-class here wins over the source's. */
	const struct headers *headers;
	unsigned call_flags; /* CALL_BULK ... */
};

struct copy {
	/* given by the caller */
	const struct copy_settings *settings;
	struct account *source_account, *account; /* account: the destination's */
	struct str source_bucket, source_key, bucket, key;
	struct str source_etag; /* x-amz-copy-source-if-match; STR_NONE: any version */
	struct str storage_class; /* the source's as listed; STR_NONE or STANDARD: none is sent */
	/* The destination's name stands for another Content-Type than the source's name did: the copy gets
	 * this one if the source has type_from, or the type that S3 gives by itself; all else that it has is
	 * kept.  Costs a HEAD.  A type that was chosen stays.  STR_NONE: the source's type. */
	struct str type, type_from;
	uint64_t size; /* the source's; COPY_SIZE_UNKNOWN: asked for by HEAD first */
	bool create_only; /* If-None-Match: * on the destination */
	struct str if_match; /* only onto this ETag, where the service can do that; STR_NONE: onto anything */
	bool look_first; /* where create_only is known to tell nothing: HEAD of the destination before */
	void (*on_done)(
		struct copy *copy, const struct s3_answer *answer); /* answer of the deciding request */
	/* A copy in parts has begun under this upload id (etag NULL), or is about to be completed and will
	 * have this ETag (upload_id NULL; not where it can't be foretold).  -errno ends the copy.  May be
	 * NULL. */
	int (*on_parts)(struct copy *copy, const char *upload_id, const char *etag);
	void *user;

	/* result, for on_done */
	int error; /* 0; -ESTALE: the source is another one by now; -EEXIST: create_only and something is
		      there; ... */
	bool ambiguous; /* it failed, yet an unanswered attempt may have created the destination */
	char etag[ETAG_MAX + 1];
	char version_id[VERSION_ID_MAX / 8 + 1]; /* "" when unversioned or longer */
	int64_t mtime; /* as the server answered; 0: not told */

	/* private */
	struct call call;
	struct copy_parts *parts;
	struct headers *extra;
	struct headers
		*typed; /* the source's, which are sent again with another type; owned; NULL: none are */
	struct worker *worker;
	uint64_t started_ms; /* condition_clock_ms */
	bool cancelled;
	bool match_refused; /* 501 to if_match: the copy goes without */
	bool unconditioned; /* the source's ETag is compared by HEAD instead, before and behind the copy */
	bool copied;
	unsigned begun_anew;
	char seen_etag[ETAG_MAX + 1]; /* the source's, by HEAD */
	char head_class[STORAGE_CLASS_MAX + 1];
};

/* Did the service say that these credentials may not read the tags?  Then that is logged, once for a bucket
 * of late, and the copy goes on without them. */
bool copy_tags_denied(struct str bucket, struct str key, const struct s3_answer *answer);

/* Worker thread.  Fields not named "given" must be zero.  on_done never comes from inside. */
void copy_start(struct worker *worker, struct copy *copy);
/* Worker thread.  A CopyObject on the wire is waited for rather than cut, since its effect would be unknown.
 */
void copy_cancel(struct copy *copy);

#endif
