/*
 * connect: the options every command and mount has, and the engine and account made from them.
 *
 * Commands take them as --endpoint-url, mounts as -o endpoint_url=...: connect_option takes either spelling.
 */
#ifndef FERRYFS_FS_CMD_COMMON_OPTIONS_H
#define FERRYFS_FS_CMD_COMMON_OPTIONS_H

#include "engine/account/account.h"
#include "engine/wire/engine.h"
#include "engine/base/log.h"

struct connect_options {
	struct account_options account; /* texts lent: argv or a mount's option text */
	struct engine_options engine;
	enum log_level log_level; /* default LOG_LEVEL_WARNING */
	int log_fd; /* default STDERR_FILENO; -1: syslog */
	bool dumpable; /* the process may be debugged and dump core though it holds credentials */
};

void connect_init(struct connect_options *options);

/* Sets the option of this name ("endpoint-url" or "endpoint_url"; region profile no_sign_request addressing
 * workers inflight retries timeout connect_timeout ca_bundle no_verify_ssl request_payer dumpable log_level)
 * to value (NULL: a bare flag). 0; -ENOENT: not one of these; -EINVAL: a bad value, with a sentence in why
 * (ACCOUNT_WHY_MAX). */
int connect_option(struct connect_options *options, const char *name, const char *value, char *why);

/* Is word the value of an option that may also stand alone ("--request-payer requester")? */
bool connect_takes_word(const char *name, const char *word);

/* Opens the account and starts the engine; from then on the process holds credentials and dumps no core,
 * unless dumpable.  On failure the sentence in why. */
int connect_open(const struct connect_options *options, struct engine **ret_engine,
	struct account **ret_account, char *why);

#endif
