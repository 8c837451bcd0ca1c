#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "fs/cmd/common_options.h"
#include "fs/host/daemon.h"

enum {
	WORKERS_MAX = 256,
	INFLIGHT_MAX = 65536, /* a host has no more local ports towards one address */
	RETRIES_MAX = 100,
	SECONDS_MAX = 86400,
};

void connect_init(struct connect_options *options)
{
	*options = (struct connect_options){
		.engine = {.retries = UINT_MAX},
		.log_level = LOG_LEVEL_WARNING,
		.log_fd = STDERR_FILENO,
	};
}

/* Both spellings are one name: endpoint-url, endpoint_url. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

static int bad_value(char *why, const char *name, const char *value, const char *wanted)
{
	snprintf(why, ACCOUNT_WHY_MAX, "%.64s: '%.128s' is not %s", name, value, wanted);
	return -EINVAL;
}

static int common_options_set_text(const char **ret, const char *name, const char *value, char *why)
{
	if (!*value)
		return bad_value(why, name, value, "a value");
	*ret = value;
	return 0;
}

/* Digits only: strtoul alone would take "-1" and " 7". */
static bool parse_number(const char *text, unsigned max, unsigned *ret)
{
	unsigned long number;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || number > max)
		return false;
	*ret = (unsigned)number;
	return true;
}

static int set_number(
	unsigned *ret, const char *name, const char *value, unsigned min, unsigned max, char *why)
{
	char wanted[64];
	unsigned number;

	if (parse_number(value, max, &number) && number >= min) {
		*ret = number;
		return 0;
	}
	snprintf(wanted, sizeof(wanted), "a number from %u to %u", min, max);
	return bad_value(why, name, value, wanted);
}

/* Seconds, with up to three decimals, as milliseconds; 0 would mean "the default" to the engine and is
 * refused. */
static int common_options_set_seconds(unsigned *ret, const char *name, const char *value, char *why)
{
	const char *dot = strchr(value, '.');
	size_t whole = dot ? (size_t)(dot - value) : strlen(value);
	unsigned seconds = 0, milli = 0, scale = 100;
	char text[16];

	if (whole == 0 || whole >= sizeof(text))
		goto bad;
	memcpy(text, value, whole);
	text[whole] = '\0';
	if (!parse_number(text, SECONDS_MAX, &seconds))
		goto bad;
	for (const char *at = dot ? dot + 1 : ""; *at; at++, scale /= 10) {
		if (*at < '0' || *at > '9' || scale == 0)
			goto bad;
		milli += (unsigned)(*at - '0') * scale;
	}
	if (seconds == 0 && milli == 0)
		goto bad;
	*ret = seconds * 1000 + milli;
	return 0;
bad:
	return bad_value(why, name, value, "a number of seconds from 0.001 to 86400");
}

