#include "fs/cmd/command.h"
#include "fs/cmd/transfer_run.h"
#include "fs/cmd/cli.h"

static const char help[] = "Usage: ferryfs cp [OPTION]... s3://BUCKET/KEY s3://BUCKET[/KEY|/PREFIX/]\n"
			   "       ferryfs cp -r [OPTION]... s3://BUCKET[/PREFIX] s3://BUCKET[/PREFIX]\n"
			   "\n"
			   "Copies objects on the server; their bytes never come here.  Metadata, content "
			   "headers, tags and storage class are kept\n"
			   "unless an option says otherwise.\n"
			   "\n"
			   "Without -r one object.  A destination that is a bucket, or ends in '/', gets the "
			   "source's base name.\n"
			   "With -r the keys below a prefix: s3://a/x and s3://a/x/ both mean the keys that "
			   "begin with \"x/\" (\"x/\" itself, a\n"
			   "directory marker, among them; neither \"x\" nor \"xy\"), and s3://b/y and "
			   "s3://b/y/ both put them below \"y/\".  A\n"
			   "destination below the source is left out of what is copied.\n";

static const char help_sync[] =
	"\n"
	"Which objects, with -r:\n"
	"      --sync                 leave out objects whose destination has the same size and ETag, or the "
	"same size and is\n"
	"                             not older\n"
	"      --if-missing           only objects the destination does not have\n"
	"      --if-newer             those, and objects newer than the destination's\n";

int cmd_cp(int argc, char **argv)
{
	const char *const texts[] = {help, help_transfer_options, help_sync, help_transfer_copy,
		words_connect_help, help_transfer_end, NULL};

	return run_command(JOB_COPY, texts, argc, argv);
}
