#include "engine/job/recovery.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "engine/account/account_name.h"
#include "engine/base/log.h"
#include "s3/escape.h"

enum { NAME_BYTES_MAX = 1024, TEXT_MAX = 8192 };

/* ---- the accounts of a journal ---- */

static bool matches(
	const struct recovery_options *options, struct account *account, const struct journal_side *side)
{
	struct buf text;
	buf_init(&text, NAME_BYTES_MAX);
	bool same = account_service_name(account, &text) == 0 && str_eq(buf_str(&text), side->service);
	if (same && !options->any_credentials) {
		buf_clear(&text);
		same = account_who_name(account, &text) == 0 && str_eq(buf_str(&text), side->who);
	}
	buf_release(&text);
	return same;
}

static struct account *find_account(const struct recovery_options *options, const struct journal_side *side)
{
	for (unsigned i = 0; i < options->account_count; i++) {
		if (matches(options, options->accounts[i], side))
			return options->accounts[i];
	}
	return NULL;
}

/* ---- the lines in the log ---- */

static void put_place(struct buf *text, const struct journal_side *side)
{
	buf_add_text(text, "s3://");
	escape_text(text, side->bucket);
	buf_add_char(text, '/');
	escape_text(text, side->prefix);
}

static const char *outcome_text(const struct recovery_result *result, bool dry_run)
{
	switch (result->outcome) {
	case RECOVERY_FINISHED:
		return dry_run ? "would be finished" : "finished";
	case RECOVERY_UNDONE:
		return dry_run ? "would be undone" : "undone";
	case RECOVERY_KEPT:
		return dry_run ? "would be left as it is, at both places" : "left as it is, at both places";
	case RECOVERY_FAILED:
		return "not settled, to be tried again";
	case RECOVERY_LIVE:
		return "under way";
	case RECOVERY_ALONE:
		return "left alone";
	case RECOVERY_DAMAGED:
		return "unusable, left alone";
	}
	return "";
}

const char *recovery_error_text(const struct recovery_result *result)
{
	if (result->error != -EBADMSG)
		return strerror(-result->error);
	if (!result->intent)
		return "the file is damaged where it says what was moved: nothing was done; look at source "
		       "and "
		       "destination, then remove the file";
	if (result->of_journal)
		return "the journal is damaged: what it does not say any more was left; look at source and "
		       "destination, then remove the file";
	return "the service's answer makes no sense (is there a portal or proxy before it?)";
}

static void put_result(struct buf *text, const struct recovery_result *result, bool dry_run)
{
	const struct job_progress *p = &result->progress;
	if (result->intent) {
		buf_add_text(text, "move of ");
		put_place(text, &result->intent->source);
		buf_add_text(text, " to ");
		put_place(text, &result->intent->destination);
		buf_add_text(text, ": ");
	}
	buf_add_text(text, outcome_text(result, dry_run));
	if (result->why)
		buf_addf(text, ": %s", result->why);
	if (result->outcome == RECOVERY_FINISHED && !dry_run)
		buf_addf(text, ", %llu sources deleted", (unsigned long long)p->deleted);
	if (result->outcome == RECOVERY_UNDONE && !dry_run)
		buf_addf(text, ", %llu copies removed", (unsigned long long)p->undone);
	if (result->error != 0)
		buf_addf(text, " (%s)", recovery_error_text(result));
	buf_add_text(text, "; journal ");
	escape_text(text, str_of(result->name));
}

static void recovery_tell(const struct recovery_options *options, const struct recovery_result *result)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	put_result(&text, result, options->dry_run);
	/* A move under way tells its own end. */
	if (result->outcome != RECOVERY_LIVE && !options->dry_run)
		log_text(LOG_LEVEL_WARNING, "recovery: %s", buf_text(&text));
	buf_release(&text);
	if (options->on_result)
		options->on_result(options->user, result);
}

/* ---- one ---- */

static enum recovery_outcome plan(const struct journal *journal)
{
	if (journal_all_copied(journal))
		return RECOVERY_FINISHED;
	return journal_intent(journal)->fresh || journal_empty(journal) ? RECOVERY_UNDONE : RECOVERY_KEPT;
}

static void log_failed(void *user, const struct job_event *event)
{
	const struct journal_intent *intent = user;
	bool undo = event->step == JOB_UNDONE;
	struct log_call line = {
		.what = "recover",
		.bucket = undo ? intent->destination.bucket : intent->source.bucket,
		.key = undo && event->key.data ? event->key : event->source_key,
		.error = event->error,
		.answer = event->answer,
		.consequence = undo ? "its copy stays" : "its source stays",
	};
	if (event->error != 0)
		log_call(LOG_LEVEL_WARNING, &line);
}

