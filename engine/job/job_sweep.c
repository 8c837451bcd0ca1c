/*
 * Lane: deletes the sources of one page of the journal.
 *
 * First the destination is listed: a source with a copy that is not there any more, or is another object by
 * now, stays (-EBUSY). Another process that moves the same tree and undoes it, or a user, may have removed
 * it.  A source that was overwritten since it was copied is protected so: where conditions on copies and
 * deletes are enforced, each delete carries the ETag that was copied; anything less, and a recovery: its
 * range is listed again just before, and an object with another ETag or LastModified stays (-EBUSY).  The
 * ETag goes along in either case.
 *
 * The batch that is a probe sends its first key with an ETag that no object has.  Refused: enforced, and it
 * is sent again with the right one.  Deleted: not enforced, and it was the right object (the listing just
 * before says so).
 */
#include "engine/job/job_sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum {
	CLOCK_SLACK = 2, /* seconds: LastModified has whole ones, and the clock's offset is an estimate */
	COPY_TIME_MAX = 600, /* seconds: copies on the wire when its process ended are made by then */
};

static void delete_begin(struct sweep *sweep);

void sweep_end(struct sweep *sweep)
{
	struct job_page *batch = sweep->batch;
	buf_release(&sweep->texts);
	buf_release(&sweep->seen);
	free(sweep);
	batch->sweep = NULL;
	batch_back(batch);
}

struct record_entry sweep_entry(const struct sweep *sweep, unsigned index)
{
	struct str page = str_skip(buf_str(&sweep->batch->record), sweep->entries[index]);
	struct record_entry entry = {0};
	record_get(&page, &entry); /* it was read once already */
	return entry;
}

struct record_entry sweep_entry_of(const struct sweep *sweep, const struct purge_key *key)
{
	return sweep_entry(sweep, (unsigned)(uintptr_t)key->user);
}

bool sweep_needs_no_copy(const struct sweep *sweep, const struct record_entry *entry)
{
	return tree_is_top_marker(sweep->batch->lane->job, entry->key, entry->size);
}

void sweep_tell(struct sweep *sweep, enum job_step step, const struct record_entry *entry,
	const struct purge_key *key, int error)
{
	struct job *job = sweep->batch->lane->job;
	struct page_entry source = {
		.key = entry->key,
		.size = entry->size,
		.mtime = entry->mtime,
		.mtime_nsec = entry->mtime_nsec,
		.etag = entry->etag,
		.storage_class = STR(""),
	};
	struct s3_answer answer;
	struct job_event event = {.step = step, .error = error, .source_key = entry->key, .entry = &source};
	if (error != 0) {
		memset(&answer, 0, sizeof(answer));
		if (key) {
			answer.status = sweep->purge.status;
			memcpy(answer.error.code, key->code, sizeof(key->code));
			memcpy(answer.request_id, sweep->purge.request_id, sizeof(answer.request_id));
		}
		event.answer = &answer;
		atomic_fetch_add(&job->failed, 1);
		if (key && (key->whole || job_error_passes(error, key->code)))
			atomic_store(&job->unsettled, true);
	}
	if (step == JOB_UNDONE && key)
		event.key = key->key;
	job_tell(job, &event);
	if (error != 0)
		job_fail(job, &(struct job_failure){
				      .error = error,
				      .what = step == JOB_UNDONE ? "undo" : "delete",
				      .key = entry->key,
				      .answer = event.answer,
			      });
}

/* ---- looking ---- */

static struct str look_key(void *user, unsigned index)
{
	struct sweep *sweep = user;
	return str_skip(sweep_entry(sweep, index).key, sweep->batch->lane->job->options.source_prefix.len);
}

