/*
 * Lane: copies the entries of the pages it was given, as many at once as keep the window full.
 *
 * The first copy of a move at a service that is not known yet is a probe.  The others don't wait for it:
 * they carry the same conditions, be they worth something or not, and only deletes must know.
 *
 *   PROBE_MATCH   sent with an ETag that no object has.  Refused: conditions on the source are enforced, and
 * it is sent again with the right one.  Copied: they are not, and the copy has been made. PROBE_CREATE
 * (where nothing may be overwritten) the copy that is there by now is asked for once more with If-None-Match:
 * *.  Refused: enforced.  Copied again, the same onto the same: not enforced.
 */
#include "engine/job/job_internal.h"

#include <errno.h>
#include <stdlib.h>
#include "engine/base/log.h"

static const struct str impossible_etag = {.data = "ferryfs-probe", .len = 13};

static void item_done(struct copy *copy, const struct s3_answer *answer);

/* ---- items ---- */

static struct job_item *item_take(struct lane *lane)
{
	struct job_item *item = lane->free;
	if (item) {
		lane->free = item->next_free;
		return item;
	}
	item = calloc(1, sizeof(*item));
	if (item) {
		item->lane = lane;
		lane->items[lane->made++] = item;
	}
	return item;
}

static void item_give(struct job_item *item)
{
	struct lane *lane = item->lane;
	item->batch = NULL;
	item->next_free = lane->free;
	lane->free = item;
}

bool tree_is_top_marker(const struct job *job, struct str source_key, uint64_t size)
{
	const struct job_options *o = &job->options;
	return job->kind != JOB_REMOVE && o->prefix.len == 0 && source_key.len == o->source_prefix.len &&
	       size == 0;
}

int tree_key(struct job_item *item, struct str source_key)
{
	const struct job *job = item->lane->job;
	const struct job_options *o = &job->options;
	struct str rest = str_skip(source_key, o->source_prefix.len);
	size_t len = o->prefix.len + rest.len;
	if (len == 0)
		return -EDESTADDRREQ;
	if (len > KEY_MAX)
		return -ENAMETOOLONG;
	if (len > item->key_size) {
		size_t size = (len + 127) & ~(size_t)127;
		char *key = realloc(item->key, size);
		if (!key)
			return -ENOMEM;
		item->key = key;
		item->key_size = size;
	}
	memcpy(item->key, o->prefix.data, o->prefix.len);
	memcpy(item->key + o->prefix.len, rest.data, rest.len);
	struct str key = str_n(item->key, len);
	item->copy.key = key;
	bool excluded = o->exclude_prefix.len > 0 && str_has_prefix(key, o->exclude_prefix);
	return job->same_place && str_has_prefix(key, o->source_prefix) && !excluded ? -EINVAL : 0;
}

static const struct page_entry *item_entry(const struct job_item *item)
{
	return &item->batch->page->entries[item->entry];
}

static void item_tell(struct job_item *item, int error, const struct s3_answer *answer)
{
	struct job_event event = {
		.step = JOB_COPIED,
		.error = error,
		.source_key = item_entry(item)->key,
		.key = item->copy.key,
		.entry = item_entry(item),
		.answer = answer,
		.etag = item->copy.etag,
	};
	job_tell(item->lane->job, &event);
}

/* ---- the outcome of one ---- */

/* An attempt was sent and nothing was heard of it: then the copy may be there although it failed. */
static void item_log_unknown(struct job_item *item, int error)
{
	struct log_call line = {
		.what = "copy",
		.bucket = item->lane->job->options.bucket,
		.key = item->copy.key,
		.error = error,
		.consequence = "an attempt had no answer: its copy may be at the destination",
	};
	log_call(LOG_LEVEL_WARNING, &line);
}

static void item_report(struct job_item *item, int error, const struct s3_answer *answer)
{
	struct lane *lane = item->lane;
	struct job *job = lane->job;
	bool given_up = error == -ECANCELED && atomic_load(&job->stopped);
	if (error != 0 && item->copy.ambiguous)
		item_log_unknown(item, error);
	if (error == 0 && job->kind == JOB_MOVE)
		error = tree_journal_copied(item);
	else if (error != 0 && !item->copy.ambiguous)
		tree_journal_refused(item->batch, item->entry);
	/* The source of a move became another one: it is in use. */
	if (error == -ESTALE && job->kind == JOB_MOVE)
		error = -EBUSY;
	/* Neither done nor failed: the job was stopped before S3 had said anything. */
	if (given_up)
		return;
	if (error == 0) {
		atomic_fetch_add(&job->copied, 1);
		atomic_fetch_add(&job->bytes, item_entry(item)->size);
	} else {
		atomic_fetch_add(&job->failed, 1);
	}
	item_tell(item, error, answer);
	if (error != 0)
		job_fail(job, &(struct job_failure){
				      .error = error,
				      .what = "copy",
				      .key = item_entry(item)->key,
				      .answer = answer,
			      });
}

