/*
 * ls: a listing on its way to standard output.
 *
 * The lister lives on a worker; its pages go to the main thread (`ready`), which shows them and gives each back (`spent`) for the
 * lister to use again.  A lister has at most LS_CREDITS_MAX pages under way, so both queues are arrays of that size, and a reader
 * that stops reading stops the listing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "engine/lister.h"
#include "fs/cmd/ls_line.h"
#include "fs/cmd/output.h"
#include "fs/cmd/place.h"
#include "fs/cmd/report.h"
#include "fs/cmd/words.h"

enum {
	LS_STREAMS = 8, /* 30 ms a page: 8 streams bring 266,000 keys a second, about what one core parses and shows */
	LS_CREDITS_MAX = 128,
	LS_BATCH = 16, /* lines appended per lock */
};

struct ls {
	struct connect_options connect;
	struct ls_style style;
	bool recursive, ordered;
	unsigned streams;
	struct s3_url url;
	struct waiter waiter;
	struct output output;
	struct engine *engine;
	struct account *account;
	struct worker *worker;
	struct task start, recycle, cancel;
	uint64_t shown;
	bool cancelled;

	pthread_mutex_t lock; /* protects all below */
	struct page *ready[LS_CREDITS_MAX], *spent[LS_CREDITS_MAX];
	unsigned ready_first, ready_count, spent_count;
	bool recycling; /* the task is posted */
	bool done;
	int error;
	struct s3_answer answer;
	struct lister *lister; /* worker thread only; NULL once done */
};

static const char help[] =
	"Usage: ferryfs ls [OPTION]... [s3://[BUCKET[/PREFIX]]]\n"
	"\n"
	"Without an address, or with s3:// alone, lists the buckets.  Otherwise the keys that begin with PREFIX up to the next '/', as\n"
	"'aws s3 ls' does: time of the last change, size, name; prefixes as 'PRE name/'.  s3://b/x shows \"x/\" and \"xy\";\n"
	"s3://b/x/ what is below \"x/\".\n"
	"\n"
	"Options:\n"
	"  -l                         storage class and ETag as well\n"
	"  -r, --recursive            all keys that begin with PREFIX, in full; several parts of the tree are listed at once, and\n"
	"                             come in any order\n"
	"      --ordered              (-r) in the order of the keys, one page after another\n"
	"      --list-streams N       (-r) most pages asked for at once (default 8)\n"
	"      --json                 one JSON object a line (ferryfs(1))\n"
	"      --request-payer [requester]  agree to pay for requests to a requester-pays bucket\n"
	"  -h, --help                 this text\n";

static const char help_end[] =
	"\n"
	"Control characters and bytes that are not UTF-8 are shown as \\xHH, a backslash as \\\\.\n"
	"\n"
	"Exit status: 0; 1 something failed or nothing begins with PREFIX; 2 wrong usage; 130 interrupted.\n";

enum { OPT_ORDERED = WORDS_OWN, OPT_JSON, OPT_STREAMS, OPT_PAYER };

static const struct option long_options[] = {
	CONNECT_LONG_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{"long", no_argument, NULL, 'l'},
	{"recursive", no_argument, NULL, 'r'},
	{"ordered", no_argument, NULL, OPT_ORDERED},
	{"json", no_argument, NULL, OPT_JSON},
	{"list-streams", required_argument, NULL, OPT_STREAMS},
	{"request-payer", optional_argument, NULL, OPT_PAYER},
	{NULL, 0, NULL, 0},
};

/* ---- worker ---- */

static void ls_page(void *user, struct page *page)
{
	struct ls *ls = user;

	pthread_mutex_lock(&ls->lock);
	ls->ready[(ls->ready_first + ls->ready_count) % LS_CREDITS_MAX] = page;
	ls->ready_count++;
	pthread_mutex_unlock(&ls->lock);
	waiter_wake(&ls->waiter);
}

static void ls_done(void *user, int error, const struct s3_answer *answer)
{
	struct ls *ls = user;

	ls->lister = NULL;
	pthread_mutex_lock(&ls->lock);
	ls->done = true;
	ls->error = error;
	if (answer)
		ls->answer = *answer;
	pthread_mutex_unlock(&ls->lock);
	waiter_wake(&ls->waiter);
}

