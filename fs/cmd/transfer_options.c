#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "engine/object/object_option.h"
#include "fs/cmd/transfer_options.h"
#include "fs/cmd/cli.h"
#include "s3/parts.h"

enum {
	OPT_DRY_RUN = WORDS_OWN,
	OPT_JSON,
	OPT_INCLUDE,
	OPT_EXCLUDE,
	OPT_LIST_STREAMS,
	OPT_REQUEST_PAYER,
	OPT_COPY_ONLY, /* from here on not for rm */
	OPT_SYNC = OPT_COPY_ONLY,
	OPT_IF_MISSING,
	OPT_IF_NEWER,
	OPT_OBJECT, /* engine/object/object_option.h */
	OPT_METADATA_DIRECTIVE,
	OPT_METADATA,
	OPT_CONTENT, /* --content-type and its like: the header is the option's name */
	OPT_TAGGING_DIRECTIVE,
	OPT_TAGGING,
	OPT_NO_TAGS,
	OPT_PART_THRESHOLD,
	OPT_PART_SIZE,
	OPT_JOURNAL,
};

static const struct option long_options[] = {
	CONNECT_LONG_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{"recursive", no_argument, NULL, 'r'},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"dryrun", no_argument, NULL, OPT_DRY_RUN}, /* as aws spells it */
	{"json", no_argument, NULL, OPT_JSON},
	{"include", required_argument, NULL, OPT_INCLUDE},
	{"exclude", required_argument, NULL, OPT_EXCLUDE},
	{"list-streams", required_argument, NULL, OPT_LIST_STREAMS},
	{"request-payer", optional_argument, NULL, OPT_REQUEST_PAYER},
	{"sync", no_argument, NULL, OPT_SYNC},
	{"if-missing", no_argument, NULL, OPT_IF_MISSING},
	{"if-newer", no_argument, NULL, OPT_IF_NEWER},
	{"storage-class", required_argument, NULL, OPT_OBJECT},
	{"sse", optional_argument, NULL, OPT_OBJECT},
	{"sse-kms-key-id", required_argument, NULL, OPT_OBJECT},
	{"acl", required_argument, NULL, OPT_OBJECT},
	{"metadata-directive", required_argument, NULL, OPT_METADATA_DIRECTIVE},
	{"metadata", required_argument, NULL, OPT_METADATA},
	{"cache-control", required_argument, NULL, OPT_CONTENT},
	{"content-disposition", required_argument, NULL, OPT_CONTENT},
	{"content-encoding", required_argument, NULL, OPT_CONTENT},
	{"content-language", required_argument, NULL, OPT_CONTENT},
	{"content-type", required_argument, NULL, OPT_CONTENT},
	{"expires", required_argument, NULL, OPT_CONTENT},
	{"tagging-directive", required_argument, NULL, OPT_TAGGING_DIRECTIVE},
	{"tagging", required_argument, NULL, OPT_TAGGING},
	{"no-tags", no_argument, NULL, OPT_NO_TAGS},
	{"part-threshold", required_argument, NULL, OPT_PART_THRESHOLD},
	{"part-size", required_argument, NULL, OPT_PART_SIZE},
	{"journal", required_argument, NULL, OPT_JOURNAL},
	{NULL, 0, NULL, 0},
};

static const char *const command_names[] = {[JOB_COPY] = "cp", [JOB_MOVE] = "mv", [JOB_REMOVE] = "rm"};

void transfer_options_init(struct transfer_options *options)
{
	*options = (struct transfer_options){.copy = {.call_flags = CALL_BULK}};
	connect_init(&options->connect);
	headers_init(&options->headers);
}

void transfer_options_release(struct transfer_options *options)
{
	headers_release(&options->headers);
}

/* 0, -EINVAL, -EOVERFLOW or -ENOMEM. */
static int set_header(struct transfer_options *options, const char *name, const char *value)
{
	return headers_set(&options->headers, str_of(name), str_of(value));
}

/* "NAME=VALUE[,NAME=VALUE...]", as aws has it; a value ends at the next comma. */
static int set_metadata(struct transfer_options *options, const char *text)
{
	char name[128 + sizeof("x-amz-meta-")];
	const char *equals, *end;
	int error;

	options->replace_metadata = true;
	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, ',');
		equals = memchr(text, '=', (size_t)(end - text));
		if (!equals || equals == text || equals - text > 128)
			return -EINVAL;
		snprintf(name, sizeof(name), "x-amz-meta-%.*s", (int)(equals - text), text);
		error = headers_set(
			&options->headers, str_of(name), str_n(equals + 1, (size_t)(end - equals - 1)));
		if (error < 0)
			return error;
	}
	return 0;
}