static void seen_source(void *user, unsigned index, const struct page_entry *entry)
{
	struct sweep *sweep = user;
	const struct record_entry record = sweep_entry(sweep, index);
	bool same = str_eq(record.etag, entry->etag) && record.mtime == entry->mtime &&
		    record.mtime_nsec == entry->mtime_nsec && record.size == entry->size;
	sweep->source[index] = same ? SIGHT_SAME : SIGHT_CHANGED;
}

/* May it have been made by a process that ended when the journal was last written? */
static bool is_in_time(const struct job *job, const struct page_entry *entry)
{
	if (!job->resumed)
		return true;
	int64_t ago = (int64_t)time(NULL) - journal_written(job->journal);
	return entry->mtime <= account_server_now(job->options.account) - ago + COPY_TIME_MAX;
}

/* No answer of the copy is known.  Its ETag is the source's unless one of the two is no MD5 (of parts,
 * encrypted with KMS or a customer's key): then size and time have to do. */
static enum sweep_sight sight_of_unknown(
	const struct job *job, const struct record_entry *record, const struct page_entry *entry)
{
	if (record->size != entry->size || entry->mtime + CLOCK_SLACK < record->copy_mtime)
		return SIGHT_CHANGED;
	if (str_eq(record->copy_etag, entry->etag))
		return SIGHT_SAME;
	if (!is_in_time(job, entry))
		return SIGHT_CHANGED;
	return compare_is_needed(record->copy_etag, entry->etag) ? SIGHT_DOUBT : SIGHT_SAME;
}

static void keep_seen_etag(struct sweep *sweep, unsigned index, struct str etag)
{
	sweep->seen_etag[index].at = (uint32_t)sweep->seen.len;
	if (buf_add_str(&sweep->seen, etag) == 0)
		sweep->seen_etag[index].len = (uint16_t)etag.len;
}

static void seen_target(void *user, unsigned index, const struct page_entry *entry)
{
	struct sweep *sweep = user;
	const struct record_entry record = sweep_entry(sweep, index);
	bool same = str_eq(record.copy_etag, entry->etag) && record.size == entry->size;
	if (record.unknown) {
		keep_seen_etag(sweep, index, entry->etag);
		sweep->target[index] = sight_of_unknown(sweep->batch->lane->job, &record, entry);
		return;
	}
	if (sweep->batch->phase == PHASE_UNDO)
		same = same && (record.copy_mtime == 0 || record.copy_mtime == entry->mtime);
	else if (record.copy_etag.len == 0)
		same = record.size == entry->size; /* it did not say */
	sweep->target[index] = same ? SIGHT_SAME : SIGHT_CHANGED;
}

void sweep_look(struct sweep *sweep, bool target,
	void (*on_done)(void *user, int error, const struct s3_answer *answer))
{
	const struct job_options *o = &sweep->batch->lane->job->options;
	struct look *look = &sweep->look;
	*look = (struct look){
		.account = target ? o->account : o->source_account,
		.bucket = target ? o->bucket : o->source_bucket,
		.prefix = target ? o->prefix : o->source_prefix,
		.count = sweep->count,
		.key = look_key,
		.on_seen = target ? seen_target : seen_source,
		.on_done = on_done,
		.user = sweep,
	};
	memset(target ? sweep->target : sweep->source, SIGHT_GONE, sweep->count);
	int err = look_start(sweep->batch->lane->worker, look);
	if (err != 0)
		on_done(sweep, err, NULL);
}

/* ---- deleting ---- */

void sweep_purge(struct sweep *sweep, unsigned count, void (*on_done)(struct purge *purge))
{
	const struct job_options *o = &sweep->batch->lane->job->options;
	bool undo = sweep->batch->phase == PHASE_UNDO;
	memset(&sweep->purge, 0, sizeof(sweep->purge));
	sweep->purge.account = undo ? o->account : o->source_account;
	sweep->purge.bucket = undo ? o->bucket : o->source_bucket;
	sweep->purge.keys = sweep->keys;
	sweep->purge.count = count;
	sweep->purge.call_flags = TREE_CALL_FLAGS;
	sweep->purge.on_done = on_done;
	sweep->purge.user = sweep;
	purge_start(sweep->batch->lane->worker, &sweep->purge);
}

