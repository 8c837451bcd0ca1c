/*
 * transfer_sync: cp -r of the objects that the destination does not have yet.
 *
 * Source and destination are listed side by side, both in the order of keys (one stream each), and merged:
 * for each source object the destination's object of the same rest of key, if any, is at hand when it is
 * decided.  Nothing grows with the tree: each listing has at most CREDITS pages, and no more copies run than
 * the window takes.
 *
 * Everything runs on one worker, `home`; only the counters are read by the main thread.
 *
 *   state of a side   page            done
 *   waiting           NULL            false   for the next page
 *   reading           entries[at..]   -       at < count
 *   ended             NULL            true
 *
 * sync_pump merges as far as pages and free items allow; it is called for each page, each end of a listing
 * and each end of a copy. The work is done when the source has ended, both listers are gone, and no copy
 * runs.
 */
#include <errno.h>
#include <stdlib.h>
#include "engine/base/log.h"
#include "engine/list/lister.h"
#include "engine/object/compare.h"
#include "fs/cmd/sync_judge.h"
#include "fs/cmd/transfer_run.h"

enum { CREDITS = 3, ITEMS_EXTRA = 16 };

struct side {
	struct sync *sync;
	struct lister *lister; /* NULL once gone */
	struct page *page;
	struct page *next[CREDITS]; /* arrived, not yet read */
	unsigned next_count, at;
	bool done;
};

struct sync_item {
	struct copy copy;
	struct compare compare;
	struct sync *sync;
	struct sync_item *free_next;
	bool running, comparing; /* its copy; its comparison, which comes before */
	struct page_entry entry; /* texts in the arrays below */
	char source_key[KEY_MAX + 1], key[KEY_MAX + 1], etag[ETAG_MAX + 1], there_etag[ETAG_MAX + 1],
		storage_class[STORAGE_CLASS_MAX + 1];
};

struct sync {
	struct run_work work; /* first: casts */
	struct run *run;
	struct worker *home;
	struct task start, stop;
	struct side source, destination;
	struct sync_item **items;
	struct sync_item *free;
	unsigned made, limit, active;
	bool stopped, pumping;
	bool enough; /* the rest of the destination's listing does not matter: it is cancelled */
	struct job_error error;
	_Atomic uint64_t found, copied, skipped, failed, bytes;
	atomic_bool listed;
};

static void sync_pump(struct sync *sync);

/* ---- sides ---- */

static const struct page_entry *side_entry(const struct side *side)
{
	return side->page && side->at < side->page->count ? &side->page->entries[side->at] : NULL;
}

/* Gives a page that was read back, and takes the next that is there. */
static void side_turn(struct side *side)
{
	while (side->page || side->next_count) {
		if (side->page && side->at < side->page->count)
			return;
		if (side->page && side->lister)
			lister_recycle(side->lister, side->page);
		else
			page_free(side->page);
		side->page = NULL;
		side->at = 0;
		if (side->next_count == 0)
			return;
		side->page = side->next[0];
		side->next_count--;
		memmove(side->next, side->next + 1, side->next_count * sizeof(side->next[0]));
	}
}

static void side_drop(struct side *side)
{
	if (side->page)
		page_free(side->page);
	side->page = NULL;
	while (side->next_count)
		page_free(side->next[--side->next_count]);
}

static void transfer_sync_note_error(
	struct sync *sync, int error, const char *what, const struct s3_answer *answer)
{
	if (sync->error.error)
		return;
	sync->error.error = error;
	sync->error.what = what;
	if (!answer)
		return;
	sync->error.status = answer->status;
	memcpy(sync->error.code, answer->error.code, sizeof(sync->error.code));
	memcpy(sync->error.message, answer->error.message, sizeof(sync->error.message));
	memcpy(sync->error.request_id, answer->request_id, sizeof(sync->error.request_id));
}

static void sync_stop(struct sync *sync)
{
	sync->stopped = true;
	side_drop(&sync->source);
	side_drop(&sync->destination);
	if (sync->source.lister)
		lister_cancel(sync->source.lister);
	if (sync->destination.lister)
		lister_cancel(sync->destination.lister);
	for (unsigned i = 0; i < sync->made; i++)
		if (sync->items[i]->running)
			copy_cancel(&sync->items[i]->copy);
		else if (sync->items[i]->comparing)
			compare_cancel(&sync->items[i]->compare);
}

static void side_page(void *user, struct page *page)
{
	struct side *side = user;

	if (side->sync->stopped) {
		page_free(page);
		return;
	}
	side->next[side->next_count++] = page;
	sync_pump(side->sync);
}