static void item_leave(struct job_item *item)
{
	struct lane *lane = item->lane;
	struct job_page *batch = item->batch;
	lane->active--;
	if (item->large)
		lane->large--;
	batch->active--;
	item_give(item);
	if (batch->active == 0 && batch->at == batch->page->count && lane->first != batch)
		batch_back(batch);
}

/* ---- starting one ---- */

static void item_send(struct job_item *item)
{
	struct lane *lane = item->lane;
	const struct job_options *o = &lane->job->options;
	const struct page_entry *entry = item_entry(item);
	struct copy *copy = &item->copy;
	struct str key = copy->key;
	memset(copy, 0, sizeof(*copy));
	copy->settings = &lane->job->settings;
	copy->source_account = o->source_account;
	copy->account = o->account;
	copy->source_bucket = o->source_bucket;
	copy->source_key = entry->key;
	copy->bucket = o->bucket;
	copy->key = key;
	copy->size = entry->size;
	/* A listing always has the class; one without it is a server that has none. */
	copy->storage_class = entry->storage_class.data ? entry->storage_class : STR("");
	copy->create_only = (o->flags & JOB_CREATE_ONLY) != 0;
	/* A plain copy takes any version; a move must know which it took, to delete that and nothing else.
	 */
	if (lane->job->kind == JOB_MOVE && entry->etag.len > 0)
		copy->source_etag = item->probe == ITEM_PROBE_MATCH ? impossible_etag : entry->etag;
	if (lane->job->journal)
		copy->on_parts = tree_journal_parts;
	copy->on_done = item_done;
	copy->user = item;
	copy_start(lane->worker, copy);
}

bool tree_is_large(const struct job *job, const struct page_entry *entry)
{
	uint64_t threshold = job->settings.part_threshold;
	return entry->size > (threshold != 0 ? threshold : COPY_PART_THRESHOLD);
}

/* Is the copy of this entry to be the probe? */
static bool takes_probe(struct job *job, const struct page_entry *entry)
{
	int wanted = PROBE_WANTED;
	/* Without an ETag, or in parts, nothing can be learnt. */
	return atomic_load(&job->probe) == PROBE_WANTED && entry->etag.len > 0 &&
	       !tree_is_large(job, entry) &&
	       atomic_compare_exchange_strong(&job->probe, &wanted, PROBE_RUNNING);
}

static bool create_is_unknown(const struct job *job)
{
	return (job->options.flags & JOB_CREATE_ONLY) != 0 && !atomic_load(&job->stopped) &&
	       account_trait(job->options.account, TRAIT_COPY_CREATE) == TRAIT_UNKNOWN;
}

/* The condition on the source; true when the copy is sent again. */
static bool probe_match(struct job_item *item, int *error)
{
	struct job *job = item->lane->job;
	struct account *account = job->options.account;
	if (item->probe == ITEM_PROBED) {
		if (*error == 0 && account_trait(account, TRAIT_COPY_IF_MATCH) == TRAIT_UNKNOWN)
			account_learn(account, TRAIT_COPY_IF_MATCH, true);
		return false;
	}
	if (*error == 0)
		account_learn(account, TRAIT_COPY_IF_MATCH, false);
	/* With a condition on the destination too this 412 may be its own: the next answer tells. */
	if (*error != -ESTALE && *error != -EEXIST)
		return false;
	if (atomic_load(&job->stopped)) {
		*error = -ECANCELED;
		return false;
	}
	item->probe = ITEM_PROBED;
	item_send(item);
	return true;
}

/* The condition on the destination.  However it ends, the copy is there. */
static void probe_create(struct job_item *item, int *error)
{
	struct job *job = item->lane->job;
	struct account *account = job->options.account;
	if (*error == 0) {
		if (account_trait(account, TRAIT_COPY_CREATE) == TRAIT_UNKNOWN)
			account_learn(account, TRAIT_COPY_CREATE, false);
		return;
	}
	if (*error == -EEXIST)
		account_learn(account, TRAIT_COPY_CREATE, true);
	memcpy(item->copy.etag, job->probed.etag, sizeof(item->copy.etag));
	memcpy(item->copy.version_id, job->probed.version_id, sizeof(item->copy.version_id));
	item->copy.mtime = job->probed.mtime;
	*error = 0;
}

/* True when the item goes on with another request. */
static bool probe_step(struct job_item *item, int *error)
{
	struct job *job = item->lane->job;
	if (item->probe == ITEM_PLAIN)
		return false;
	if (item->probe == ITEM_PROBE_CREATE) {
		probe_create(item, error);
		return false;
	}
	if (probe_match(item, error))
		return true;
	if (*error != 0 || !create_is_unknown(job))
		return false;
	memcpy(job->probed.etag, item->copy.etag, sizeof(item->copy.etag));
	memcpy(job->probed.version_id, item->copy.version_id, sizeof(item->copy.version_id));
	job->probed.mtime = item->copy.mtime;
	item->probe = ITEM_PROBE_CREATE;
	item_send(item);
	return true;
}