static void tell_deleted(struct sweep *sweep, const struct record_entry *entry, const struct purge_key *key)
{
	struct job *job = sweep->batch->lane->job;
	int error = !key ? 0 : key->error == -ESTALE ? -EBUSY : key->error;
	if (error == 0)
		atomic_fetch_add(&job->deleted, 1);
	sweep_tell(sweep, JOB_DELETED, entry, key, error);
}

static void delete_done(struct purge *purge)
{
	struct sweep *sweep = purge->user;
	struct account *account = sweep->batch->lane->job->options.source_account;
	struct purge_key *first = &sweep->keys[0];
	if (sweep->probing) {
		sweep->probing = false;
		if (first->error == 0 || first->error == -ESTALE)
			account_learn(account, TRAIT_DELETE_IF_MATCH, first->error == -ESTALE);
		if (first->error == -ESTALE) {
			struct str etag = sweep_entry_of(sweep, first).etag;
			first->etag = etag.len > 0 ? etag : STR_NONE;
			sweep_purge(sweep, 1, delete_done);
			return;
		}
	}
	for (unsigned i = 0; i < sweep->key_count; i++) {
		const struct record_entry entry = sweep_entry_of(sweep, &sweep->keys[i]);
		tell_deleted(sweep, &entry, &sweep->keys[i]);
	}
	sweep_end(sweep);
}

static void delete_begin(struct sweep *sweep)
{
	/* A source that can't be told from its own copy, under another name. */
	bool doubt = sweep->batch->lane->job->doubt;
	sweep->key_count = 0;
	for (unsigned i = 0; i < sweep->count; i++) {
		const struct record_entry entry = sweep_entry(sweep, i);
		bool copied = sweep->target[i] == SIGHT_SAME && !(doubt && entry.copy_mtime <= entry.mtime);
		if (sweep->source[i] == SIGHT_GONE) {
			tell_deleted(sweep, &entry, NULL);
		} else if (sweep->source[i] == SIGHT_CHANGED ||
			   !(copied || sweep_needs_no_copy(sweep, &entry))) {
			sweep_tell(sweep, JOB_DELETED, &entry, NULL, -EBUSY);
		} else {
			sweep->keys[sweep->key_count++] = (struct purge_key){
				.key = entry.key,
				.etag = entry.etag.len > 0 ? entry.etag : STR_NONE,
				.mtime = entry.mtime,
				.user = sweep_entry_user(i),
			};
		}
	}
	if (sweep->key_count == 0) {
		sweep_end(sweep);
		return;
	}
	sweep->probing = sweep->batch->probe;
	if (sweep->probing)
		sweep->keys[0].etag = STR("ferryfs-probe");
	sweep_purge(sweep, sweep->key_count, delete_done);
}

/* Without the listing nothing is known, so nothing goes. */
static void job_sweep_look_failed(struct sweep *sweep, int error, const struct s3_answer *answer)
{
	struct job *job = sweep->batch->lane->job;
	atomic_store(&job->unsettled, true);
	job_fail(job, &(struct job_failure){
			      .error = error,
			      .what = "list",
			      .key = sweep_entry(sweep, 0).key,
			      .answer = answer,
		      });
	for (unsigned i = 0; i < sweep->count; i++) {
		const struct record_entry entry = sweep_entry(sweep, i);
		sweep_tell(sweep, JOB_DELETED, &entry, NULL, error);
	}
	sweep_end(sweep);
}

