#include "fs/cmd/transfer_options.h"

const char help_transfer_copy[] =
	"\n"
	"What the copies get (otherwise what the source has):\n"
	"      --storage-class CLASS  STANDARD, STANDARD_IA, GLACIER_IR, ... (default: the source's)\n"
	"      --sse [AES256|aws:kms|aws:kms:dsse]  encrypt on the server (default AES256)\n"
	"      --sse-kms-key-id ID    with this KMS key; implies --sse aws:kms\n"
	"      --acl ACL              private, public-read, bucket-owner-full-control, ...\n"
	"      --metadata-directive COPY|REPLACE  keep the source's metadata, or replace all of it; the "
	"following imply REPLACE\n"
	"      --metadata NAME=VALUE[,NAME=VALUE]...  user metadata\n"
	"      --content-type TYPE, --cache-control TEXT, --content-disposition TEXT, --content-encoding "
	"TEXT,\n"
	"      --content-language TEXT, --expires DATE\n"
	"      --tagging-directive COPY|REPLACE  keep the source's tags, or replace them\n"
	"      --tagging 'A=B&C=D'    tags, encoded as in a URL; implies --tagging-directive REPLACE\n"
	"      --no-tags              leave the tags behind\n"
	"      --part-threshold SIZE  objects above it are copied in parts, several at once (at most 5GiB)\n"
	"      --part-size SIZE       size of a part (5MiB to 5GiB; grows where 10,000 parts would not "
	"suffice)\n";

const char help_transfer_options[] =
	"\n"
	"Options:\n"
	"  -r, --recursive            all keys below the prefix; nothing found there is an error\n"
	"      --include GLOB         take objects whose path below the prefix matches; * and ? match '/' as "
	"well\n"
	"      --exclude GLOB         leave them out; of several --include and --exclude the last that "
	"matches decides\n"
	"      --dry-run              list what would be done, change nothing\n"
	"      --json                 one JSON object a line on standard output: each object, then a summary "
	"(ferryfs(1))\n"
	"  -q, --quiet                print nothing but errors\n"
	"  -v, --verbose              print each object\n"
	"      --request-payer [requester]  agree to pay for requests to a requester-pays bucket\n"
	"      --list-streams N       most pages of a listing asked for at once\n"
	"  -h, --help                 this text\n";

const char help_transfer_end[] =
	"\n"
	"An object that fails does not stop the others; failures are listed at the end (the first 100, the "
	"rest counted).\n"
	"Ctrl-C begins nothing new, waits for what is on the wire, and says what was done.\n"
	"\n"
	"Exit status: 0 all done; 1 something failed or nothing was found; 2 wrong usage; 130 interrupted.\n";
