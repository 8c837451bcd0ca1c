#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "engine/wire/stats.h"
#include "fs/cmd/reason.h"
#include "fs/cmd/transfer_run.h"
#include "fs/cmd/cli.h"
#include "fs/host/journal_place.h"
#include "s3/escape.h"

static const char *const commands[] = {[JOB_COPY] = "cp", [JOB_MOVE] = "mv", [JOB_REMOVE] = "rm"};

bool run_wants(const struct run *run, struct str source_key)
{
	size_t base = run->source.key_len;

	if (run->options.filter.count == 0)
		return true;
	if (!run->options.recursive) /* one object's path is its name alone */
		for (base = source_key.len; base > 0 && source_key.data[base - 1] != '/'; base--)
			;
	return filter_wants(&run->options.filter, str_skip(source_key, base));
}

/* ---- while the work goes on ---- */

static void draw(struct run *run, const struct job_progress *now)
{
	struct progress_numbers numbers = {
		.verb = run->kind == JOB_COPY			 ? "copying"
			: run->kind == JOB_MOVE && now->deleting ? "moving, deleting"
			: run->kind == JOB_MOVE			 ? "moving, copying"
								 : "removing",
		.done = run->kind == JOB_REMOVE || now->deleting ? now->deleted : now->copied,
		.found = now->found,
		.failed = now->failed,
		.skipped = now->skipped,
		.bytes = now->bytes,
		.listed = now->listed,
	};
	struct stats stats;

	engine_stats(run->engine, &stats);
	numbers.retried = stats.retried;
	numbers.window = stats.window;
	progress_draw(&run->progress, &numbers);
}

static void interrupt(struct run *run, struct run_work *work)
{
	progress_erase(&run->progress);
	waiter_say_stopping(&run->waiter);
	work->cancel(work);
}

/* Asked a second time: nothing is waited for any more. */
static void cut_off(struct run *run)
{
	progress_erase(&run->progress);
	waiter_say_cut(&run->waiter);
	engine_cut(run->engine);
}

void run_attend(struct run *run, struct run_work *work)
{
	bool lines = run->report.json || run->report.lines;
	int ms = lines || run->progress.active ? PROGRESS_INTERVAL_MS : -1;
	struct job_progress now;
	bool told = false, cut = false;

	while (!atomic_load(&work->done)) {
		waiter_wait(&run->waiter, -1, ms);
		if (waiter_interrupted(&run->waiter) && !told) {
			told = true;
			interrupt(run, work);
		}
		if (run->waiter.signals > 1 && !cut) {
			cut = true;
			cut_off(run);
		}
		if (lines)
			progress_erase(&run->progress);
		if (lines && output_drain(&run->output) < 0)
			output_stop(&run->output);
		if (run->progress.active && !atomic_load(&work->done)) {
			work->progress(work, &now);
			draw(run, &now);
		}
	}
	progress_erase(&run->progress);
}

/* ---- a job ---- */

struct tree {
	struct run_work work;
	struct run *run;
	struct job *job;
};

static bool tree_want(void *user, const struct page_entry *entry)
{
	struct tree *tree = user;

	return run_wants(tree->run, entry->key);
}

static void tree_event(void *user, const struct job_event *event)
{
	struct tree *tree = user;

	report_event(&tree->run->report, event);
}

static void tree_done(void *user, struct job *job)
{
	struct tree *tree = user;
	struct waiter *waiter = &tree->run->waiter;

	(void)job;
	atomic_store(&tree->work.done, true); /* the tree may be gone from here on, the run is not */
	waiter_wake(waiter);
}

static void tree_cancel(struct run_work *work)
{
	job_cancel(((struct tree *)work)->job);
}

static void tree_progress(struct run_work *work, struct job_progress *ret)
{
	job_progress(((struct tree *)work)->job, ret);
}

static int tree_run(struct run *run)
{
	struct tree tree = {.work = {.cancel = tree_cancel, .progress = tree_progress}, .run = run};
	bool copies = run->kind != JOB_REMOVE;
	struct job_options options = {
		.engine = run->engine,
		.source_account = run->account,
		.account = run->account,
		.source_bucket = address_bucket(&run->source),
		.source_prefix = address_key(&run->source),
		.bucket = copies ? address_bucket(&run->destination) : STR_NONE,
		.prefix = copies ? address_key(&run->destination) : STR_NONE,
		.exclude_prefix = copies ? address_exclude(&run->source, &run->destination) : STR_NONE,
		.copy = &run->options.copy,
		.flags = JOB_KEEP_GOING | (run->options.dry_run ? JOB_DRY_RUN : 0) |
			 (run->fresh ? JOB_CREATE_ONLY | JOB_UNDO : 0),
		.journal = run->journal,
		.list_streams = run->options.list_streams,
		.want = run->options.filter.count ? tree_want : NULL,
		.on_event = tree_event,
		.on_done = tree_done,
		.user = &tree,
	};
	int error = job_start(run->kind, &options, &tree.job);

	if (error < 0)
		return error;
	run_attend(run, &tree.work);
	job_wait(tree.job);
	job_progress(tree.job, &run->done);
	job_first_error(tree.job, &run->error);
	job_unref(tree.job);
	if (run->kind == JOB_MOVE && !run->done.settled)
		run->told = words_failed(run->command, "the move is not settled: 'ferryfs recover' finishes "
						       "or undoes it when the service can be reached");
	return 0;
}

