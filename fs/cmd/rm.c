#include "fs/cmd/command.h"
#include "fs/cmd/transfer_run.h"
#include "fs/cmd/cli.h"

static const char help[] = "Usage: ferryfs rm [OPTION]... s3://BUCKET/KEY\n"
			   "       ferryfs rm -r [OPTION]... s3://BUCKET[/PREFIX]\n"
			   "\n"
			   "Removes objects, 1,000 a request with -r.  s3://a/x and s3://a/x/ with -r both "
			   "mean the keys that begin with \"x/\" (\"x/\"\n"
			   "itself, a directory marker, among them; neither \"x\" nor \"xy\").  Without -r "
			   "one object, which must exist.\n"
			   "  -f                         nothing found is no failure\n"
			   "\n"
			   "In a bucket with versions S3 writes delete markers; older versions stay.\n";

int cmd_rm(int argc, char **argv)
{
	const char *const texts[] = {
		help, help_transfer_options, words_connect_help, help_transfer_end, NULL};

	return run_command(JOB_REMOVE, texts, argc, argv);
}
