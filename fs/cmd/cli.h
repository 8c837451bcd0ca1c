/*
 * cli: the common part of all command lines: long options, complaints, and help.
 *
 * Main thread.
 */
#ifndef FERRYFS_FS_CMD_CLI_H
#define FERRYFS_FS_CMD_CLI_H

#include <getopt.h>
#include "fs/cmd/command.h"
#include "fs/cmd/common_options.h"

/* Values of long options that have no letter begin here; WORDS_CONNECT is one of CONNECT_LONG_OPTIONS. */
enum { WORDS_CONNECT = 256, WORDS_OWN };

/* For a command's struct option array, before its own. */
#define CONNECT_LONG_OPTIONS                                                                                 \
	{"endpoint-url", required_argument, NULL, WORDS_CONNECT},                                            \
		{"region", required_argument, NULL, WORDS_CONNECT},                                          \
		{"profile", required_argument, NULL, WORDS_CONNECT},                                         \
		{"no-sign-request", no_argument, NULL, WORDS_CONNECT},                                       \
		{"addressing", required_argument, NULL, WORDS_CONNECT},                                      \
		{"workers", required_argument, NULL, WORDS_CONNECT},                                         \
		{"inflight", required_argument, NULL, WORDS_CONNECT},                                        \
		{"retries", required_argument, NULL, WORDS_CONNECT},                                         \
		{"timeout", required_argument, NULL, WORDS_CONNECT},                                         \
		{"connect-timeout", required_argument, NULL, WORDS_CONNECT},                                 \
		{"ca-bundle", required_argument, NULL, WORDS_CONNECT},                                       \
		{"no-verify-ssl", no_argument, NULL, WORDS_CONNECT},                                         \
		{"dumpable", no_argument, NULL, WORDS_CONNECT},                                              \
	{                                                                                                    \
		"log-level", required_argument, NULL, WORDS_CONNECT                                          \
	}

/* The help text that goes with them. */
extern const char words_connect_help[];

/* Prints "ferryfs COMMAND: ..." and a hint at --help; returns EXIT_USAGE. */
int words_wrong(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints "ferryfs COMMAND: ..." to stderr; returns EXIT_SOME. */
int words_failed(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* getopt_long found something it does not know or that lacks its value (opterr is 0, optstring begins with
 * ':'); returns EXIT_USAGE. */
int words_unknown(const char *command, int found, char **argv);

/* After an option: when its value may be left out and was, and the next word is one that it may have, that
 * becomes optarg, as aws takes "--sse aws:kms". */
void words_take(const char *name, int argc, char **argv);

/* Prints texts, NULL at the end, to stdout; returns EXIT_OK, or EXIT_SOME where stdout takes nothing. */
int words_help(const char *const texts[]);

/* The name=value option getopt found goes to connect_option.  False when that was wrong (printed). */
bool words_connect(struct connect_options *options, const char *command, const char *name, const char *value);

#endif
