/*
 * Lane: takes back the copies of a move that failed before its first delete.
 *
 * First every source of the whole journal is looked for (CHECK); if one is missing, another client is at work
 * on the tree and nothing is undone.  Then, page by page (UNDO), the source is looked at again, and a copy
 * goes only if its source is there unchanged and it is still the one that the copy's answer named: by its
 * version where the bucket keeps them, by its ETag as a condition where that is enforced, else by listing the
 * destination just before. JOB_CREATE_ONLY says that nothing was there before; without it there is no undo.
 *
 * A copy of which no answer is known (an attempt that was cut off, a crash) is looked for in the
 * destination's listing: it is ours if it has the ETag that our copy would have, the same size, and was made
 * since.  The ETag of parts, and of an object encrypted with KMS or a customer's key, is no MD5, and that of
 * a copy is another one: there size and time have to do (in a recovery not later than some minutes after the
 * journal was last written: a later one is another client's).  A listing does not show such encryption, so
 * two MD5s that differ are asked for by HEAD, one object after another (engine/object/compare.h): two real
 * ones are two contents.
 */
#include "engine/job/job_sweep.h"

#include <errno.h>

/* A page that could not be listed says nothing of its keys: the next recovery looks again. */
static void job_undo_look_failed(struct sweep *sweep, int error, const struct s3_answer *answer)
{
	struct job *job = sweep->batch->lane->job;
	atomic_store(&job->unsettled, true);
	job_fail(job, &(struct job_failure){
			      .error = error,
			      .what = "list",
			      .key = sweep_entry(sweep, 0).key,
			      .answer = answer,
		      });
}

void sweep_check(struct sweep *sweep, int error, const struct s3_answer *answer)
{
	struct job *job = sweep->batch->lane->job;
	bool gone = false;
	for (unsigned i = 0; i < sweep->count; i++)
		gone = gone || sweep->source[i] == SIGHT_GONE;
	if (error != 0) {
		atomic_store(&job->unlooked, true);
		job_undo_look_failed(sweep, error, answer);
	} else if (gone) {
		atomic_store(&job->source_gone, true);
	}
	sweep_end(sweep);
}

static void undo_done(struct purge *purge)
{
	struct sweep *sweep = purge->user;
	for (unsigned i = 0; i < sweep->key_count; i++) {
		const struct purge_key *key = &sweep->keys[i];
		int error = key->error == -ESTALE ? -EBUSY : key->error;
		if (error == 0)
			atomic_fetch_add(&sweep->batch->lane->job->undone, 1);
		const struct record_entry entry = sweep_entry_of(sweep, key);
		sweep_tell(sweep, JOB_UNDONE, &entry, key, error);
	}
	sweep_end(sweep);
}

/* A bucket that keeps no versions any more calls its one version "null": no name of its content. */
static bool has_version(const struct record_entry *entry)
{
	return entry->copy_version.len > 0 && !str_eq(entry->copy_version, STR("null"));
}

static bool may_go(const struct sweep *sweep, unsigned index)
{
	const struct record_entry entry = sweep_entry(sweep, index);
	if (sweep->source[index] != SIGHT_SAME)
		return false;
	if (entry.unknown)
		return sweep->seen_etag[index].len > 0 && sweep->target[index] == SIGHT_SAME;
	return has_version(&entry) || (entry.copy_etag.len > 0 && sweep->target[index] == SIGHT_SAME);
}

/* The condition of its delete. */
static struct str copy_etag(const struct sweep *sweep, unsigned index)
{
	const struct record_entry entry = sweep_entry(sweep, index);
	if (has_version(&entry))
		return STR_NONE;
	if (!entry.unknown)
		return entry.copy_etag;
	return str_n(buf_text(&sweep->seen) + sweep->seen_etag[index].at, sweep->seen_etag[index].len);
}

static int make_texts(struct sweep *sweep)
{
	const struct job_options *o = &sweep->batch->lane->job->options;
	for (unsigned i = 0; i < sweep->count; i++) {
		buf_add_str(&sweep->texts, o->prefix);
		buf_add_str(&sweep->texts, str_skip(sweep_entry(sweep, i).key, o->source_prefix.len));
	}
	return sweep->texts.error;
}