static void ls_start(struct task *task, struct worker *worker)
{
	struct ls *ls = (struct ls *)((char *)task - offsetof(struct ls, start));
	unsigned streams = ls->ordered || !ls->recursive ? 1 : ls->streams;
	struct lister_options options = {
		.account = ls->account,
		.bucket = str_of(ls->url.bucket),
		.prefix = s3_url_key(&ls->url),
		.delimiter = ls->recursive ? STR_NONE : STR("/"),
		.streams = streams,
		.credits = 2 * streams + 2,
		.bulk = true,
		.on_page = ls_page,
		.on_done = ls_done,
		.user = ls,
	};
	int r = lister_start(worker, &options, &ls->lister);

	if (r < 0)
		ls_done(ls, r, NULL);
}

static void ls_recycle(struct task *task, struct worker *worker)
{
	struct ls *ls = (struct ls *)((char *)task - offsetof(struct ls, recycle));
	struct page *spent[LS_CREDITS_MAX];
	unsigned count;

	(void)worker;
	pthread_mutex_lock(&ls->lock);
	count = ls->spent_count;
	memcpy(spent, ls->spent, count * sizeof(spent[0]));
	ls->spent_count = 0;
	ls->recycling = false;
	pthread_mutex_unlock(&ls->lock);
	for (unsigned i = 0; i < count; i++) {
		if (ls->lister)
			lister_recycle(ls->lister, spent[i]);
		else
			page_free(spent[i]);
	}
}

static void ls_cancel(struct task *task, struct worker *worker)
{
	struct ls *ls = (struct ls *)((char *)task - offsetof(struct ls, cancel));

	(void)worker;
	if (ls->lister)
		lister_cancel(ls->lister);
}

/* ---- main thread ---- */

static void give_back(struct ls *ls, struct page *page)
{
	bool post;

	pthread_mutex_lock(&ls->lock);
	ls->spent[ls->spent_count++] = page;
	post = !ls->recycling;
	ls->recycling = true;
	pthread_mutex_unlock(&ls->lock);
	if (post)
		worker_post(ls->worker, &ls->recycle);
}

static void show_page(struct ls *ls, const struct page *page)
{
	struct buf *buf;

	for (unsigned i = 0; i < page->count;) {
		buf = output_begin_main(&ls->output);
		for (unsigned end = i + LS_BATCH; i < end && i < page->count; i++)
			ls_line(buf, &ls->style, &page->entries[i]);
		output_end(&ls->output);
	}
	ls->shown += page->count;
}

/* True when there was a page to show. */
static bool show_next(struct ls *ls)
{
	struct page *page = NULL;

	pthread_mutex_lock(&ls->lock);
	if (ls->ready_count) {
		page = ls->ready[ls->ready_first];
		ls->ready_first = (ls->ready_first + 1) % LS_CREDITS_MAX;
		ls->ready_count--;
	}
	pthread_mutex_unlock(&ls->lock);
	if (!page)
		return false;
	show_page(ls, page);
	give_back(ls, page);
	return true;
}

static bool is_done(struct ls *ls)
{
	bool done;

	pthread_mutex_lock(&ls->lock);
	done = ls->done && ls->ready_count == 0;
	pthread_mutex_unlock(&ls->lock);
	return done;
}

static void list_objects(struct ls *ls)
{
	ls->worker = engine_pick(ls->engine);
	ls->start.run = ls_start;
	ls->recycle.run = ls_recycle;
	ls->cancel.run = ls_cancel;
	worker_post(ls->worker, &ls->start);
	while (!is_done(ls)) {
		bool stop = waiter_interrupted(&ls->waiter);

		if (stop)
			output_stop(&ls->output);
		while (show_next(ls))
			;
		/* With nothing to show for the moment, what is there goes out: a reader sees pages as they come. */
		if (output_drain(&ls->output) < 0) {
			output_stop(&ls->output);
			stop = true;
		}
		if (stop && !ls->cancelled) {
			ls->cancelled = true;
			worker_post(ls->worker, &ls->cancel);
		}
		if (!is_done(ls) && ls->waiter.signals == 0 + (unsigned)stop * ls->waiter.signals)
			waiter_wait(&ls->waiter, -1, -1);
	}
}

static void list_buckets(struct ls *ls)
{
	struct page *page = NULL;
	struct call call;

	call_init(&call);
	call.account = ls->account;
	call.request = (struct s3_request){.op = S3_LIST_BUCKETS};
	ls->error = page_new(&page);
	if (ls->error < 0)
		return;
	call.sinks.page = page;
	ls->error = waiter_call(&ls->waiter, ls->engine, &call, &ls->answer);
	if (ls->error == 0)
		show_page(ls, page);
	page_free(page);
}

