/*
 * transfer_options: the options of cp, mv and rm, and the words that are left.
 *
 * transfer_options_init, transfer_options_parse once, transfer_options_release.  Texts are lent from argv.
 */
#ifndef FERRYFS_FS_CMD_TRANSFER_OPTIONS_H
#define FERRYFS_FS_CMD_TRANSFER_OPTIONS_H

#include "engine/job/job.h"
#include "fs/cmd/common_options.h"
#include "fs/cmd/filter.h"
#include "s3/headers.h"

/* Which objects are left out because the destination has them already. */
enum sync_mode {
	SYNC_NONE,
	SYNC_CHANGED, /* --sync: all but those of the same size and ETag, or of the same size and not older */
	SYNC_MISSING, /* --if-missing: only those the destination lacks */
	SYNC_NEWER, /* --if-newer: those it lacks, and those whose source is newer */
};

struct transfer_options {
	struct connect_options connect;
	bool recursive, dry_run, json, quiet, verbose;
	bool force; /* rm: nothing there is no failure */
	enum sync_mode sync;
	struct filter filter;
	struct copy_settings copy; /* headers points below where there are some */
	struct headers headers;
	unsigned list_streams;
	const char *journal; /* mv: NULL: the default place */
	/* private, until the end of parsing */
	bool replace_metadata, replace_tags;
	const char *metadata_directive, *tagging_directive;
	char why[ACCOUNT_WHY_MAX]; /* the last option's error, where it has a sentence */
};

enum transfer_parse { TRANSFER_RUN, TRANSFER_HELP, TRANSFER_WRONG };

void transfer_options_init(struct transfer_options *options);
void transfer_options_release(struct transfer_options *options);

/* TRANSFER_RUN: optind is the first word that is no option.  TRANSFER_WRONG: a sentence about the fault was printed. */
enum transfer_parse transfer_options_parse(
	struct transfer_options *options, enum job_kind kind, int argc, char **argv);

/* transfer_help.c: the help texts that cp, mv and rm share. */
extern const char help_transfer_options[], help_transfer_copy[], help_transfer_end[];

#endif