static void side_done(void *user, int error, const struct s3_answer *answer)
{
	struct side *side = user;
	struct sync *sync = side->sync;

	side->lister = NULL;
	side->done = true;
	if (error == 0 && side == &sync->source)
		atomic_store(&sync->listed, true);
	if (error != 0 && !(error == -ECANCELED && (sync->stopped || sync->enough))) {
		transfer_sync_note_error(
			sync, error, side == &sync->source ? "list" : "list the destination of", answer);
		sync_stop(sync); /* without the destination's listing nothing can be decided */
	}
	sync_pump(sync);
}

static int side_start(struct side *side, const struct address *place)
{
	struct sync *sync = side->sync;
	struct lister_options options = {
		.account = sync->run->account,
		.bucket = address_bucket(place),
		.prefix = address_key(place),
		.streams = 1,
		.credits = CREDITS,
		.bulk = true,
		.on_page = side_page,
		.on_done = side_done,
		.user = side,
	};

	return lister_start(sync->home, &options, &side->lister);
}

/* ---- copies ---- */

static struct sync_item *item_get(struct sync *sync)
{
	struct sync_item *item = sync->free;

	if (item) {
		sync->free = item->free_next;
		return item;
	}
	if (sync->made == sync->limit)
		return NULL;
	item = calloc(1, sizeof(*item));
	if (!item)
		return NULL; /* fewer will do, unless there is none at all */
	item->sync = sync;
	sync->items[sync->made++] = item;
	return item;
}

static void item_put(struct sync_item *item)
{
	item->free_next = item->sync->free;
	item->sync->free = item;
}

static struct str keep_text(char *to, size_t size, struct str s)
{
	size_t len = s.len < size - 1 ? s.len : size - 1;

	if (len)
		memcpy(to, s.data, len);
	to[len] = '\0';
	return str_n(to, len);
}

static void item_tell(struct sync_item *item, enum job_step step, int error, const struct s3_answer *answer)
{
	struct job_event event = {
		.step = step,
		.error = error,
		.source_key = item->entry.key,
		.key = item->copy.key,
		.entry = &item->entry,
		.answer = answer,
		.etag = step == JOB_COPIED && error == 0 ? item->copy.etag : NULL,
	};

	report_event(&item->sync->run->report, &event);
}

/* An attempt was sent and nothing was heard of it: then the copy may be there although it failed. */
static void item_log_unknown(struct sync_item *item)
{
	log_call(LOG_LEVEL_WARNING,
		&(struct log_call){
			.what = "copy",
			.bucket = item->copy.bucket,
			.key = item->copy.key,
			.error = item->copy.error,
			.consequence = "an attempt had no answer: its copy may be at the destination",
		});
}

static void item_done(struct copy *copy, const struct s3_answer *answer)
{
	struct sync_item *item = copy->user;
	struct sync *sync = item->sync;

	bool given_up = sync->stopped && copy->error == -ECANCELED; /* never begun: no failure */
	/* Not missing any more: it came there after the listing. */
	bool there = copy->create_only && copy->error == -EEXIST;

	if (copy->error != 0 && copy->ambiguous)
		item_log_unknown(item);
	if (copy->error == 0) {
		atomic_fetch_add(&sync->copied, 1);
		atomic_fetch_add(&sync->bytes, item->entry.size);
	} else if (there) {
		atomic_fetch_add(&sync->skipped, 1);
	} else if (!given_up) {
		atomic_fetch_add(&sync->failed, 1);
		transfer_sync_note_error(sync, copy->error, "copy", answer);
	}
	if (!given_up)
		item_tell(item, there ? JOB_SKIPPED : JOB_COPIED, there ? 0 : copy->error, answer);
	sync->active--;
	item->running = false;
	item_put(item);
	sync_pump(sync);
}

static void item_start(struct sync_item *item)
{
	struct sync *sync = item->sync;
	struct run *run = sync->run;
	struct str to = item->copy.key;

	item->copy = (struct copy){
		.settings = &run->options.copy,
		.source_account = run->account,
		.account = run->account,
		.source_bucket = address_bucket(&run->source),
		.source_key = item->entry.key,
		.bucket = address_bucket(&run->destination),
		.key = to,
		.source_etag = item->entry.etag.len ? item->entry.etag : STR_NONE,
		.storage_class = item->entry.storage_class.len ? item->entry.storage_class : STR_NONE,
		.size = item->entry.size,
		.create_only = run->options.sync == SYNC_MISSING,
		.look_first = true,
		.on_done = item_done,
		.user = item,
	};
	sync->active++;
	item->running = true;
	copy_start(sync->home, &item->copy);
}