/* "8M", "5GiB", "1048576". */
static int transfer_options_set_size(uint64_t *ret, const char *text, uint64_t max)
{
	static const char letters[] = "KMGT";
	unsigned long long number;
	const char *letter, *unit;
	unsigned shift = 0;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	unit = end;
	letter = *unit ? strchr(letters, *unit) : NULL;
	if (letter) {
		shift = 10 * (unsigned)(letter - letters + 1);
		unit++;
		if (strcmp(unit, "iB") == 0 || strcmp(unit, "B") == 0)
			unit = "";
	}
	if (errno || *unit || number == 0 || number > max >> shift)
		return -EINVAL;
	*ret = (uint64_t)number << shift;
	return 0;
}

/* AWS's bounds of a part, as mounts have them: of an object of 5 MiB or less it copies no range. */
static int set_part(uint64_t *ret, const char *name, const char *value, char *why)
{
	uint64_t size;

	if (transfer_options_set_size(&size, value, PARTS_MAX_SIZE) < 0 || size < PARTS_MIN_SIZE) {
		snprintf(why, ACCOUNT_WHY_MAX, "%s: '%.128s' is not a size from 5M to 5G", name, value);
		return -EINVAL;
	}
	*ret = size;
	return 0;
}

static int set_streams(unsigned *ret, const char *text)
{
	uint64_t number;

	if (transfer_options_set_size(&number, text, 256) < 0)
		return -EINVAL;
	*ret = (unsigned)number;
	return 0;
}

static int set_directive(const char **ret, const char *value)
{
	if (strcmp(value, "COPY") != 0 && strcmp(value, "REPLACE") != 0)
		return -EINVAL;
	*ret = value;
	return 0;
}

static int set_sync(struct transfer_options *options, enum sync_mode mode)
{
	if (options->sync != SYNC_NONE && options->sync != mode)
		return -EINVAL;
	options->sync = mode;
	return 0;
}

/* Options that become headers of the copies. */
static int set_copy_option(struct transfer_options *options, int which, const char *name, const char *value)
{
	switch (which) {
	case OPT_OBJECT:
		return object_option(&options->headers, name, value, options->why);
	case OPT_METADATA:
		return set_metadata(options, value);
	case OPT_CONTENT:
		options->replace_metadata = true;
		return set_header(options, name, value);
	case OPT_TAGGING:
		options->replace_tags = true;
		return set_header(options, "x-amz-tagging", value);
	case OPT_METADATA_DIRECTIVE:
		return set_directive(&options->metadata_directive, value);
	case OPT_TAGGING_DIRECTIVE:
		return set_directive(&options->tagging_directive, value);
	case OPT_PART_THRESHOLD:
		return set_part(&options->copy.part_threshold, name, value, options->why);
	case OPT_PART_SIZE:
		return set_part(&options->copy.part_size, name, value, options->why);
	case OPT_JOURNAL:
		options->journal = value;
		return value[0] == '/' ? 0 : -EINVAL;
	case OPT_NO_TAGS:
		options->copy.tags = COPY_TAGS_NO;
		return 0;
	default:
		return set_sync(options, which == OPT_SYNC	   ? SYNC_CHANGED
					 : which == OPT_IF_MISSING ? SYNC_MISSING
								   : SYNC_NEWER);
	}
}

static int transfer_options_set_option(
	struct transfer_options *options, int which, const char *name, const char *value)
{
	switch (which) {
	case 'r':
	case 'R': /* as cp(1) has it */
		options->recursive = true;
		return 0;
	case 'f':
		options->force = true;
		return 0;
	case 'q':
		options->quiet = true;
		return 0;
	case 'v':
		options->verbose = true;
		return 0;
	case OPT_DRY_RUN:
		options->dry_run = true;
		return 0;
	case OPT_JSON:
		options->json = true;
		return 0;
	case OPT_INCLUDE:
	case OPT_EXCLUDE:
		return filter_add(&options->filter, value, which == OPT_INCLUDE);
	case OPT_LIST_STREAMS:
		return set_streams(&options->list_streams, value);
	case OPT_REQUEST_PAYER:
		return connect_option(&options->connect, name, value, options->why);
	default:
		return set_copy_option(options, which, name, value);
	}
}

