#include "fs/cmd/command.h"
#include "fs/cmd/run.h"
#include "fs/cmd/words.h"

static const char help[] =
	"Usage: ferryfs mv [OPTION]... s3://BUCKET/KEY s3://BUCKET[/KEY|/PREFIX/]\n"
	"       ferryfs mv -r [OPTION]... s3://BUCKET[/PREFIX] s3://BUCKET[/PREFIX]\n"
	"\n"
	"Copies objects on the server as 'ferryfs cp' does, then deletes the sources: with -r only after every copy was answered, and\n"
	"only objects whose copy succeeded and that have not changed since.  Source and destination are named as for cp.  A\n"
	"prefix cannot be moved below itself.\n";


int cmd_mv(int argc, char **argv)
{
	const char *const texts[] = {help, help_transfer_options, help_transfer_copy, words_connect_help,
		help_transfer_end, NULL};

	return run_command(JOB_MOVE, texts, argc, argv);
}