static void item_skip(struct sync_item *item)
{
	atomic_fetch_add(&item->sync->skipped, 1);
	item_tell(item, JOB_SKIPPED, 0, NULL);
	item_put(item);
}

static void item_fail(struct sync_item *item, int error, const struct s3_answer *answer)
{
	atomic_fetch_add(&item->sync->failed, 1);
	transfer_sync_note_error(item->sync, error, "copy", answer);
	item_tell(item, JOB_COPIED, error, answer);
	item_put(item);
}

static void item_take(struct sync_item *item)
{
	item_tell(item, JOB_FOUND, 0, NULL);
	if (item->sync->run->options.dry_run)
		item_put(item);
	else
		item_start(item);
}

static void item_compared(struct compare *compare, const struct s3_answer *answer)
{
	struct sync_item *item = compare->user;
	struct sync *sync = item->sync;

	sync->active--;
	item->comparing = false;
	if (sync->stopped)
		item_put(item);
	else if (compare->error != 0)
		item_fail(item, compare->error, answer);
	else if (compare->verdict == COMPARE_DIFFER)
		item_take(item);
	else
		item_skip(item);
	sync_pump(sync);
}

/* Two ETags that look like MD5s differ, and the destination's object is not older. */
static void item_compare(struct sync_item *item, struct str there_etag)
{
	struct sync *sync = item->sync;
	const struct run *run = sync->run;
	struct str etag = keep_text(item->there_etag, sizeof(item->there_etag), there_etag);

	item->compare = (struct compare){
		.first = {run->account, address_bucket(&run->destination), item->copy.key, etag},
		.second = {run->account, address_bucket(&run->source), item->entry.key, item->entry.etag},
		.call_flags = CALL_BULK,
		.on_done = item_compared,
		.user = item,
	};
	sync->active++;
	item->comparing = true;
	compare_start(sync->home, &item->compare);
}

static int item_set_key(struct sync_item *item, struct str source_key)
{
	const struct run *run = item->sync->run;
	struct str rest = str_skip(source_key, run->source.key_len);
	size_t head = run->destination.key_len;

	if (head + rest.len == 0)
		return -EDESTADDRREQ;
	if (head + rest.len > KEY_MAX || source_key.len > KEY_MAX)
		return -ENAMETOOLONG;
	memcpy(item->key, run->destination.key, head);
	keep_text(item->key + head, sizeof(item->key) - head, rest);
	item->copy.key = str_n(item->key, head + rest.len);
	return 0;
}

static enum sync_verdict item_judge(
	const struct run *run, const struct page_entry *entry, const struct page_entry *there)
{
	/* The marker of the source prefix itself: no key is left for it at the top of a bucket. */
	bool top = entry->key.len == run->source.key_len && run->destination.key_len == 0 && entry->size == 0;

	return top || !run_wants(run, entry->key) ? SYNC_LEAVE : sync_judge(run->options.sync, entry, there);
}

/* One source object, and the destination's object of that name. */
static void sync_one(struct sync_item *item, const struct page_entry *entry, const struct page_entry *there)
{
	struct sync *sync = item->sync;
	enum sync_verdict verdict = item_judge(sync->run, entry, there);

	item->copy.key = STR_NONE;
	int error = verdict != SYNC_LEAVE ? item_set_key(item, entry->key) : 0;

	atomic_fetch_add(&sync->found, 1);
	item->entry = *entry;
	item->entry.key = keep_text(item->source_key, sizeof(item->source_key), entry->key);
	item->entry.etag = keep_text(item->etag, sizeof(item->etag), entry->etag);
	item->entry.storage_class =
		keep_text(item->storage_class, sizeof(item->storage_class), entry->storage_class);
	if (verdict == SYNC_LEAVE)
		item_skip(item);
	else if (error != 0)
		item_fail(item, error, NULL);
	else if (verdict == SYNC_COMPARE && there)
		item_compare(item, there->etag);
	else
		item_take(item);
}

/* ---- the merge ---- */

/* Moves the destination up to the source's key.  1: *ret_there is decided; 0: a page has to come first. */
static int find_there(struct sync *sync, const struct page_entry *entry, const struct page_entry **ret_there)
{
	const struct run *run = sync->run;
	struct side *side = &sync->destination;
	struct str rest = str_skip(entry->key, run->source.key_len);
	const struct page_entry *there;
	int order;

	for (;;) {
		side_turn(side);
		there = side_entry(side);
		if (!there && !side->done)
			return 0;
		order = there ? str_cmp(str_skip(there->key, run->destination.key_len), rest) : 1;
		if (order < 0) {
			side->at++;
			continue;
		}
		*ret_there = order == 0 ? there : NULL;
		return 1;
	}
}