/* ---- before and after ---- */

/* A destination bucket that is missing would fail every object for itself.  Only a clear 404 counts:
 * HeadBucket needs a permission that copies don't. */
static bool destination_exists(struct run *run)
{
	struct s3_answer answer = {.status = 0};
	struct call call;

	if (run->kind == JOB_REMOVE || strcmp(run->source.bucket, run->destination.bucket) == 0)
		return true;
	call_init(&call);
	call.account = run->account;
	call.request = (struct s3_request){.op = S3_HEAD_BUCKET, .bucket = address_bucket(&run->destination)};
	if (waiter_call(&run->waiter, run->engine, &call, &answer) != -ENOENT)
		return true;
	words_failed(run->command, "no such bucket: s3://%s", run->destination.bucket);
	return false;
}

/* The work ended before its end, or could not begin: one line. */
static void tell_error(struct run *run, const struct job_error *error)
{
	struct buf text;

	buf_init(&text, 8192);
	if (error->what) {
		buf_add_text(&text, error->what);
		buf_add_char(&text, ' ');
	}
	address_text(&text, address_bucket(&run->source), address_key(&run->source));
	buf_add_text(&text, ": ");
	struct reason reason = reason_of_job(error, run->account);

	reason_text(&text, &reason);
	words_failed(run->command, "%s", buf_text(&text));
	buf_release(&text);
	run->told = true;
}

/* An object's failure was told as such.  What else ended the work: a listing, the record of a move; or, where
 * an object had failed before, only that the listing is not whole. */
static bool ended_early(const struct run *run)
{
	const struct job_error *error = &run->error;

	if (error->error == 0 || (waiter_interrupted(&run->waiter) && error->error == -ECANCELED))
		return false;
	return run->report.failed == 0 ||
	       (error->what && strcmp(error->what, "copy") != 0 && strcmp(error->what, "delete") != 0);
}

static void tell_empty(struct run *run)
{
	struct buf text;

	if (run->options.force)
		return;
	buf_init(&text, 8192);
	address_text(&text, address_bucket(&run->source), address_key(&run->source));
	words_failed(run->command, "no objects below %s", buf_text(&text));
	buf_release(&text);
	run->told = true;
}

static int finish_output(struct run *run)
{
	int error;

	do {
		error = output_drain(&run->output);
	} while (error == 0 && run->output.written < run->output.writing.len);
	if (error == 0)
		error = run->output.truncated;
	if (error == 0)
		return 0;
	run->told = true;
	return words_failed(run->command, "standard output: %s",
		error == -ETIMEDOUT ? "nobody takes it" : strerror(-error));
}

static int transfer_run_finish(struct run *run, double started)
{
	bool interrupted = waiter_interrupted(&run->waiter), early = ended_early(run);
	struct report_summary summary = {
		.progress = run->done,
		.seconds = progress_now() - started,
		.interrupted = interrupted,
		.quiet = run->options.quiet,
		.error = early ? &run->error : NULL,
	};
	bool empty = run->done.found == 0 && run->done.listed;
	struct stats stats;

	summary.progress.failed -= run->report.cancelled;
	engine_stats(run->engine, &stats);
	summary.retried = stats.retried;
	report_failures(&run->report);
	if (early)
		tell_error(run, &run->error);
	else if (!run->done.listed && !interrupted)
		run->told = words_failed(run->command, "the listing ended early: there may be more objects");
	else if (empty && !run->told)
		tell_empty(run);
	summary.quiet = summary.quiet || empty; /* that was said */
	report_summary(&run->report, &summary);
	finish_output(run);
	if (interrupted)
		return EXIT_INTERRUPTED;
	return run->told || run->report.failed || run->done.failed ? EXIT_SOME : EXIT_OK;
}

static int open_journal(struct run *run)
{
	char why[JOURNAL_WHY_MAX] = "";

	if (journal_place_open(run->options.journal, &run->journal, why) < 0)
		return words_failed(run->command, "nothing is moved: %s", why);
	return EXIT_OK;
}