static void undo_fail(struct sweep *sweep, int error, const struct s3_answer *answer)
{
	job_undo_look_failed(sweep, error, answer);
	for (unsigned i = 0; i < sweep->count; i++) {
		const struct record_entry entry = sweep_entry(sweep, i);
		sweep_tell(sweep, JOB_UNDONE, &entry, NULL, error);
	}
	sweep_end(sweep);
}

static void undo_begin(struct sweep *sweep)
{
	const struct job_options *o = &sweep->batch->lane->job->options;
	const char *at = buf_text(&sweep->texts);
	for (unsigned i = 0; i < sweep->count; i++) {
		const struct record_entry entry = sweep_entry(sweep, i);
		struct str key = str_n(at, o->prefix.len + entry.key.len - o->source_prefix.len);
		at += key.len;
		if (may_go(sweep, i)) {
			sweep->keys[sweep->key_count++] = (struct purge_key){
				.key = key,
				.etag = copy_etag(sweep, i),
				.version = has_version(&entry) ? entry.copy_version : STR_NONE,
				.user = sweep_entry_user(i),
			};
		} else if (sweep->target[i] != SIGHT_GONE && !entry.unknown &&
			   !sweep_needs_no_copy(sweep, &entry)) {
			sweep_tell(sweep, JOB_UNDONE, &entry, NULL, -EBUSY);
		}
	}
	if (sweep->key_count == 0)
		sweep_end(sweep);
	else
		sweep_purge(sweep, sweep->key_count, undo_done);
}

static bool any_unknown(const struct sweep *sweep)
{
	for (unsigned i = 0; i < sweep->count; i++) {
		if (sweep_entry(sweep, i).unknown)
			return true;
	}
	return false;
}

static void doubts_ask(struct sweep *sweep);

static void doubt_settled(struct compare *compare, const struct s3_answer *answer)
{
	struct sweep *sweep = compare->user;
	if (compare->error != 0) {
		undo_fail(sweep, compare->error, answer);
		return;
	}
	sweep->target[sweep->doubt++] = compare->verdict == COMPARE_OPAQUE ? SIGHT_SAME : SIGHT_CHANGED;
	doubts_ask(sweep);
}

/* The next one in doubt; then the deletes. */
static void doubts_ask(struct sweep *sweep)
{
	const struct job_options *o = &sweep->batch->lane->job->options;
	const char *at = buf_text(&sweep->texts);
	for (unsigned i = 0; i < sweep->count; i++) {
		const struct record_entry entry = sweep_entry(sweep, i);
		struct str key = str_n(at, o->prefix.len + entry.key.len - o->source_prefix.len);
		at += key.len;
		if (i < sweep->doubt || sweep->target[i] != SIGHT_DOUBT)
			continue;
		sweep->doubt = i;
		sweep->compare = (struct compare){
			.first = {o->account, o->bucket, key, copy_etag(sweep, i)},
			.second = {o->source_account, o->source_bucket, entry.key, entry.etag},
			.call_flags = TREE_CALL_FLAGS,
			.on_done = doubt_settled,
			.user = sweep,
		};
		compare_start(sweep->batch->lane->worker, &sweep->compare);
		return;
	}
	undo_begin(sweep);
}

static void looked_at_target(void *user, int error, const struct s3_answer *answer)
{
	struct sweep *sweep = user;
	sweep->doubt = 0;
	if (error != 0)
		undo_fail(sweep, error, answer);
	else
		doubts_ask(sweep);
}

void sweep_undo(struct sweep *sweep, int error, const struct s3_answer *answer)
{
	const struct job_options *o = &sweep->batch->lane->job->options;
	if (error == 0)
		error = make_texts(sweep);
	if (error != 0) {
		undo_fail(sweep, error, answer);
	} else if (account_trait(o->account, TRAIT_DELETE_IF_MATCH) == TRAIT_YES && !any_unknown(sweep)) {
		memset(sweep->target, SIGHT_SAME, sweep->count);
		undo_begin(sweep);
	} else {
		sweep_look(sweep, true, looked_at_target);
	}
}