static const char *finish_directives(struct transfer_options *options)
{
	if (options->replace_metadata && !options->metadata_directive)
		options->metadata_directive = "REPLACE";
	if (options->replace_tags && !options->tagging_directive)
		options->tagging_directive = "REPLACE";
	if (options->replace_metadata && strcmp(options->metadata_directive, "COPY") == 0)
		return "--metadata-directive COPY keeps what --metadata and --content-... would replace";
	if (options->replace_tags && strcmp(options->tagging_directive, "COPY") == 0)
		return "--tagging-directive COPY keeps what --tagging would replace";
	if (options->copy.tags == COPY_TAGS_NO && options->tagging_directive &&
		(options->replace_tags || strcmp(options->tagging_directive, "COPY") == 0))
		return "--no-tags contradicts the other tagging options";
	/* CopyObject copies tags unless told otherwise: to leave them is to replace them by none. */
	if (options->copy.tags == COPY_TAGS_NO)
		options->tagging_directive = "REPLACE";
	if (options->metadata_directive &&
		set_header(options, "x-amz-metadata-directive", options->metadata_directive) < 0)
		return "too many headers";
	if (options->tagging_directive &&
		set_header(options, "x-amz-tagging-directive", options->tagging_directive) < 0)
		return "too many headers";
	return NULL;
}

#define INCLUDE_ALONE                                                                                        \
	"everything is taken to begin with, and --include takes back from an --exclude before it; "          \
	"did you mean --exclude '*' --include ...?"

/* The checks that need the whole command line.  NULL, or a sentence about the fault. */
static const char *transfer_options_finish(struct transfer_options *options, enum job_kind kind)
{
	int error = object_options_finish(&options->headers, options->why);
	const char *wrong;

	if (error < 0)
		return error == -EINVAL ? options->why : "too many headers";
	if (options->sync != SYNC_NONE && kind != JOB_COPY)
		return "--sync, --if-missing and --if-newer are for cp";
	if (options->sync != SYNC_NONE && !options->recursive)
		return "--sync, --if-missing and --if-newer need -r";
	if (options->journal && kind != JOB_MOVE)
		return "--journal is for mv";
	if (options->quiet && options->verbose)
		return "--quiet and --verbose contradict each other";
	if (kind != JOB_COPY && filter_begins_with_include(&options->filter))
		return INCLUDE_ALONE;
	wrong = finish_directives(options);
	if (wrong)
		return wrong;
	if (options->headers.count)
		options->copy.headers = &options->headers;
	return NULL;
}

/* Letters of cp(1), mv(1) and rm(1), and the options that do the same here. */
static const char *letter_hint(int letter)
{
	switch (letter) {
	case 'a':
		return "everything S3 has of an object is kept anyway; -r takes all below a prefix";
	case 'f':
		return "what is there is overwritten anyway";
	case 'n':
		return "--if-missing (with -r) leaves what is there";
	case 'p':
		return "metadata, content headers, tags and storage class are kept anyway";
	case 'u':
		return "--if-newer (with -r) copies what is newer";
	case 'i':
		return "nothing is asked; --dry-run shows what would be done";
	default:
		return NULL;
	}
}

static void refuse_letter(enum job_kind kind, int found, char **argv)
{
	int letter = found == 'f' ? found : found == '?' && optopt < WORDS_OWN ? optopt : 0;
	const char *hint = kind == JOB_REMOVE && letter != 'i' ? NULL : letter_hint(letter);

	if (hint)
		words_wrong(command_names[kind], "there is no -%c: %s", letter, hint);
	else
		words_unknown(command_names[kind], found, argv);
}

enum transfer_parse transfer_options_parse(
	struct transfer_options *options, enum job_kind kind, int argc, char **argv)
{
	const char *command = command_names[kind], *name, *wrong;
	int found, index = 0, r;

	opterr = 0;
	optind = 0; /* glibc: start over */
	while ((found = getopt_long(argc, argv, ":hrRqvf", long_options, &index)) != -1) {
		if (found == 'h')
			return TRANSFER_HELP;
		if (found == '?' || found == ':' || (found == 'f' && kind != JOB_REMOVE)) {
			refuse_letter(kind, found, argv);
			return TRANSFER_WRONG;
		}
		name = found >= WORDS_CONNECT ? long_options[index].name : "";
		if (found >= OPT_COPY_ONLY && kind == JOB_REMOVE) {
			words_wrong(command, "--%s is for cp and mv", name);
			return TRANSFER_WRONG;
		}
		if (found == WORDS_CONNECT) {
			if (!words_connect(&options->connect, command, name, optarg))
				return TRANSFER_WRONG;
			continue;
		}
		words_take(name, argc, argv);
		r = transfer_options_set_option(options, found, name, optarg);
		if (r == 0)
			continue;
		if (options->why[0])
			words_wrong(command, "--%s", options->why);
		else
			words_wrong(command, "--%s%s%s: %s", name, optarg ? " " : "", optarg ? optarg : "",
				r == -EINVAL ? "not a valid value" : strerror(-r));
		return TRANSFER_WRONG;
	}
	wrong = transfer_options_finish(options, kind);
	if (!wrong && filter_begins_with_include(&options->filter))
		words_failed(command, "warning: " INCLUDE_ALONE);
	if (!wrong)
		return TRANSFER_RUN;
	words_wrong(command, "%s", wrong);
	return TRANSFER_WRONG;
}
