/*
 * left_below: what S3 has below a directory that is to be removed, beside its marker.
 *
 * One listing of a few keys: one is enough to keep the directory, and the others may show the reason.
 */
#ifndef FERRYFS_FS_OPS_LEFT_BELOW_H
#define FERRYFS_FS_OPS_LEFT_BELOW_H

#include "engine/wire/call.h"

struct left_below {
	/* given, lent until on_done; the rest zeroed */
	struct account *account;
	struct str bucket, prefix; /* of the directory; ends in "/" */
	void (*on_done)(
		struct left_below *left, const struct s3_answer *answer); /* once, on the worker's thread */
	void *user;

	/* the result */
	int error; /* -errno: S3 could not be asked */
	bool marked; /* the directory has its marker */

	/* private */
	struct page *page;
	struct call call;
};

/* Any thread.  -ENOMEM: on_done is not called. */
int left_below_post(struct left_below *left, struct worker *worker);
/* The key that comes after *at, which starts as 0; false: there is none, or none that was listed.  The marker is none of
 * them.  *ret_key is lent until left_below_release. */
bool left_below_next(const struct left_below *left, unsigned *at, struct str *ret_key);
/* Frees what the listing took; also of a zeroed one. */
void left_below_release(struct left_below *left);

#endif
