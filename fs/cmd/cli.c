#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include "engine/object/object_option.h"
#include "fs/cmd/cli.h"
#include "s3/escape.h"

const char words_connect_help[] =
	"\n"
	"Service and credentials (otherwise from the environment and ~/.aws, as the AWS CLI has them):\n"
	"      --endpoint-url URL     the S3 service: http[s]://HOST[:PORT][/BASE]\n"
	"      --region NAME          region to sign for\n"
	"      --profile NAME         profile of ~/.aws/credentials and ~/.aws/config\n"
	"      --no-sign-request      send no credentials\n"
	"      --addressing STYLE     auto (default), path or virtual\n"
	"      --ca-bundle FILE       certificates to trust instead of the system's\n"
	"      --no-verify-ssl        accept any certificate\n"
	"      --dumpable             may be debugged and dump core, with the credentials in it\n"
	"\n"
	"Engine:\n"
	"      --workers N            threads, each with connections of its own (default: from the number of "
	"CPUs)\n"
	"      --inflight N           most requests on the wire at once for an account; fewer when the "
	"service says slow down\n"
	"      --retries N            further attempts for a request that failed for a passing reason\n"
	"      --timeout SECONDS      longest wait for an answer (default 60; copies get longer by their "
	"size)\n"
	"      --connect-timeout SECONDS  longest wait for a connection (default 10)\n"
	"      --log-level LEVEL      error, warning (default), info, debug or trace; to standard error\n";

static void cli_say(const char *command, const char *format, va_list args)
{
	fprintf(stderr, "ferryfs %s: ", command);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int words_wrong(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	cli_say(command, format, args);
	va_end(args);
	fprintf(stderr, "Try 'ferryfs %s --help'.\n", command);
	return EXIT_USAGE;
}

int words_failed(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	cli_say(command, format, args);
	va_end(args);
	return EXIT_SOME;
}

int words_unknown(const char *command, int found, char **argv)
{
	char letter[3] = {'-', (char)optopt, '\0'};
	/* optopt is 0 for an unknown long option, and its val for a long one without a value. */
	bool is_long = optopt == 0 || optopt >= WORDS_CONNECT || strncmp(argv[optind - 1], "--", 2) == 0;
	struct buf shown;

	buf_init(&shown, 4096);
	escape_text(&shown, str_of(is_long ? argv[optind - 1] : letter));
	if (found == ':')
		words_wrong(command, "option %s needs a value", buf_text(&shown));
	else
		words_wrong(command, "unknown option %s", buf_text(&shown));
	buf_release(&shown);
	return EXIT_USAGE;
}

void words_take(const char *name, int argc, char **argv)
{
	if (optarg || optind >= argc)
		return;
	if (object_option_takes_word(name, argv[optind]) || connect_takes_word(name, argv[optind]))
		optarg = argv[optind++];
}

int words_help(const char *const texts[])
{
	for (unsigned i = 0; texts[i]; i++)
		fputs(texts[i], stdout);
	if (fflush(stdout) == EOF)
		return words_failed("--help", "standard output: %s", strerror(errno));
	return EXIT_OK;
}

bool words_connect(struct connect_options *options, const char *command, const char *name, const char *value)
{
	char why[ACCOUNT_WHY_MAX];

	if (connect_option(options, name, value, why) == 0)
		return true;
	words_wrong(command, "--%s", why);
	return false;
}