static int finish(struct ls *ls)
{
	struct buf text;
	int r = EXIT_OK;

	while (output_drain(&ls->output) == 0 && ls->output.written < ls->output.writing.len)
		;
	buf_init(&text, 8192);
	if (waiter_interrupted(&ls->waiter)) {
		r = EXIT_INTERRUPTED;
	} else if (ls->output.error || ls->output.truncated) {
		r = words_failed("ls", "standard output: %s",
			strerror(-(ls->output.error ? ls->output.error : ls->output.truncated)));
	} else if (ls->error) {
		if (ls->url.bucket[0]) {
			place_text(&text, str_of(ls->url.bucket), s3_url_key(&ls->url));
			buf_add_text(&text, ": ");
		}
		report_reason(&text, ls->error, ls->answer.error.code, ls->answer.request_id);
		r = words_failed("ls", "%s", buf_text(&text));
	} else if (ls->shown == 0 && ls->url.key_len) {
		place_text(&text, str_of(ls->url.bucket), s3_url_key(&ls->url));
		r = words_failed("ls", "nothing begins with %s", buf_text(&text));
	}
	buf_release(&text);
	return r;
}

static int run(struct ls *ls)
{
	char why[ACCOUNT_WHY_MAX] = "";
	int r = waiter_init(&ls->waiter);

	if (r < 0)
		return words_failed("ls", "%s", strerror(-r));
	if (connect_open(&ls->connect, &ls->engine, &ls->account, why) < 0) {
		waiter_release(&ls->waiter);
		return words_failed("ls", "%s", why);
	}
	pthread_mutex_init(&ls->lock, NULL);
	output_init(&ls->output, &ls->waiter, STDOUT_FILENO);
	ls->style.buckets = !ls->url.bucket[0];
	if (ls->style.buckets)
		list_buckets(ls);
	else
		list_objects(ls);
	r = finish(ls);
	engine_free(ls->engine); /* runs the recycling that is posted */
	account_unref(ls->account);
	output_release(&ls->output);
	pthread_mutex_destroy(&ls->lock);
	waiter_release(&ls->waiter);
	return r;
}

static bool take_option(struct ls *ls, int which)
{
	unsigned long number;
	char *end;

	switch (which) {
	case 'l':
		ls->style.is_long = true;
		return true;
	case 'r':
		ls->recursive = true;
		return true;
	case OPT_ORDERED:
		ls->ordered = true;
		return true;
	case OPT_JSON:
		ls->style.json = true;
		return true;
	case OPT_STREAMS:
		number = strtoul(optarg, &end, 10);
		if (*optarg < '1' || *optarg > '9' || *end || number > LS_CREDITS_MAX / 2 - 1)
			return false;
		ls->streams = (unsigned)number;
		return true;
	default:
		if (!optarg && optind > 0 && words_is_next("requester"))
			optind++;
		else if (optarg && strcmp(optarg, "requester"))
			return false;
		ls->connect.account.request_payer = true;
		return true;
	}
}

/* EXIT_OK, or the exit status when there is nothing more to do (help was asked for, something is wrong). */
static bool read_words(struct ls *ls, int argc, char **argv, int *ret_status)
{
	const char *const texts[] = {help, words_connect_help, help_end, NULL};
	char why[PLACE_WHY_MAX];
	int found, index = 0;

	opterr = 0;
	optind = 0;
	*ret_status = EXIT_USAGE;
	while ((found = getopt_long(argc, argv, ":hlr", long_options, &index)) != -1) {
		if (found == 'h') {
			*ret_status = words_help(texts);
			return false;
		}
		if (found == '?' || found == ':') {
			words_unknown("ls", found, argv);
			return false;
		}
		if (found == WORDS_CONNECT) {
			if (!words_connect(&ls->connect, "ls", long_options[index].name, optarg))
				return false;
		} else if (!take_option(ls, found)) {
			words_wrong("ls", "--%s %s: not a valid value", long_options[index].name, optarg);
			return false;
		}
	}
	if (argc - optind > 1) {
		words_wrong("ls", "takes one address");
		return false;
	}
	if (optind < argc && place_url(argv[optind], &ls->url, why) < 0) {
		words_wrong("ls", "%s", why);
		return false;
	}
	return true;
}

int cmd_ls(int argc, char **argv)
{
	struct ls *ls = calloc(1, sizeof(*ls));
	int status;

	if (!ls)
		return words_failed("ls", "%s", strerror(ENOMEM));
	ls->streams = LS_STREAMS;
	connect_init(&ls->connect);
	if (read_words(ls, argc, argv, &status)) {
		if (!ls->recursive) {
			const char *slash = memrchr(ls->url.key, '/', ls->url.key_len);

			ls->style.strip = slash ? (size_t)(slash - ls->url.key) + 1 : 0;
		}
		status = run(ls);
	}
	free(ls);
	return status;
}
