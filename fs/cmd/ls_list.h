/*
 * ls_list: a listing of objects on its way to standard output.
 *
 * The lister lives on a worker; its pages go to the main thread, which shows them and gives each back for the
 * lister to use again. A lister has at most LS_LIST_CREDITS_MAX pages under way, so the queues between the
 * two are arrays of that size, and a reader that stops reading stops the listing.
 */
#ifndef FERRYFS_FS_CMD_LS_LIST_H
#define FERRYFS_FS_CMD_LS_LIST_H

#include "engine/list/lister.h"
#include "fs/cmd/ls_line.h"
#include "fs/cmd/output.h"

enum { LS_LIST_STREAMS_MAX = 63, LS_LIST_CREDITS_MAX = 2 * LS_LIST_STREAMS_MAX + 2 };

struct ls_list {
	/* given */
	struct account *account;
	struct str bucket, prefix;
	bool recursive;
	unsigned streams; /* at most LS_LIST_STREAMS_MAX */
	struct waiter *waiter;
	struct output *output;
	struct ls_style *style;

	/* result */
	uint64_t shown;
	int error;
	struct s3_answer answer;

	/* private */
	struct worker *worker;
	struct task start, recycle, cancel;
	bool cancelled;
	struct lister *lister; /* worker thread only; NULL once done */
	pthread_mutex_t lock; /* protects all below, and error and answer until done */
	struct page *ready[LS_LIST_CREDITS_MAX], *spent[LS_LIST_CREDITS_MAX];
	unsigned ready_first, ready_count, spent_count;
	bool recycling; /* the task is posted */
	bool done;
};

/* Main thread: until all is shown, or a signal or a failed write ended it.  Fields not named "given" must be
 * zero.  The memory may go after engine_free, which runs the task that may still be posted. */
void ls_list_run(struct ls_list *list, struct engine *engine);
void ls_list_release(struct ls_list *list);

/* Appends a page's lines to the output; main thread. */
void ls_list_show(struct ls_list *list, const struct page *page);

#endif