/* Takes the journal. */
static int start(const struct recovery_options *options, const struct job_options *job_options,
	struct journal *journal, struct job **ret)
{
	int error = -ECANCELED;
	if (options->gate)
		pthread_mutex_lock(options->gate);
	if (!options->closed || !*options->closed)
		error = job_resume(job_options, journal, ret);
	if (options->gate)
		pthread_mutex_unlock(options->gate);
	if (error != 0)
		journal_free(journal);
	return error;
}

/* The intent's texts, which go with the journal when the job ends, are copied. */
struct kept_intent {
	struct buf line;
	struct journal_intent intent;
};

static int keep_intent(struct kept_intent *kept, const struct journal_intent *intent)
{
	struct journal_line line;
	buf_init(&kept->line, JOURNAL_LINE_MAX + 1);
	int error = journal_put_intent(&kept->line, intent);
	if (error == 0)
		error = journal_parse(kept->line.data, kept->line.len - 1, &line);
	if (error == 0)
		kept->intent = line.intent;
	return error;
}

static void recovery_settle(const struct recovery_options *options, struct journal *journal,
	struct account *const accounts[2], struct recovery_result *result)
{
	struct kept_intent kept;
	struct job *job = NULL;
	int error = keep_intent(&kept, journal_intent(journal));
	result->intent = error == 0 ? &kept.intent : NULL;
	result->outcome = plan(journal);
	struct job_options job_options = {
		.engine = options->engine,
		.source_account = accounts[0],
		.account = accounts[1],
		.on_event = log_failed,
		.user = &kept.intent,
	};
	if (error == 0)
		error = start(options, &job_options, journal, &job);
	else
		journal_free(journal);
	if (error == 0) {
		error = job_wait(job);
		job_progress(job, &result->progress);
		struct job_error first;
		job_first_error(job, &first);
		result->of_journal = first.what && strcmp(first.what, "journal") == 0;
		job_unref(job);
	}
	result->error = error;
	if (result->progress.kept)
		result->outcome = RECOVERY_KEPT;
	if (!result->progress.settled)
		result->outcome = RECOVERY_FAILED;
	recovery_tell(options, result);
	result->intent = NULL;
	buf_release(&kept.line);
}

static void look_at(const struct recovery_options *options, struct journal *journal,
	const struct journal_self *self, struct recovery_result *result)
{
	const struct journal_intent *intent = result->intent = journal_intent(journal);
	struct account *accounts[2] = {
		find_account(options, &intent->source), find_account(options, &intent->destination)};
	bool alone = true;
	result->keys = journal_keys(journal);
	result->copied = journal_copied(journal);
	if (!str_eq(intent->machine, str_of(self->machine)))
		result->why = "another machine began it";
	else if (!accounts[0] || !accounts[1])
		result->why = "its account is not mounted here";
	else
		alone = false;
	if (!alone && !options->dry_run) {
		recovery_settle(options, journal, accounts, result);
		return;
	}
	result->outcome = alone ? RECOVERY_ALONE : plan(journal);
	recovery_tell(options, result);
	journal_free(journal);
}

static void recovery_take(
	const struct recovery_options *options, const char *name, const struct journal_self *self)
{
	struct recovery_result result = {.name = name, .outcome = RECOVERY_DAMAGED};
	struct journal *journal = NULL;
	int error = journal_open(options->dir, name, &journal);
	if (error == -ENOENT)
		return;
	if (error == 0) {
		look_at(options, journal, self, &result);
		return;
	}
	if (error == -EBUSY)
		result.outcome = RECOVERY_LIVE;
	else
		result.error = error;
	recovery_tell(options, &result);
}

int recovery_run(const struct recovery_options *options)
{
	struct journal_self self;
	char **names = NULL;
	int error = journal_dir_names(options->dir, &names);
	if (error != 0)
		return error;
	journal_self(&self);
	for (char **name = names; *name; name++) {
		if (options->closed) {
			pthread_mutex_lock(options->gate);
			bool closed = *options->closed;
			pthread_mutex_unlock(options->gate);
			if (closed)
				break;
		}
		recovery_take(options, *name, &self);
	}
	journal_names_free(names);
	return 0;
}