static int set_level(enum log_level *ret, const char *name, const char *value, char *why)
{
	static const char *const names[] = {"error", "warning", "info", "debug", "trace"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(value, names[i]) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	return bad_value(why, name, value, "one of error, warning, info, debug, trace");
}

static int set_addressing(const char **ret, const char *name, const char *value, char *why)
{
	if (strcmp(value, "auto") != 0 && strcmp(value, "path") != 0 && strcmp(value, "virtual") != 0)
		return bad_value(why, name, value, "one of auto, path, virtual");
	*ret = value;
	return 0;
}

enum connect_name {
	NAME_ENDPOINT_URL,
	NAME_REGION,
	NAME_PROFILE,
	NAME_ADDRESSING,
	NAME_WORKERS,
	NAME_INFLIGHT,
	NAME_RETRIES,
	NAME_TIMEOUT,
	NAME_CONNECT_TIMEOUT,
	NAME_CA_BUNDLE,
	NAME_LOG_LEVEL,
	NAME_REQUEST_PAYER, /* with a value or without */
	NAME_FLAGS, /* from here on without a value */
	NAME_NO_SIGN_REQUEST = NAME_FLAGS,
	NAME_NO_VERIFY_SSL,
	NAME_DUMPABLE,
	NAME_COUNT,
};

static const char *const names[NAME_COUNT] = {
	[NAME_ENDPOINT_URL] = "endpoint_url",
	[NAME_REGION] = "region",
	[NAME_PROFILE] = "profile",
	[NAME_ADDRESSING] = "addressing",
	[NAME_WORKERS] = "workers",
	[NAME_INFLIGHT] = "inflight",
	[NAME_RETRIES] = "retries",
	[NAME_TIMEOUT] = "timeout",
	[NAME_CONNECT_TIMEOUT] = "connect_timeout",
	[NAME_CA_BUNDLE] = "ca_bundle",
	[NAME_LOG_LEVEL] = "log_level",
	[NAME_NO_SIGN_REQUEST] = "no_sign_request",
	[NAME_NO_VERIFY_SSL] = "no_verify_ssl",
	[NAME_REQUEST_PAYER] = "request_payer",
	[NAME_DUMPABLE] = "dumpable",
};

static int set_engine_option(
	struct connect_options *options, enum connect_name which, const char *value, char *why)
{
	struct engine_options *engine = &options->engine;
	const char *name = names[which];

	switch (which) {
	case NAME_WORKERS:
		return set_number(&engine->workers, name, value, 1, WORKERS_MAX, why);
	case NAME_INFLIGHT:
		return set_number(&engine->inflight, name, value, 1, INFLIGHT_MAX, why);
	case NAME_RETRIES:
		return set_number(&engine->retries, name, value, 0, RETRIES_MAX, why);
	case NAME_TIMEOUT:
		return common_options_set_seconds(&engine->timeout_ms, name, value, why);
	case NAME_CONNECT_TIMEOUT:
		return common_options_set_seconds(&engine->connect_timeout_ms, name, value, why);
	case NAME_CA_BUNDLE:
		return common_options_set_text(&engine->ca_bundle, name, value, why);
	case NAME_NO_VERIFY_SSL:
		engine->no_verify_tls = true;
		return 0;
	default:
		return set_level(&options->log_level, name, value, why);
	}
}

static int common_options_set_option(
	struct connect_options *options, enum connect_name which, const char *value, char *why)
{
	struct account_options *account = &options->account;
	const char *name = names[which];

	switch (which) {
	case NAME_ENDPOINT_URL:
		return common_options_set_text(&account->endpoint_url, name, value, why);
	case NAME_REGION:
		return common_options_set_text(&account->region, name, value, why);
	case NAME_PROFILE:
		return common_options_set_text(&account->profile, name, value, why);
	case NAME_ADDRESSING:
		return set_addressing(&account->addressing, name, value, why);
	case NAME_NO_SIGN_REQUEST:
		account->no_sign_request = true;
		return 0;
	case NAME_REQUEST_PAYER:
		if (value && strcmp(value, "requester") != 0)
			return bad_value(why, name, value, "'requester', the only one who can be named");
		account->request_payer = true;
		return 0;
	case NAME_DUMPABLE:
		options->dumpable = true;
		return 0;
	default:
		return set_engine_option(options, which, value, why);
	}
}

int connect_option(struct connect_options *options, const char *name, const char *value, char *why)
{
	unsigned which = 0;

	while (which < NAME_COUNT && !same_name(name, names[which]))
		which++;
	if (which == NAME_COUNT)
		return -ENOENT;
	if (which >= NAME_FLAGS && value) {
		snprintf(why, ACCOUNT_WHY_MAX, "%.64s takes no value", name);
		return -EINVAL;
	}
	if (which < NAME_REQUEST_PAYER && !value) {
		snprintf(why, ACCOUNT_WHY_MAX, "%.64s needs a value", name);
		return -EINVAL;
	}
	return common_options_set_option(options, (enum connect_name)which, value, why);
}

bool connect_takes_word(const char *name, const char *word)
{
	return same_name(name, names[NAME_REQUEST_PAYER]) && strcmp(word, "requester") == 0;
}

int connect_open(const struct connect_options *options, struct engine **ret_engine,
	struct account **ret_account, char *why)
{
	struct engine_options engine_options = options->engine;
	struct account *account = NULL;
	struct engine *engine = NULL;
	const char *bundle;
	int error;

	log_open(options->log_fd, options->log_level);
	daemon_hide(options->dumpable);
	error = account_open(&options->account, &account, why);
	if (error < 0)
		return error;
	/* The engine's goes before each account's own. */
	bundle = engine_options.ca_bundle ? engine_options.ca_bundle : account_ca_bundle(account);
	if (bundle && access(bundle, R_OK) < 0) {
		error = -errno;
		snprintf(why, ACCOUNT_WHY_MAX, "CA bundle %.256s: %s", bundle, strerror(-error));
		goto out;
	}
	error = engine_new(&engine_options, &engine);
	if (error < 0) {
		snprintf(why, ACCOUNT_WHY_MAX, "the engine cannot start: %s", strerror(-error));
		goto out;
	}
	if (engine_options.no_verify_tls && account_endpoint(account)->tls)
		log_text(LOG_LEVEL_WARNING, "certificates are not verified: whoever is in between can read "
					    "and change everything");
	*ret_engine = engine;
	*ret_account = account;
	return 0;
out:
	account_unref(account);
	return error;
}