/* A move onto nothing may be undone.  One key of the destination tells. */
static int look_at_destination(struct run *run)
{
	struct page *page = NULL;
	struct call call;
	int error = page_new(&page);

	call_init(&call);
	call.account = run->account;
	call.request = (struct s3_request){.op = S3_LIST_OBJECTS,
		.bucket = address_bucket(&run->destination),
		.prefix = address_key(&run->destination),
		.max_keys = 1};
	call.sinks.page = page;
	if (error == 0)
		error = waiter_call(&run->waiter, run->engine, &call, NULL);
	run->fresh = error == 0 && page->count == 0;
	page_free(page);
	return error;
}

/* The preparations for a move of a tree.  An exit status. */
static int prepare_move(struct run *run)
{
	int error = open_journal(run);

	if (error != EXIT_OK)
		return error;
	/* Credentials that may not list there can't undo either. */
	error = look_at_destination(run);
	return waiter_interrupted(&run->waiter) && error < 0 ? EXIT_INTERRUPTED : EXIT_OK;
}

static int transfer_run_work(struct run *run)
{
	double started = progress_now();
	int error;

	if (!destination_exists(run))
		return EXIT_SOME;
	if (run->kind == JOB_MOVE && run->options.recursive && !run->options.dry_run) {
		error = prepare_move(run);
		if (error != EXIT_OK)
			return error;
	}
	if (run->options.sync != SYNC_NONE)
		error = sync_run(run);
	else if (run->options.recursive)
		error = tree_run(run);
	else
		error = single_run(run);
	if (error < 0 && waiter_interrupted(&run->waiter))
		return EXIT_INTERRUPTED;
	if (error == -EINVAL)
		return words_failed(
			run->command, "source and destination overlap: it would never end, or lose objects");
	if (error < 0)
		return words_failed(run->command, "%s", strerror(-error));
	return transfer_run_finish(run, started);
}

/* The words that are no options.  False, with the exit status, when they will not do (printed). */
static bool transfer_run_read_places(struct run *run, int count, char **words, int *ret_status)
{
	int wanted = run->kind == JOB_REMOVE ? 1 : 2;
	bool recursive = run->options.recursive;
	char why[ADDRESS_WHY_MAX];
	int error;

	if (count != wanted) {
		*ret_status = words_wrong(run->command, "%s",
			wanted == 1 ? "needs one s3:// URL" : "needs a source and a destination");
		return false;
	}
	error = address_source(words[0], recursive, &run->source, why);
	if (error == 0 && wanted == 2)
		error = address_destination(words[1], recursive, &run->source, &run->destination, why);
	if (error == 0 && run->kind == JOB_MOVE)
		error = address_check_move(&run->source, &run->destination, recursive, why);
	if (error == 0)
		return true;
	if (error == -EINVAL)
		*ret_status = words_wrong(run->command, "%s", why);
	else
		*ret_status = words_failed(run->command, "%s", why);
	return false;
}

static void open_report(struct run *run)
{
	output_init(&run->output, &run->waiter, STDOUT_FILENO);
	run->report.kind = run->kind;
	run->report.bucket = address_bucket(&run->source);
	run->report.destination = address_bucket(&run->destination);
	run->report.source_prefix = address_key(&run->source);
	run->report.destination_prefix = address_key(&run->destination);
	run->report.json = run->options.json;
	run->report.lines =
		!run->options.json && (run->options.verbose || (run->options.dry_run && !run->options.quiet));
	run->report.dry_run = run->options.dry_run;
	run->report.account = run->account;
	run->report.output = &run->output;
	report_init(&run->report);
	progress_open(&run->progress, STDERR_FILENO, run->options.quiet);
}

static int transfer_run_start(struct run *run)
{
	char why[ACCOUNT_WHY_MAX] = "";
	int error = waiter_init(&run->waiter);

	if (error < 0)
		return words_failed(run->command, "%s", strerror(-error));
	run->waiter.command = run->options.quiet ? NULL : run->command;
	if (connect_open(&run->options.connect, &run->engine, &run->account, why) < 0) {
		waiter_release(&run->waiter);
		return words_failed(run->command, "%s", why);
	}
	open_report(run);
	error = transfer_run_work(run);
	engine_free(run->engine);
	journal_dir_free(run->journal);
	sync_free(run->sync);
	account_unref(run->account);
	report_release(&run->report);
	output_release(&run->output);
	waiter_release(&run->waiter);
	return error;
}

int run_command(enum job_kind kind, const char *const help[], int argc, char **argv)
{
	struct run run = {.command = commands[kind], .kind = kind};
	int error = EXIT_USAGE;

	transfer_options_init(&run.options);
	switch (transfer_options_parse(&run.options, kind, argc, argv)) {
	case TRANSFER_HELP:
		error = words_help(help);
		break;
	case TRANSFER_WRONG:
		break;
	case TRANSFER_RUN:
		if (transfer_run_read_places(&run, argc - optind, argv + optind, &error))
			error = transfer_run_start(&run);
		break;
	}
	transfer_options_release(&run.options);
	return error;
}
