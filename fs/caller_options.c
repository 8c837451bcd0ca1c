/*
 * Which options of GNU cp, mv and rm never make them pass over a file without saying so (coreutils 9.1, their
 * manuals).
 *
 * getopt_long permutes: an option may follow operands, until `--`.  It takes abbreviations of long options:
 * none is accepted here, since `--no-clob` is one.  A word that begins with `-` and is not on the list,
 * wherever it stands, makes the call not plain, which only costs speed.
 */
#include "fs/caller.h"

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

static bool long_plain(const struct tool_options *options, const char *word, bool *recursive)
{
	for (const char *const *known = options->words; *known; known++)
		if (strcmp(word, *known) == 0) {
			if (strcmp(word, "--recursive") == 0 || strcmp(word, "--archive") == 0)
				*recursive = true;
			return true;
		}
	for (const char *const *known = options->prefixes; *known; known++)
		if (strncmp(word, *known, strlen(*known)) == 0)
			return true;
	return false;
}

/* A cluster like -rvt: *takes_next when its argument is the next word. */
static bool cluster_plain(
	const struct tool_options *options, const char *word, bool *recursive, bool *takes_next)
{
	for (const char *letter = word + 1; *letter; letter++) {
		if (strchr(options->with_argument, *letter)) {
			*takes_next = !letter[1];
			return true;
		}
		if (!strchr(options->letters, *letter))
			return false;
		if (strchr(options->recursive, *letter))
			*recursive = true;
	}
	return true;
}

bool caller_options_plain(enum caller_tool tool, struct str cmdline, bool *ret_recursive)
{
	const struct tool_options *options = &options_of[tool];
	const char *word = cmdline.data, *end = cmdline.data + cmdline.len;
	bool recursive = false, takes_next = false;

	if (tool != CALLER_CP && tool != CALLER_MV && tool != CALLER_RM)
		return false;
	if (!cmdline.len || end[-1] != '\0')
		return false; /* cut off: what follows is not known */
	word += strlen(word) + 1;
	for (; word < end; word += strlen(word) + 1) {
		if (takes_next) {
			takes_next = false;
			continue;
		}
		if (word[0] != '-' || !word[1])
			continue;
		if (strcmp(word, "--") == 0)
			break;
		if (word[1] == '-' ? !long_plain(options, word, &recursive)
				   : !cluster_plain(options, word, &recursive, &takes_next))
			return false;
	}
	*ret_recursive = recursive;
	return true;
}
