#include "fs/cmd/command.h"
#include "fs/cmd/transfer_run.h"
#include "fs/cmd/cli.h"

static const char help[] =
	"Usage: ferryfs mv [OPTION]... s3://BUCKET/KEY s3://BUCKET[/KEY|/PREFIX/]\n"
	"       ferryfs mv -r [OPTION]... s3://BUCKET[/PREFIX] s3://BUCKET[/PREFIX]\n"
	"\n"
	"Copies objects on the server as 'ferryfs cp' does, and deletes the sources once every copy has "
	"succeeded: when one fails,\n"
	"nothing is deleted and every object is still at its old place; the copies are removed again where "
	"nothing was at the\n"
	"destination before.  An object that has changed since its copy is not deleted.  Source and "
	"destination "
	"are named as\n"
	"for cp; a prefix cannot be moved below itself.  'ferryfs recover' settles a move that was cut off.\n"
	"\n"
	"      --journal DIR          where a move of a prefix is on record meanwhile (default: "
	"$FERRYFS_JOURNAL,\n"
	"                             /var/lib/ferryfs, or ~/.local/state/ferryfs)\n";

int cmd_mv(int argc, char **argv)
{
	const char *const texts[] = {
		help, help_transfer_options, help_transfer_copy, words_connect_help, help_transfer_end, NULL};

	return run_command(JOB_MOVE, texts, argc, argv);
}
