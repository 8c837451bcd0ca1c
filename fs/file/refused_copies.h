/*
 * refused_copies: the pairs of buckets between which the service refused a copy lately, for want of permission.
 *
 * A pair is worth no further copy until REFUSED_COPIES_MS are over; then one is tried again.  Bounded: the oldest pair makes
 * room.  Times are clock_ms, given by the caller.  A lock of its own, a leaf; any thread.
 */
#ifndef FERRYFS_FS_FILE_REFUSED_COPIES_H
#define FERRYFS_FS_FILE_REFUSED_COPIES_H

#include <pthread.h>
#include "s3/url.h"

enum { REFUSED_COPIES_MAX = 64, REFUSED_COPIES_MS = 600 * 1000 };

struct account;

/* A copy between two buckets: whose credentials read the source, and whose write the destination.  The accounts are only
 * compared. */
struct refused_pair {
	const struct account *from, *to;
	struct str from_bucket, to_bucket; /* lent; at most BUCKET_MAX bytes */
};

struct refused_copy {
	const struct account *from, *to;
	uint64_t until_ms; /* 0: unused */
	char from_bucket[BUCKET_MAX + 1], to_bucket[BUCKET_MAX + 1];
};

struct refused_copies {
	pthread_mutex_t lock; /* protects the fields below */
	struct refused_copy copies[REFUSED_COPIES_MAX];
	unsigned turn; /* the one that is replaced next */
};

#define REFUSED_COPIES_INIT                                                                                  \
	{                                                                                                    \
		.lock = PTHREAD_MUTEX_INITIALIZER                                                            \
	}

/* Was a copy between them refused lately? */
bool refused_copies_has(struct refused_copies *table, const struct refused_pair *pair, uint64_t now_ms);
/* A copy between them was refused.  True: that is news. */
bool refused_copies_add(struct refused_copies *table, const struct refused_pair *pair, uint64_t now_ms);

#endif