static bool excluded(const struct run *run, const struct page_entry *entry)
{
	struct str prefix = address_exclude(&run->source, &run->destination);

	return prefix.len > 0 && str_has_prefix(entry->key, prefix);
}

/* True when one more source entry was dealt with. */
static bool sync_step(struct sync *sync)
{
	const struct page_entry *entry, *there;
	struct sync_item *item;

	side_turn(&sync->source);
	entry = side_entry(&sync->source);
	if (!entry)
		return false;
	if (excluded(sync->run, entry)) {
		sync->source.at++;
		return true;
	}
	if (!find_there(sync, entry, &there))
		return false;
	item = item_get(sync);
	if (!item) {
		if (sync->active == 0) {
			transfer_sync_note_error(sync, -ENOMEM, "list", NULL);
			sync_stop(sync);
		}
		return false;
	}
	sync->source.at++;
	sync_one(item, entry, there);
	return true;
}

static bool source_over(const struct sync *sync)
{
	return sync->source.done && !sync->source.page && sync->source.next_count == 0;
}

static void sync_pump(struct sync *sync)
{
	struct waiter *waiter = &sync->run->waiter;

	if (sync->pumping) /* from inside lister_recycle, should it ever answer at once */
		return;
	sync->pumping = true;
	while (!sync->stopped && sync_step(sync))
		;
	if (sync->source.done && !sync->stopped)
		side_turn(&sync->source);
	if (source_over(sync) && sync->destination.lister && !sync->enough) {
		sync->enough = true;
		lister_cancel(sync->destination.lister);
	}
	sync->pumping = false;
	if (!source_over(sync) || sync->destination.lister || sync->active)
		return;
	side_drop(&sync->destination);
	if (sync->stopped && sync->error.error == 0)
		transfer_sync_note_error(sync, -ECANCELED, "cancel", NULL);
	atomic_store(&sync->work.done, true); /* the sync may be gone from here on, the run is not */
	waiter_wake(waiter);
}

/* ---- life ---- */

static void transfer_sync_start_task(struct task *task, struct worker *worker)
{
	struct sync *sync = (struct sync *)((char *)task - offsetof(struct sync, start));
	int error;

	(void)worker;
	error = side_start(&sync->source, &sync->run->source);
	if (error < 0) {
		sync->destination.done = true;
		side_done(&sync->source, error, NULL);
		return;
	}
	error = side_start(&sync->destination, &sync->run->destination);
	if (error < 0)
		side_done(&sync->destination, error, NULL);
}

static void stop_task(struct task *task, struct worker *worker)
{
	struct sync *sync = (struct sync *)((char *)task - offsetof(struct sync, stop));

	(void)worker;
	if (sync->stopped || atomic_load(&sync->work.done))
		return;
	sync_stop(sync);
	sync_pump(sync);
}

static void sync_cancel(struct run_work *work)
{
	struct sync *sync = (struct sync *)work;

	worker_post(sync->home, &sync->stop);
}

static void sync_progress(struct run_work *work, struct job_progress *ret)
{
	struct sync *sync = (struct sync *)work;

	*ret = (struct job_progress){
		.found = atomic_load(&sync->found),
		.copied = atomic_load(&sync->copied),
		.skipped = atomic_load(&sync->skipped),
		.failed = atomic_load(&sync->failed),
		.bytes = atomic_load(&sync->bytes),
		.listed = atomic_load(&sync->listed),
	};
}

int sync_run(struct run *run)
{
	struct sync *sync = calloc(1, sizeof(*sync));

	if (!sync)
		return -ENOMEM;
	sync->work.cancel = sync_cancel;
	sync->work.progress = sync_progress;
	sync->run = run;
	sync->source.sync = sync->destination.sync = sync;
	sync->limit = engine_inflight(run->engine) + ITEMS_EXTRA;
	sync->items = calloc(sync->limit, sizeof(*sync->items));
	if (!sync->items) {
		free(sync);
		return -ENOMEM;
	}
	sync->home = engine_pick(run->engine);
	sync->start.run = transfer_sync_start_task;
	sync->stop.run = stop_task;
	worker_post(sync->home, &sync->start);
	run_attend(run, &sync->work);
	sync_progress(&sync->work, &run->done);
	run->error = sync->error;
	run->sync = sync; /* a cancel may still be posted: freed after the engine */
	return 0;
}

void sync_free(struct sync *sync)
{
	if (!sync)
		return;
	for (unsigned i = 0; i < sync->made; i++)
		free(sync->items[i]);
	free(sync->items);
	free(sync);
}
