/*
 * compare: two objects of one size have ETags that look like MD5s, and differ.  Do their contents differ?
 *
 * A listing does not say how an object is encrypted, and the ETag of an object encrypted with KMS or a
 * customer's key is no MD5 of the content.  So both objects are asked for by HEAD, the one more likely to be
 * encrypted first:
 *
 *   the first HEAD shows such encryption   COMPARE_OPAQUE, after one request
 *   the second one does                    COMPARE_OPAQUE
 *   one HEAD is denied (-EACCES)           COMPARE_DENIED
 *   neither does                           COMPARE_DIFFER
 *   one object is gone, or another by now  COMPARE_DIFFER: it is not the one that was compared
 *
 * The struct is the caller's, with all it points to, until on_done, which comes exactly once, never from
 * inside of start.  Worker thread.
 */
#ifndef FERRYFS_ENGINE_OBJECT_COMPARE_H
#define FERRYFS_ENGINE_OBJECT_COMPARE_H

#include "engine/wire/call.h"

/* OPAQUE, DENIED: it is not known. */
enum compare_verdict { COMPARE_DIFFER, COMPARE_OPAQUE, COMPARE_DENIED };

struct compare_side {
	struct account *account;
	struct str bucket, key, etag;
};

struct compare {
	/* given */
	struct compare_side first, second;
	unsigned call_flags;
	void (*on_done)(struct compare *compare, const struct s3_answer *answer); /* of the last request */
	void *user;

	/* result */
	int error; /* 0, or why one of them could not be asked for */
	enum compare_verdict verdict; /* error 0 only */

	/* private */
	struct worker *worker;
	struct call call;
	bool at_second;
};

/* Is there anything to ask for, or do the ETags say by themselves that nothing is known? */
bool compare_is_needed(struct str one, struct str other);
void compare_start(struct worker *worker, struct compare *compare);
/* on_done(-ECANCELED) comes soon, not from inside. */
void compare_cancel(struct compare *compare);

#endif