/* Do conditions alone protect the present objects? */
static bool is_protected(const struct sweep *sweep)
{
	const struct job_options *o = &sweep->batch->lane->job->options;
	/* Between a crash and its recovery anything may have happened, deletes of ours among it. */
	if (sweep->batch->lane->job->resumed || sweep->batch->lane->job->doubt ||
		account_trait(o->account, TRAIT_COPY_IF_MATCH) != TRAIT_YES ||
		account_trait(o->source_account, TRAIT_DELETE_IF_MATCH) != TRAIT_YES)
		return false;
	for (unsigned i = 0; i < sweep->count; i++) {
		if (sweep_entry(sweep, i).etag.len == 0)
			return false;
	}
	return true;
}

static void job_sweep_looked(void *user, int error, const struct s3_answer *answer);

/* The destination. */
static void looked_at_copies(void *user, int error, const struct s3_answer *answer)
{
	struct sweep *sweep = user;
	if (error != 0) {
		job_sweep_look_failed(sweep, error, answer);
	} else if (is_protected(sweep)) {
		memset(sweep->source, SIGHT_SAME, sweep->count);
		delete_begin(sweep);
	} else {
		sweep_look(sweep, false, job_sweep_looked);
	}
}

/* The source. */
static void job_sweep_looked(void *user, int error, const struct s3_answer *answer)
{
	struct sweep *sweep = user;
	enum job_phase phase = sweep->batch->phase;
	if (phase == PHASE_CHECK)
		sweep_check(sweep, error, answer);
	else if (phase == PHASE_UNDO)
		sweep_undo(sweep, error, answer);
	else if (error != 0)
		job_sweep_look_failed(sweep, error, answer);
	else
		delete_begin(sweep);
}

/* ---- the beginning ---- */

static int by_key(const void *a, const void *b, void *user)
{
	struct str left = str_skip(*(const struct str *)user, *(const uint32_t *)a);
	struct str right = str_skip(*(const struct str *)user, *(const uint32_t *)b);
	struct record_entry one = {0}, other = {0};
	record_get(&left, &one);
	record_get(&right, &other);
	return str_cmp(one.key, other.key);
}

static int job_sweep_read_page(struct sweep *sweep)
{
	struct str page = buf_str(&sweep->batch->record), left = page, before = STR_NONE;
	bool sorted = true; /* the journal is written in the listing's order */
	while (left.len > 0) {
		struct record_entry entry;
		size_t at = page.len - left.len;
		int error = sweep->count == DELETE_SET_MAX ? -EBADMSG : record_get(&left, &entry);
		if (error != 0)
			return error;
		sorted = sorted && (!before.data || str_cmp(before, entry.key) < 0);
		before = entry.key;
		sweep->entries[sweep->count++] = (uint32_t)at;
	}
	if (!sorted)
		qsort_r(sweep->entries, sweep->count, sizeof(sweep->entries[0]), by_key, &page);
	return sweep->count == 0 ? -EBADMSG : 0;
}

void tree_sweep_add(struct lane *lane, struct job_page *batch)
{
	struct job *job = lane->job;
	struct sweep *sweep = calloc(1, sizeof(*sweep));
	int error = -ENOMEM;
	/* Few and large requests from here on: the places of the copies make room for them. */
	call_trim(lane->worker);
	if (sweep) {
		sweep->batch = batch;
		batch->sweep = sweep;
		error = job_sweep_read_page(sweep);
	}
	if (error != 0) {
		if (batch->phase == PHASE_CHECK)
			atomic_store(&job->unlooked, true);
		atomic_store(&job->unsettled, true);
		tree_journal_fail(job, error);
		batch->sweep = NULL;
		free(sweep);
		batch_back(batch);
		return;
	}
	buf_init(&sweep->texts, (size_t)DELETE_SET_MAX * KEY_MAX);
	buf_init(&sweep->seen, (size_t)DELETE_SET_MAX * ETAG_MAX);
	if (batch->phase == PHASE_ABORT)
		sweep_abort(sweep);
	else if (batch->phase == PHASE_DELETE)
		sweep_look(sweep, true, looked_at_copies);
	else
		sweep_look(sweep, false, job_sweep_looked);
}
