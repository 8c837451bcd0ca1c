/*
 * lister: the keys below a prefix, page by page, as they arrive.
 *
 * Without a delimiter it lists a whole tree, and may ask for several pages at once where the tree or the key
 * range can be split
 * (`streams` > 1): then pages come in any order, each key exactly once.  With streams == 1 pages come in key
 * order. Back-pressure: a lister asks for a page only while it has a credit; it starts with `credits`, and
 * gets one back with each lister_credit.  A lister lives on one worker; on_page and on_done come on that
 * worker's thread.
 *
 * A page whose continuation token XML could not carry goes on by start-after.  A server that answers the same
 * page twice ends the listing with -EBADMSG rather than never.
 */
#ifndef FERRYFS_ENGINE_LIST_LISTER_H
#define FERRYFS_ENGINE_LIST_LISTER_H

#include "engine/wire/call.h"

struct lister_options {
	struct account *account; /* lent; as are all strs: copied by lister_start */
	struct str bucket, prefix;
	struct str delimiter; /* STR_NONE: the whole tree */
	struct str start_after; /* STR_NONE: from the beginning */
	unsigned streams; /* most pages asked for at once; 0: 1 */
	unsigned credits; /* pages under way or with the caller at most; 0: 4 */
	unsigned page_size; /* 0: 1,000 */
	bool bulk; /* CALL_BULK */
	/* streams > 1: the directories, where the listing is cut, are asked for beside the first page, not
	 * after it: one request more for a tree of one page, a round trip less for a larger one. */
	bool scout_early;
	/* Takes the page (page_free, or lister_recycle gives it back for use again).  Worker thread. */
	void (*on_page)(void *user, struct page *page);
	/* Exactly once, after the last page: error 0 or -errno; answer NULL unless S3 refused.  -EUCLEAN: all
	 * pages came, and entries in them that can't be used were left out and logged.  The lister is gone
	 * after it. */
	void (*on_done)(void *user, int error, const struct s3_answer *answer);
	void *user;
};

struct lister;

/* Worker thread.  on_done never comes from inside.  -ENOMEM, -EINVAL. */
int lister_start(struct worker *worker, const struct lister_options *options, struct lister **ret);
/* Worker thread. */
void lister_credit(struct lister *lister, unsigned pages);
/* Worker thread: credits one page and keeps its memory for another. */
void lister_recycle(struct lister *lister, struct page *page);
/* Worker thread: on_done(-ECANCELED) comes soon, no page before it. */
void lister_cancel(struct lister *lister);

#endif
