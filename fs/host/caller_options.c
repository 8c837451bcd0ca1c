/*
 * Which options of GNU cp, mv and rm never make them pass over a file without saying so (coreutils 9.1, their
 * manuals).
 *
 * getopt_long permutes: an option may follow operands, until `--`.  It takes abbreviations of long options:
 * none is accepted here, since `--no-clob` is one.  A word that begins with `-` and is not on the list,
 * wherever it stands, makes the call not plain, which only costs speed.
 */
#include "fs/host/caller.h"

struct tool_options {
	const char *letters; /* without an argument */
	const char *with_argument; /* -t DIR */
	const char *recursive; /* which letters make it recursive */
	const char *const *words; /* long ones, whole */
	const char *const *prefixes; /* long ones with =VALUE */
};

static const char *const cp_words[] = {"--recursive", "--archive", "--force", "--verbose",
	"--no-target-directory", "--no-dereference", "--preserve", "--dereference", NULL};
static const char *const cp_prefixes[] = {"--preserve=", "--target-directory=", NULL};
static const char *const mv_words[] = {"--force", "--verbose", "--no-target-directory", NULL};
static const char *const mv_prefixes[] = {"--target-directory=", NULL};
static const char *const rm_words[] = {"--recursive", "--force", "--verbose", "--dir", NULL};
static const char *const no_prefixes[] = {NULL};

static const struct tool_options options_of[] = {
	[CALLER_CP] = {"rRapdfvTLP", "t", "rRa", cp_words, cp_prefixes},
	[CALLER_MV] = {"fvT", "t", "", mv_words, mv_prefixes},
	[CALLER_RM] = {"rRfvd", "", "rR", rm_words, no_prefixes},
};

/* A command line on its way through. */
struct options_reading {
	const struct tool_options *options;
	struct caller_words words;
	bool takes_next; /* the next word is an option's argument */
	bool targeted; /* -t: no operand is the destination */
	const char *last; /* operand; it may be the destination */
};

static bool long_plain(struct options_reading *reading, const char *word)
{
	const struct tool_options *options = reading->options;

	for (const char *const *known = options->words; *known; known++)
		if (strcmp(word, *known) == 0) {
			if (strcmp(word, "--recursive") == 0 || strcmp(word, "--archive") == 0)
				reading->words.recursive = true;
			if (strcmp(word, "--force") == 0)
				reading->words.forced = true;
			return true;
		}
	for (const char *const *known = options->prefixes; *known; known++)
		if (strncmp(word, *known, strlen(*known)) == 0) {
			if (strncmp(word, "--target", strlen("--target")) == 0)
				reading->targeted = true;
			return true;
		}
	return false;
}

/* A cluster like -rvt: its argument may be the next word. */
static bool cluster_plain(struct options_reading *reading, const char *word)
{
	const struct tool_options *options = reading->options;

	for (const char *letter = word + 1; *letter; letter++) {
		if (strchr(options->with_argument, *letter)) {
			reading->targeted = true;
			reading->takes_next = !letter[1];
			return true;
		}
		if (!strchr(options->letters, *letter))
			return false;
		if (strchr(options->recursive, *letter))
			reading->words.recursive = true;
		if (*letter == 'f')
			reading->words.forced = true;
	}
	return true;
}

static void add_source(struct caller_words *words, const char *operand)
{
	if (words->count < CALLER_SOURCES_MAX)
		words->sources[words->count] = operand;
	words->count++;
}

/* The one before it was no destination, then. */
static void take_operand(struct options_reading *reading, const char *word)
{
	if (reading->last)
		add_source(&reading->words, reading->last);
	reading->last = word;
}

bool caller_options_plain(enum caller_tool tool, struct str cmdline, struct caller_words *ret)
{
	struct options_reading reading = {.options = &options_of[tool]};
	const char *word = cmdline.data, *end = cmdline.data + cmdline.len;
	bool operands_only = false;

	if (tool != CALLER_CP && tool != CALLER_MV && tool != CALLER_RM)
		return false;
	if (!cmdline.len || end[-1] != '\0')
		return false; /* cut off: the rest is not known */
	word += strlen(word) + 1;
	for (; word < end; word += strlen(word) + 1) {
		if (reading.takes_next)
			reading.takes_next = false;
		else if (operands_only || word[0] != '-' || !word[1])
			take_operand(&reading, word);
		else if (strcmp(word, "--") == 0)
			operands_only = true;
		else if (word[1] == '-' ? !long_plain(&reading, word) : !cluster_plain(&reading, word))
			return false;
	}
	if (reading.last && reading.targeted)
		add_source(&reading.words, reading.last);
	*ret = reading.words;
	return true;
}
