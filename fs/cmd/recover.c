/* ferryfs recover: settles interrupted work without a mount: moves are finished or undone, written content is stored. */
#include <errno.h>
#include <stdio.h>
#include "engine/job/recovery.h"
#include "fs/cmd/recover_staged.h"
#include "fs/cmd/cli.h"
#include "fs/host/journal_place.h"
#include "s3/escape.h"

static const char help[] =
	"Usage: ferryfs recover [OPTION]...\n"
	"\n"
	"Finishes or undoes moves of directories whose process ended before they did: those that had copied\n"
	"everything are finished, others are undone, and no object is deleted that has changed since, or "
	"whose\n"
	"counterpart is not there unchanged.  A mount does the same for its account when it begins.\n"
	"\n"
	"Then stores what was written to a mount and never stored, as its daemon was killed or could not: "
	"each\n"
	"onto the version that it was made of, or where nothing is; beside it, as KEY.recovered-TIME, where\n"
	"another object is by now.\n"
	"\n"
	"Left alone are moves that are under way, those that another machine began, and those of another\n"
	"service (content likewise); credentials are the ones given now, whoever began the move.\n"
	"\n"
	"      --dry-run              say what would be done, do nothing\n"
	"      --discard              remove written content that was never stored, instead of storing it\n"
	"      --journal DIR          where the journals lie (default: $FERRYFS_JOURNAL, /var/lib/ferryfs,\n"
	"                             or ~/.local/state/ferryfs)\n"
	"  -q, --quiet                say nothing but errors\n"
	"  -h, --help                 this text\n";

static const char help_end[] =
	"\n"
	"Exit status: 0 nothing is left to be recovered; 1 something is; 2 wrong usage.\n";

enum { OPT_DRY_RUN = WORDS_OWN, OPT_JOURNAL, OPT_DISCARD };

static const struct option long_options[] = {
	CONNECT_LONG_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{"quiet", no_argument, NULL, 'q'},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"discard", no_argument, NULL, OPT_DISCARD},
	{"journal", required_argument, NULL, OPT_JOURNAL},
	{NULL, 0, NULL, 0},
};

struct recover {
	struct connect_options connect;
	const char *journal;
	bool dry_run, quiet, discard;
	unsigned left; /* journals that stay, though nobody is at work on them */
};

static const char *outcome_word(enum recovery_outcome outcome, bool dry_run)
{
	switch (outcome) {
	case RECOVERY_FINISHED:
		return dry_run ? "would finish" : "finished";
	case RECOVERY_UNDONE:
		return dry_run ? "would undo" : "undone";
	case RECOVERY_KEPT:
		return dry_run ? "would leave at both places" : "left at both places";
	case RECOVERY_FAILED:
		return "failed";
	case RECOVERY_LIVE:
		return "under way";
	case RECOVERY_ALONE:
		return "left alone";
	case RECOVERY_DAMAGED:
		return "unusable";
	}
	return "";
}

static void put_side(struct buf *text, const struct journal_side *side)
{
	buf_add_text(text, "s3://");
	escape_text(text, side->bucket);
	buf_add_char(text, '/');
	escape_text(text, side->prefix);
}

/* One line: the outcome, the move, and the numbers behind it. */
static void on_result(void *user, const struct recovery_result *result)
{
	struct recover *recover = user;
	const struct journal_intent *intent = result->intent;
	bool stays = result->outcome == RECOVERY_FAILED || result->outcome == RECOVERY_ALONE ||
		     result->outcome == RECOVERY_DAMAGED;
	struct buf text;

	recover->left += stays || (recover->dry_run && result->outcome != RECOVERY_LIVE);
	if (recover->quiet && !stays)
		return;
	buf_init(&text, 16384);
	buf_addf(&text, "%s: ", outcome_word(result->outcome, recover->dry_run));
	if (intent) {
		put_side(&text, &intent->source);
		buf_add_text(&text, " -> ");
		put_side(&text, &intent->destination);
		buf_addf(&text, " (%llu of %llu copied", (unsigned long long)result->copied,
			(unsigned long long)result->keys);
		if (!recover->dry_run && !stays)
			buf_addf(&text, ", %llu deleted, %llu undone",
				(unsigned long long)result->progress.deleted,
				(unsigned long long)result->progress.undone);
		buf_add_char(&text, ')');
	} else {
		escape_text(&text, str_of(result->name));
	}
	if (result->why)
		buf_addf(&text, ": %s", result->why);
	if (intent && result->outcome == RECOVERY_ALONE) {
		buf_add_text(&text, ": machine ");
		escape_text(&text, intent->machine);
		buf_add_text(&text, ", service ");
		escape_text(&text, intent->source.service);
	}
	if (result->error)
		buf_addf(&text, ": %s", recovery_error_text(result));
	printf("%s\n", buf_text(&text));
	buf_release(&text);
}

static int recover_work(struct recover *recover, struct journal_dir *dir)
{
	struct account *account = NULL;
	struct engine *engine = NULL;
	char why[ACCOUNT_WHY_MAX] = "";

	if (connect_open(&recover->connect, &engine, &account, why) < 0)
		return words_failed("recover", "%s", why);
	const struct recovery_options options = {
		.engine = engine,
		.dir = dir,
		.accounts = &account,
		.account_count = 1,
		.any_credentials = true,
		.dry_run = recover->dry_run,
		.on_result = on_result,
		.user = recover,
	};
	int error = recovery_run(&options);
	struct recover_staged staged = {
		.engine = engine,
		.account = account,
		.dir = dir,
		.dry_run = recover->dry_run,
		.discard = recover->discard,
		.quiet = recover->quiet,
	};

	if (error == 0)
		error = recover_staged(&staged);
	recover->left += staged.left;
	engine_free(engine);
	account_unref(account);
	if (error < 0)
		return words_failed("recover", "%s: %s", journal_dir_path(dir), strerror(-error));
	if (fflush(stdout) == EOF)
		return words_failed("recover", "standard output: %s", strerror(errno));
	return recover->left ? EXIT_SOME : EXIT_OK;
}

static int recover_run(struct recover *recover)
{
	char why[JOURNAL_WHY_MAX] = "";
	struct journal_dir *dir = NULL;

	if (journal_place_open(recover->journal, &dir, why) < 0)
		return words_failed("recover", "%s", why);
	int status = recover_work(recover, dir);

	journal_dir_free(dir);
	return status;
}

int cmd_recover(int argc, char **argv)
{
	struct recover recover = {.journal = NULL};
	int found, index = 0;

	connect_init(&recover.connect);
	opterr = 0;
	while ((found = getopt_long(argc, argv, ":hq", long_options, &index)) != -1) {
		switch (found) {
		case 'h':
			return words_help((const char *const[]){help, words_connect_help, help_end, NULL});
		case 'q':
			recover.quiet = true;
			break;
		case OPT_DRY_RUN:
			recover.dry_run = true;
			break;
		case OPT_DISCARD:
			recover.discard = true;
			break;
		case OPT_JOURNAL:
			recover.journal = optarg;
			break;
		case WORDS_CONNECT:
			if (!words_connect(&recover.connect, "recover", long_options[index].name, optarg))
				return EXIT_USAGE;
			break;
		default:
			return words_unknown("recover", found, argv);
		}
	}
	if (optind < argc)
		return words_wrong("recover", "takes no address");
	return recover_run(&recover);
}
