#include "fs/cmd/ls_list.h"

enum { BATCH = 16 }; /* lines appended per lock */

/* ---- worker ---- */

static void ls_list_on_page(void *user, struct page *page)
{
	struct ls_list *list = user;

	pthread_mutex_lock(&list->lock);
	list->ready[(list->ready_first + list->ready_count) % LS_LIST_CREDITS_MAX] = page;
	list->ready_count++;
	pthread_mutex_unlock(&list->lock);
	waiter_wake(list->waiter);
}

static void on_done(void *user, int error, const struct s3_answer *answer)
{
	struct ls_list *list = user;

	list->lister = NULL;
	pthread_mutex_lock(&list->lock);
	list->done = true;
	list->error = error;
	if (answer)
		list->answer = *answer;
	pthread_mutex_unlock(&list->lock);
	waiter_wake(list->waiter);
}

static void ls_list_start_task(struct task *task, struct worker *worker)
{
	struct ls_list *list = (struct ls_list *)((char *)task - offsetof(struct ls_list, start));
	struct lister_options options = {
		.account = list->account,
		.bucket = list->bucket,
		.prefix = list->prefix,
		.delimiter = list->recursive ? STR_NONE : STR("/"),
		.streams = list->streams,
		.credits = 2 * list->streams + 2,
		.bulk = true,
		.on_page = ls_list_on_page,
		.on_done = on_done,
		.user = list,
	};
	int error = lister_start(worker, &options, &list->lister);

	if (error < 0)
		on_done(list, error, NULL);
}

static void recycle_task(struct task *task, struct worker *worker)
{
	struct ls_list *list = (struct ls_list *)((char *)task - offsetof(struct ls_list, recycle));
	struct page *spent[LS_LIST_CREDITS_MAX];
	unsigned count;

	(void)worker;
	pthread_mutex_lock(&list->lock);
	count = list->spent_count;
	memcpy(spent, list->spent, count * sizeof(spent[0]));
	list->spent_count = 0;
	list->recycling = false;
	pthread_mutex_unlock(&list->lock);
	for (unsigned i = 0; i < count; i++) {
		if (list->lister)
			lister_recycle(list->lister, spent[i]);
		else
			page_free(spent[i]);
	}
}

static void cancel_task(struct task *task, struct worker *worker)
{
	struct ls_list *list = (struct ls_list *)((char *)task - offsetof(struct ls_list, cancel));

	(void)worker;
	if (list->lister)
		lister_cancel(list->lister);
}

/* ---- main thread ---- */

static void give_back(struct ls_list *list, struct page *page)
{
	bool post;

	pthread_mutex_lock(&list->lock);
	list->spent[list->spent_count++] = page;
	post = !list->recycling;
	list->recycling = true;
	pthread_mutex_unlock(&list->lock);
	if (post)
		worker_post(list->worker, &list->recycle);
}

/* The entries of one level in the order of keys: a page has its objects and its prefixes each in order, not
 * together.  *at starts as two zeros; NULL at the end. */
static const struct page_entry *next_merged(const struct page *page, unsigned at[2])
{
	const struct page_entry *head[2];
	unsigned which;

	for (which = 0; which < 2; which++) {
		while (at[which] < page->count && page->entries[at[which]].is_prefix != (which == 1))
			at[which]++;
		head[which] = at[which] < page->count ? &page->entries[at[which]] : NULL;
	}
	if (!head[0] && !head[1])
		return NULL;
	which = !head[0] || (head[1] && str_cmp(head[1]->key, head[0]->key) < 0);
	at[which]++;
	return head[which];
}

void ls_list_show(struct ls_list *list, const struct page *page)
{
	const struct page_entry *entry = NULL;
	unsigned at[2] = {0, 0};
	struct buf *buf;

	for (unsigned i = 0; i < page->count;) {
		buf = output_begin_main(list->output);
		for (unsigned end = i + BATCH; i < end && i < page->count; i++) {
			entry = list->recursive ? &page->entries[i] : next_merged(page, at);
			ls_line(buf, list->style, entry);
		}
		output_end(list->output);
	}
	list->shown += page->count;
}

/* True when there was a page to show. */
static bool show_next(struct ls_list *list)
{
	struct page *page = NULL;

	pthread_mutex_lock(&list->lock);
	if (list->ready_count) {
		page = list->ready[list->ready_first];
		list->ready_first = (list->ready_first + 1) % LS_LIST_CREDITS_MAX;
		list->ready_count--;
	}
	pthread_mutex_unlock(&list->lock);
	if (!page)
		return false;
	ls_list_show(list, page);
	give_back(list, page);
	return true;
}

static bool is_done(struct ls_list *list)
{
	bool done;

	pthread_mutex_lock(&list->lock);
	done = list->done && list->ready_count == 0;
	pthread_mutex_unlock(&list->lock);
	return done;
}

/* Nothing to show, but more to come? */
static bool must_wait(struct ls_list *list)
{
	bool wait;

	pthread_mutex_lock(&list->lock);
	wait = !list->done && list->ready_count == 0;
	pthread_mutex_unlock(&list->lock);
	return wait;
}

/* With nothing to show for the moment, what is there goes out: a reader sees pages as they come. */
void ls_list_run(struct ls_list *list, struct engine *engine)
{
	unsigned signals;
	bool stop;

	pthread_mutex_init(&list->lock, NULL);
	list->worker = engine_pick(engine);
	list->start.run = ls_list_start_task;
	list->recycle.run = recycle_task;
	list->cancel.run = cancel_task;
	worker_post(list->worker, &list->start);
	while (!is_done(list)) {
		signals = list->waiter->signals;
		stop = signals > 0;
		while (!list->waiter->signals && show_next(list))
			;
		if (output_drain(list->output) < 0)
			stop = true;
		if (stop) {
			output_stop(list->output);
			while (show_next(list))
				;
		}
		if (stop && !list->cancelled) {
			list->cancelled = true;
			worker_post(list->worker, &list->cancel);
		}
		if (signals == list->waiter->signals && must_wait(list))
			waiter_wait(list->waiter, -1, -1);
	}
}

void ls_list_release(struct ls_list *list)
{
	pthread_mutex_destroy(&list->lock);
}
