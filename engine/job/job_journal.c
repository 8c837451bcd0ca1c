/*
 * The lines that a move writes into its journal, and their moments (journal.h explains the order).
 *
 *   home   the intent before the listing, a page's keys before it is handed out, "all copied"
 *   lane   the answers, some at a time; of a copy in parts its upload and its outcome to be, at once
 *
 * A copy that was refused for good, or never begun, is written as such: no object at its
 * destination is ours.  One that failed and may yet have taken effect gets no line.
 */
#include "engine/job/job_internal.h"

#include <errno.h>
#include <time.h>
#include "engine/account/account_name.h"

enum {
	NAME_MAX_BYTES = 1024, /* a service's URL, a profile's name */
	LINES_MAX = 8 << 20, /* a page of keys, or its answers */
	ANSWERS_AT_ONCE = 32, /* a write's cost shared by these; so many are unknown after a crash */
};

void tree_journal_fail(struct job *job, int error)
{
	job_fail(job,
		&(struct job_failure){.error = error, .what = "journal", .key = job->options.source_prefix});
}

/* ---- home ---- */

static int side_name(struct account *account, struct buf *texts, size_t ret_len[2])
{
	size_t at = texts->len;
	account_service_name(account, texts);
	ret_len[0] = texts->len - at;
	at = texts->len;
	account_who_name(account, texts);
	ret_len[1] = texts->len - at;
	return texts->error;
}

int tree_journal_open(struct job *job)
{
	const struct job_options *o = &job->options;
	unsigned fresh = JOB_CREATE_ONLY | JOB_UNDO;
	struct journal_self self;
	struct buf texts;
	size_t source[2], target[2];
	journal_self(&self);
	buf_init(&texts, 4 * NAME_MAX_BYTES);
	int error = side_name(o->source_account, &texts, source);
	if (error == 0)
		error = side_name(o->account, &texts, target);
	if (error == 0) {
		const char *at = buf_text(&texts);
		struct journal_intent intent = {
			.source = {str_n(at, source[0]), str_n(at + source[0], source[1]), o->source_bucket,
				o->source_prefix},
			.fresh = (o->flags & fresh) == fresh,
			.machine = str_of(self.machine),
			.boot = str_of(self.boot),
			.pid = self.pid,
			.pid_start = self.start,
			.time = (int64_t)time(NULL),
		};
		at += source[0] + source[1];
		intent.destination = (struct journal_side){
			str_n(at, target[0]), str_n(at + target[0], target[1]), o->bucket, o->prefix};
		error = journal_new(o->journal, &intent, &job->journal);
	}
	buf_release(&texts);
	return error;
}

static bool is_wanted(const struct job *job, const struct page_entry *entry)
{
	const struct job_options *o = &job->options;
	return !(o->exclude_prefix.len > 0 && str_has_prefix(entry->key, o->exclude_prefix)) &&
	       (!o->want || o->want(o->user, entry));
}

int tree_journal_page(struct job *job, struct job_page *batch)
{
	unsigned count = 0;
	struct buf lines;
	if (!job->journal)
		return 0;
	buf_init(&lines, LINES_MAX);
	for (unsigned i = 0; i < batch->page->count && lines.error == 0; i++) {
		const struct page_entry *entry = &batch->page->entries[i];
		if (!is_wanted(job, entry))
			continue;
		struct journal_line line = {
			.kind = JOURNAL_KEY,
			.index = i,
			.text = str_skip(entry->key, job->options.source_prefix.len),
			.etag = entry->etag,
			.time = entry->mtime,
			.nsec = entry->mtime_nsec,
			.size = entry->size,
			.large = tree_is_large(job, entry),
		};
		journal_put(&lines, &line);
		count++;
	}
	int64_t now = account_server_now(job->options.account);
	int error = lines.error;
	if (error == 0 && count > 0)
		error = journal_page(job->journal, buf_str(&lines), count, now, &batch->number);
	buf_release(&lines);
	return error;
}

int tree_journal_all_copied(struct job *job)
{
	return journal_write_all_copied(job->journal);
}

/* Its journal is of no more use, or a recovery's. */
void tree_journal_end(struct job *job)
{
	if (!job->journal)
		return;
	if (atomic_load(&job->unsettled)) {
		journal_free(job->journal);
		job->journal = NULL;
		return;
	}
	int error = journal_finish(job->journal);
	job->journal = NULL;
	/* A later recovery finds all as it should be. */
	if (error != 0)
		tree_journal_fail(job, error);
}

/* ---- lane ---- */

int tree_journal_flush(struct job_page *batch)
{
	struct job *job = batch->lane->job;
	int error = batch->lines.error;
	if (!job->journal || (error == 0 && batch->lines.len == 0))
		return 0;
	if (error == 0)
		error = journal_answers(job->journal, batch->number, buf_str(&batch->lines), batch->answers);
	buf_clear(&batch->lines);
	batch->answers = 0;
	return error;
}

static int put_answer(struct job_page *batch, const struct journal_line *line)
{
	int error = journal_put(&batch->lines, line);
	batch->answers += error == 0;
	if (error == 0 && batch->answers >= ANSWERS_AT_ONCE)
		error = tree_journal_flush(batch);
	return error;
}

int tree_journal_copied(struct job_item *item)
{
	struct job_page *batch = item->batch;
	const struct copy *copy = &item->copy;
	const struct page_entry *entry = &batch->page->entries[item->entry];
	struct journal_line line = {
		.kind = JOURNAL_COPIED,
		.page = (uint64_t)batch->number,
		.index = item->entry,
		.same_etag = str_eq(str_of(copy->etag), entry->etag),
		.etag = str_of(copy->etag),
		.text = str_of(copy->version_id),
		.time = copy->mtime,
	};
	return put_answer(batch, &line);
}

int tree_journal_no_copy(struct job_page *batch, unsigned entry)
{
	struct journal_line line = {
		.kind = JOURNAL_COPIED,
		.page = (uint64_t)batch->number,
		.index = entry,
		.etag = STR_NONE,
		.text = STR_NONE,
	};
	return put_answer(batch, &line);
}

void tree_journal_refused(struct job_page *batch, unsigned entry)
{
	struct job *job = batch->lane->job;
	if (!job->journal || batch->number == JOURNAL_NO_PAGE ||
		!is_wanted(job, &batch->page->entries[entry]))
		return;
	struct journal_line line = {
		.kind = JOURNAL_REFUSED,
		.page = (uint64_t)batch->number,
		.index = entry,
		.etag = STR_NONE,
	};
	journal_put(&batch->lines, &line);
}

int tree_journal_parts(struct copy *copy, const char *upload_id, const char *etag)
{
	struct job_item *item = copy->user;
	struct job_page *batch = item->batch;
	struct journal_line line = {
		.kind = upload_id ? JOURNAL_UPLOAD : JOURNAL_EXPECT,
		.page = (uint64_t)batch->number,
		.index = item->entry,
		.text = str_of(upload_id),
		.etag = str_of(etag),
	};
	struct buf text;
	buf_init(&text, JOURNAL_LINE_MAX);
	int error = journal_put(&text, &line);
	if (error == 0)
		error = journal_answers(item->lane->job->journal, batch->number, buf_str(&text), 0);
	buf_release(&text);
	return error;
}
