#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "fs/cmd/ls_list.h"
#include "fs/cmd/address.h"
#include "fs/cmd/reason.h"
#include "fs/cmd/transfer_report.h"
#include "fs/cmd/cli.h"

enum {
	STREAMS_DEFAULT = 8
}; /* 30 ms a page: 8 bring 266,000 keys a second, about what a core parses and shows */

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
	struct ls_list list;
};

static const char help[] =
	"Usage: ferryfs ls [OPTION]... [s3://[BUCKET[/PREFIX]]]\n"
	"\n"
	"Without an address, or with s3:// alone, lists the buckets.  Otherwise the keys that begin with "
	"PREFIX up to the next '/', as\n"
	"'aws s3 ls' does: time of the last change, size, name; prefixes as 'PRE name/'.  s3://b/x shows "
	"\"x/\" and \"xy\";\n"
	"s3://b/x/ what is below \"x/\".\n"
	"\n"
	"Options:\n"
	"  -l                         storage class and ETag as well\n"
	"  -r, --recursive            all keys that begin with PREFIX, in full; several parts of the tree "
	"are listed at once, and\n"
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

enum { BUCKETS_TOKEN_MAX = 8192 };

/* Keeps where the list goes on; -EBADMSG when it is where it was. */
static int ls_buckets_go_on(const struct page *page, char token[BUCKETS_TOKEN_MAX + 1])
{
	if (page->token.len == 0 || page->token.len > BUCKETS_TOKEN_MAX || str_eq(page->token, str_of(token)))
		return -EBADMSG;
	memcpy(token, page->token.data, page->token.len);
	token[page->token.len] = '\0';
	return 0;
}

static void ls_list_buckets(struct ls *ls)
{
	struct page *page = NULL;
	struct call call;

	char token[BUCKETS_TOKEN_MAX + 1] = "";

	ls->list.error = page_new(&page);
	while (ls->list.error == 0) {
		call_init(&call);
		call.account = ls->account;
		call.request = (struct s3_request){.op = S3_LIST_BUCKETS, .token = str_of(token)};
		call.sinks.page = page;
		ls->list.error = waiter_call(&ls->waiter, ls->engine, &call, &ls->list.answer);
		if (ls->list.error < 0)
			break;
		ls_list_show(&ls->list, page);
		if (!page->truncated)
			break;
		ls->list.error = ls_buckets_go_on(page, token);
	}
	page_free(page);
}

static int ls_finish(struct ls *ls)
{
	struct buf text;
	int error = EXIT_OK;

	while (output_drain(&ls->output) == 0 && ls->output.written < ls->output.writing.len)
		;
	buf_init(&text, 8192);
	if (waiter_interrupted(&ls->waiter)) {
		error = EXIT_INTERRUPTED;
	} else if (ls->output.error == -EPIPE) {
		error = EXIT_SOME; /* `| head`: no news to anybody */
	} else if (ls->output.error || ls->output.truncated) {
		error = words_failed("ls", "standard output: %s",
			strerror(-(ls->output.error ? ls->output.error : ls->output.truncated)));
	} else if (ls->list.error) {
		if (ls->url.bucket[0]) {
			address_text(&text, str_of(ls->url.bucket), s3_url_key(&ls->url));
			buf_add_text(&text, ": ");
		}
		struct reason reason = reason_of_answer(ls->list.error, &ls->list.answer, ls->account);

		reason_text(&text, &reason);
		error = words_failed("ls", "%s", buf_text(&text));
	} else if (ls->list.shown == 0 && ls->url.key_len) {
		address_text(&text, str_of(ls->url.bucket), s3_url_key(&ls->url));
		error = words_failed("ls", "nothing begins with %s", buf_text(&text));
	}
	buf_release(&text);
	return error;
}

static int ls_run(struct ls *ls)
{
	char why[ACCOUNT_WHY_MAX] = "";
	int error = waiter_init(&ls->waiter);

	if (error < 0)
		return words_failed("ls", "%s", strerror(-error));
	if (connect_open(&ls->connect, &ls->engine, &ls->account, why) < 0) {
		waiter_release(&ls->waiter);
		return words_failed("ls", "%s", why);
	}
	output_init(&ls->output, &ls->waiter, STDOUT_FILENO);
	ls->list.account = ls->account;
	ls->list.bucket = str_of(ls->url.bucket);
	ls->list.prefix = s3_url_key(&ls->url);
	ls->list.recursive = ls->recursive;
	ls->list.streams = ls->ordered || !ls->recursive ? 1 : ls->streams;
	ls->list.waiter = &ls->waiter;
	ls->list.output = &ls->output;
	ls->list.style = &ls->style;
	ls->style.buckets = !ls->url.bucket[0];
	if (ls->style.buckets)
		ls_list_buckets(ls);
	else
		ls_list_run(&ls->list, ls->engine);
	error = ls_finish(ls);
	engine_free(ls->engine);
	if (!ls->style.buckets)
		ls_list_release(&ls->list);
	account_unref(ls->account);
	output_release(&ls->output);
	waiter_release(&ls->waiter);
	return error;
}

static bool ls_take_option(struct ls *ls, int which)
{
	unsigned long number;
	char *end;

	switch (which) {
	case 'l':
		ls->style.is_long = true;
		return true;
	case 'r':
	case 'R':
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
		if (*optarg < '1' || *optarg > '9' || *end || number > LS_LIST_STREAMS_MAX)
			return false;
		ls->streams = (unsigned)number;
		return true;
	default:
		return false;
	}
}

/* False, with the exit status, when there is nothing more to do: help was asked for, something is wrong. */
static bool ls_read_words(struct ls *ls, int argc, char **argv, int *ret_status)
{
	const char *const texts[] = {help, words_connect_help, help_end, NULL};
	char why[ADDRESS_WHY_MAX];
	int found, index = 0;

	opterr = 0;
	optind = 0;
	*ret_status = EXIT_USAGE;
	while ((found = getopt_long(argc, argv, ":hlrR", long_options, &index)) != -1) {
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
			continue;
		}
		if (found == OPT_PAYER) {
			words_take(long_options[index].name, argc, argv);
			if (!words_connect(&ls->connect, "ls", long_options[index].name, optarg))
				return false;
			continue;
		}
		if (!ls_take_option(ls, found)) {
			words_wrong("ls", "--%s %s: not a valid value", long_options[index].name, optarg);
			return false;
		}
	}
	if (argc - optind > 1) {
		words_wrong("ls", "takes one address");
		return false;
	}
	if (optind < argc && address_url(argv[optind], &ls->url, why) < 0) {
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
	ls->streams = STREAMS_DEFAULT;
	connect_init(&ls->connect);
	if (ls_read_words(ls, argc, argv, &status)) {
		if (!ls->recursive) {
			const char *slash = memrchr(ls->url.key, '/', ls->url.key_len);

			ls->style.strip = slash ? (size_t)(slash - ls->url.key) + 1 : 0;
		}
		status = ls_run(ls);
	}
	free(ls);
	return status;
}
