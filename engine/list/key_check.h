/*
 * key_check: is a page's worth of keys still as it was?  Lists the range of them and tells of each one that
 * is there.  Where a page has none of them, a few keys lie among many others: then the listing is begun anew
 * just before the next of them.  So a look takes two requests a key at most, with any number of keys between.
 *
 * Keys are given in byte order, without the prefix they share; so the same ones serve for a move's source and
 * its destination.  A look is its owner's memory; one worker's thread; on_done comes exactly once, never from
 * inside.
 */
#ifndef FERRYFS_ENGINE_LIST_KEY_CHECK_H
#define FERRYFS_ENGINE_LIST_KEY_CHECK_H

#include "engine/list/lister.h"

struct look {
	/* given */
	struct account *account;
	struct str bucket, prefix;
	unsigned count; /* > 0 */
	struct str (*key)(void *user, unsigned index); /* without the prefix, rising */
	void (*on_seen)(void *user, unsigned index, const struct page_entry *entry);
	void (*on_done)(void *user, int error, const struct s3_answer *answer);
	void *user;

	/* private */
	struct lister *lister;
	struct worker *worker;
	struct buf after; /* where the next listing begins */
	unsigned at;
	bool passed, jumping;
};

/* -ENOMEM, -EINVAL: then on_done does not come. */
int look_start(struct worker *worker, struct look *look);

#endif
