/* ferryfs: finds the command that its words name. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include "fs/host/caller_helper.h"
#include "fs/cmd/command.h"
#include "s3/escape.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"mount", cmd_mount},
	{"umount", cmd_umount},
	{"status", cmd_status},
	{"cp", cmd_cp},
	{"mv", cmd_mv},
	{"rm", cmd_rm},
	{"ls", cmd_ls},
	{"recover", cmd_recover},
	{"bench", cmd_bench},
};

static const char help[] =
	"Usage: ferryfs COMMAND [OPTION]... [ADDRESS]...\n"
	"\n"
	"S3 buckets as directories, and copies and moves that the object store does itself.\n"
	"\n"
	"  ferryfs mount s3://[BUCKET[/PREFIX]] DIR     show a bucket or prefix, or all buckets, at a "
	"directory\n"
	"  ferryfs umount DIR                           end that, after what is pending was acknowledged\n"
	"  ferryfs status [DIR]                         what is mounted, and what is under way\n"
	"  ferryfs cp [-r] s3://... s3://...            copy an object, or all below a prefix\n"
	"  ferryfs mv [-r] s3://... s3://...            move them\n"
	"  ferryfs rm [-r] s3://...                     remove them\n"
	"  ferryfs ls [-l] [-r] [s3://...]              list buckets, prefixes, objects\n"
	"  ferryfs recover [--dry-run]                  finish or undo moves that were cut off by a crash\n"
	"  ferryfs bench s3://... s3://...              five ways to copy a prefix, side by side\n"
	"\n"
	"  ferryfs COMMAND --help                       all about one of them\n"
	"  ferryfs --help, ferryfs --version\n"
	"\n"
	"Exit status: 0; 1 something failed; 2 wrong usage; 130 interrupted.  See also ferryfs(1) and "
	"ferryfs(7).\n";

static int main_say(const char *text)
{
	if (fputs(text, stdout) != EOF && fflush(stdout) != EOF)
		return EXIT_OK;
	fprintf(stderr, "ferryfs: standard output: %s\n", strerror(errno));
	return EXIT_SOME;
}

static int unknown(const char *word)
{
	struct buf shown;

	buf_init(&shown, 4096);
	escape_text(&shown, str_of(word));
	fprintf(stderr, "ferryfs: unknown command '%s'\nTry 'ferryfs --help'.\n", buf_text(&shown));
	buf_release(&shown);
	return EXIT_USAGE;
}

/* "help cp" is "cp --help". */
static int help_about(char *word)
{
	char *argv[] = {word, (char[]){"--help"}, NULL};

	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(word, commands[i].name) == 0)
			return commands[i].run(2, argv);
	return unknown(word);
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	int status;

	if (caller_helper_main(argc, argv, &status))
		return status;
	/* "mount.ferryfs", "mount.fuse.ferryfs": cmd_mount sees by argv[0] that mount(8) called. */
	if (argc > 0 && strncmp(basename(argv[0]), "mount.", 6) == 0)
		return cmd_mount(argc, argv);
	if (!word) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(word, "help") == 0 && argc > 2)
		return help_about(argv[2]);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
		return main_say(help);
	/* mount.fuse(8), for fstab's fuse.ferryfs, says "ferryfs SOURCE DIR -o OPTIONS". */
	if (strncmp(word, "s3://", 5) == 0)
		return cmd_mount(argc, argv);
	if (strcmp(word, "--version") == 0)
		return main_say("ferryfs " FERRYFS_VERSION "\n");
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(word, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	return unknown(word);
}