static void item_done(struct copy *copy, const struct s3_answer *answer)
{
	struct job_item *item = copy->user;
	struct lane *lane = item->lane;
	int error = copy->error;
	if (probe_step(item, &error))
		return;
	/* The batch that goes back may be the job's last. */
	struct job *job = job_ref(lane->job);
	if (item->probe != ITEM_PLAIN)
		atomic_store(&job->probe, PROBE_OFF);
	item_report(item, error, answer);
	item_leave(item);
	tree_copy_pump(lane);
	job_unref(job);
}

static int item_prepare(struct lane *lane, struct job_page *batch, struct job_item **ret)
{
	struct job_item *item = item_take(lane);
	if (!item)
		return -ENOMEM;
	item->batch = batch;
	item->entry = batch->at - 1;
	item->copy.etag[0] = '\0';
	item->copy.ambiguous = false;
	item->copy.key = STR_NONE;
	item->probe = ITEM_PLAIN;
	*ret = item;
	return tree_key(item, item_entry(item)->key);
}

bool tree_wants(struct job *job, const struct page_entry *entry)
{
	const struct job_options *o = &job->options;
	struct job_event event = {.step = JOB_FOUND, .source_key = entry->key, .entry = entry};
	if (o->exclude_prefix.len > 0 && str_has_prefix(entry->key, o->exclude_prefix))
		return false;
	atomic_fetch_add(&job->found, 1);
	if ((o->want && !o->want(o->user, entry)) ||
		(job->kind == JOB_COPY && tree_is_top_marker(job, entry->key, entry->size))) {
		atomic_fetch_add(&job->skipped, 1);
		event.step = JOB_SKIPPED;
	}
	job_tell(job, &event);
	return event.step == JOB_FOUND && (o->flags & JOB_DRY_RUN) == 0;
}

/* A move's source that no copy has to be made of: it is deleted with the others. */
static void copy_none(struct job_page *batch, unsigned entry)
{
	struct job *job = batch->lane->job;
	int error = tree_journal_no_copy(batch, entry);
	if (error != 0)
		tree_journal_fail(job, error);
}

/* Begins the copy of the batch's next entry; false where it has to wait. */
static bool copy_next(struct lane *lane, struct job_page *batch)
{
	struct job *job = lane->job;
	const struct page_entry *entry = &batch->page->entries[batch->at];
	if (job->kind == JOB_MOVE && tree_is_top_marker(job, entry->key, entry->size)) {
		if (tree_wants(job, entry))
			copy_none(batch, batch->at);
		batch->at++;
		return true;
	}
	bool large = tree_is_large(job, entry);
	if (large && lane->large >= LARGE_AT_ONCE)
		return false;
	bool probe = takes_probe(job, entry);
	batch->at++;
	struct job_item *item = NULL;
	int error = 0;
	bool wanted = tree_wants(job, entry);
	if (wanted)
		error = item_prepare(lane, batch, &item);
	if (!wanted || error != 0) {
		if (item) {
			item_report(item, error, NULL);
			item_give(item);
		} else if (error != 0) {
			tree_journal_refused(batch, batch->at - 1);
			job_fail(job,
				&(struct job_failure){.error = error, .what = "copy", .key = entry->key});
		}
		if (probe)
			atomic_store(&job->probe, PROBE_WANTED);
		return true;
	}
	item->large = large;
	lane->large += large;
	lane->active++;
	batch->active++;
	if (probe)
		item->probe = account_trait(job->options.account, TRAIT_COPY_IF_MATCH) == TRAIT_UNKNOWN
				      ? ITEM_PROBE_MATCH
				      : ITEM_PROBED;
	item_send(item);
	return true;
}

void tree_copy_pump(struct lane *lane)
{
	while (lane->first) {
		struct job_page *batch = lane->first;
		while (batch->at < batch->page->count && atomic_load(&lane->job->stopped))
			tree_journal_refused(batch, batch->at++);
		if (batch->at < batch->page->count) {
			if (lane->active >= lane->limit || !copy_next(lane, batch))
				return;
			continue;
		}
		lane->first = batch->next;
		if (!lane->first)
			lane->last = &lane->first;
		if (batch->active == 0)
			batch_back(batch);
	}
}

void tree_copy_add(struct lane *lane, struct job_page *batch)
{
	batch->next = NULL;
	*lane->last = batch;
	lane->last = &batch->next;
	tree_copy_pump(lane);
}

void tree_copy_stop(struct lane *lane)
{
	for (unsigned i = 0; i < lane->made; i++) {
		if (lane->items[i]->batch)
			copy_cancel(&lane->items[i]->copy);
	}
}
