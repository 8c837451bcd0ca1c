#include "tests/s3d/options.h"
#include "tests/s3d/request.h"
#include "tests/s3d/seed.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct parse {
	struct server *server;
	struct options *options;
};

enum {
	OPT_PORT = 256,
	OPT_PORT_FILE,
	OPT_CERT,
	OPT_KEY,
	OPT_KEY2,
	OPT_BUCKET,
	OPT_ALIAS,
	OPT_SEED,
	OPT_LATENCY,
	OPT_RATE,
	OPT_FAULT,
	OPT_WITH_PARENT,
	OPT_REDIRECT,
	OPT_SLOW_COPY,
	OPT_BAD_XML,
};

/* argp tells options apart by key: those that only set a switch are numbered behind OPT_SETTINGS. */
#define OPT_SETTINGS 1000

static const struct {
	const char *setting;
	const char *value; /* NULL: the option's argument */
} settings[] = {
	{"access-key", NULL},
	{"secret-key", NULL},
	{"session-token", NULL},
	{"region", NULL},
	{"domain", NULL},
	{"max-bytes", NULL},
	{"auth", "0"},
	{"anonymous", "1"},
	{"conditional-copy", "0"},
	{"conditional-delete", "0"},
	{"conditional-put", "0"},
	{"tagging", "0"},
	{"quoted-etag", "0"},
	{"encoding-type", "0"},
	{"versioning", "1"},
	{"strict-deletes", "1"},
	{"strict-parts", "1"},
	{"fine-times", "1"},
	{"late-heads", "1"},
	{"object-lock", "1"},
	{"marks", "0"},
};

static const struct argp_option table[] = {
	{NULL, 0, NULL, 0, "Listening (on 127.0.0.1 only)", 1},
	{"port", OPT_PORT, "N", 0, "Port; 0, the default, takes a free one", 0},
	{"port-file", OPT_PORT_FILE, "FILE", 0, "Write the port there once listening", 0},
	{"tls-cert", OPT_CERT, "FILE", 0, "Serve https with this certificate (PEM)", 0},
	{"tls-key", OPT_KEY, "FILE", 0, "and this key", 0},
	{"domain", OPT_SETTINGS + 4, "NAME", 0,
		"BUCKET.NAME in Host selects the bucket (path style works always)", 0},
	{"with-parent", OPT_WITH_PARENT, NULL, 0, "Stop when the parent process dies", 0},
	{NULL, 0, NULL, 0, "Who may ask", 2},
	{"access-key", OPT_SETTINGS + 0, "ID", 0, "Access key id (default: test)", 0},
	{"secret-key", OPT_SETTINGS + 1, "SECRET", 0, "Secret key (default: testsecret)", 0},
	{"session-token", OPT_SETTINGS + 2, "TOKEN", 0, "Session token that requests must carry", 0},
	{"key2", OPT_KEY2, "ID:SECRET[:GLOB]", 0, "A second account, refused for buckets that match GLOB", 0},
	{"region", OPT_SETTINGS + 3, "NAME", 0, "Region (default: us-east-1)", 0},
	{"redirect", OPT_REDIRECT, "301", 0,
		"Answer 301 to requests signed for another region than the bucket's (default: 400)", 0},
	{"no-auth", OPT_SETTINGS + 6, NULL, 0, "Check no signatures", 0},
	{"anonymous", OPT_SETTINGS + 7, NULL, 0, "Serve unsigned requests too", 0},
	{NULL, 0, NULL, 0, "What there is", 3},
	{"bucket", OPT_BUCKET, "NAME[@REGION]", 0, "Make a bucket", 0},
	{"alias", OPT_ALIAS, "NAME=BUCKET", 0,
		"A second name of a bucket, as an access point's alias or one of Garage's", 0},
	{"seed", OPT_SEED, "BUCKET[,prefix=P][,count=N][,size=S][,dirs=D][,depth=K]", 0,
		"Make objects; from 64 MiB on they are zeros and take no memory", 0},
	{"max-bytes", OPT_SETTINGS + 5, "N", 0, "Object bytes held at most (default: 4 GiB)", 0},
	{NULL, 0, NULL, 0, "Behaviour (also POST /_s3d/set?NAME=0 or 1)", 4},
	{"no-conditional-copy", OPT_SETTINGS + 8, NULL, 0, "Ignore x-amz-copy-source-if-*, as Ceph 16 does",
		0},
	{"no-conditional-delete", OPT_SETTINGS + 9, NULL, 0,
		"Ignore ETag in DeleteObjects and If-Match on DELETE", 0},
	{"no-conditional-put", OPT_SETTINGS + 10, NULL, 0,
		"Ignore If-None-Match and If-Match where something is written", 0},
	{"no-tagging", OPT_SETTINGS + 11, NULL, 0, "Answer 501 to tagging", 0},
	{"unquoted-etag", OPT_SETTINGS + 12, NULL, 0, "Write ETags without quotes", 0},
	{"no-encoding-type", OPT_SETTINGS + 13, NULL, 0, "Ignore encoding-type in listings", 0},
	{"bad-xml", OPT_BAD_XML, "raw|500", 0,
		"Listing of keys XML can't carry: ill-formed (default), or refused", 0},
	{"slow-copy-space", OPT_SLOW_COPY, "MS", OPTION_ARG_OPTIONAL,
		"A copy answers 200 and white space at once, and its result MS (200) milliseconds later", 0},
	{"strict-deletes", OPT_SETTINGS + 15, NULL, 0,
		"Answer 400 MalformedXML to an ETag in DeleteObjects, as OpenStack Swift does", 0},
	{"strict-parts", OPT_SETTINGS + 16, NULL, 0,
		"Answer 412 to any If-Match on the copy or delete of an object uploaded in parts, as Swift "
		"does",
		0},
	{"fine-times", OPT_SETTINGS + 17, NULL, 0,
		"Write milliseconds in listings and in the answers of copies, as MinIO and Ceph do", 0},
	{"late-heads", OPT_SETTINGS + 18, NULL, 0, "HEAD and GET say the next second, as Swift does", 0},
	{"object-lock", OPT_SETTINGS + 19, NULL, 0,
		"Refuse a put or part without Content-MD5 or x-amz-checksum-*, as buckets with Object Lock "
		"do",
		0},
	{"no-marks", OPT_SETTINGS + 20, NULL, 0,
		"Answer without x-amz-request-id and x-amz-id-2, as Cloudflare R2 does", 0},
	{"versioning", OPT_SETTINGS + 14, NULL, 0, "Keep versions and answer their ids", 0},
	{NULL, 0, NULL, 0,
		"Pace and faults (also POST /_s3d/set?latency.copy=MS&rate.put=N, POST /_s3d/fault)", 5},
	{"latency", OPT_LATENCY, "[OP=]MS", 0, "Time before a request is carried out", 0},
	{"rate", OPT_RATE, "OP=N", 0, "Refuse (503 SlowDown) what is above N a second", 0},
	{"fault", OPT_FAULT, "SPEC", 0,
		"op=NAME[,key=GLOB][,bucket=GLOB][,nth=N][,from=N][,count=N][,share=X][,seed=S],action=A "
		"with A one of "
		"STATUS[:CODE], reset, reset-after, stall[:MS], stall-after[:MS], truncate, length, garbage, "
		"error200[:CODE], "
		"outside, doctype, foreign:STATUS",
		0},
	{0},
};

static const char doc[] = "An S3 server in memory, for tests and demonstrations."
			  "\vOperations: list-buckets create-bucket delete-bucket head-bucket get-location "
			  "list list-uploads head get put copy "
			  "delete deletes create-upload upload-part copy-part complete abort list-parts "
			  "get-tagging put-tagging "
			  "delete-tagging; groups: any read write; in faults also deletes-key.\n\n"
			  "Under /_s3d/, unsigned: GET stats, POST reset, GET|POST|DELETE fault, POST|DELETE "
			  "hook, POST set, POST release, POST seed, POST "
			  "sparse, POST overwrite, GET|DELETE object, GET keys, GET uploads, POST quit.  "
			  "POST set also knows expired-token=TOKEN "
			  "(answered ExpiredToken) and clock-ahead=SECONDS.";

static void check(struct argp_state *state, int r, const char *what)
{
	if (r < 0)
		argp_error(state, "%s: %s", what, r == -EINVAL ? "can't be understood" : strerror(-r));
}

/* A file's text, at most 1 MiB. */
static char *read_file(struct argp_state *state, const char *path)
{
	FILE *file = fopen(path, "re");
	struct buf b = {0};
	char part[4096];
	size_t n;

	if (!file) {
		argp_failure(state, 2, errno, "%s", path);
		return NULL;
	}
	while (b.len < 1 << 20 && (n = fread(part, 1, sizeof(part), file)) > 0)
		buf_put(&b, part, n);
	fclose(file);
	if (!b.p)
		argp_failure(state, 2, 0, "%s: empty", path);
	return b.p;
}

static int add_bucket(struct server *server, const char *text)
{
	size_t n = strcspn(text, "@");
	struct bucket *bucket;

	return store_create(
		&server->store, (struct span){text, n}, span_of(text[n] ? text + n + 1 : ""), &bucket);
}

static int add_alias(struct server *server, const char *text)
{
	const char *of = strchr(text, '=');
	struct store *store = &server->store;

	if (!of || of == text || (size_t)(of - text) >= sizeof(store->alias) ||
		strlen(of + 1) >= sizeof(store->alias_of))
		return -EINVAL;
	snprintf(store->alias, sizeof(store->alias), "%.*s", (int)(of - text), text);
	snprintf(store->alias_of, sizeof(store->alias_of), "%s", of + 1);
	return 0;
}

static int add_account(struct server *server, const char *text)
{
	struct account *account = &server->config.accounts[1];
	const char *secret = strchr(text, ':'), *glob = secret ? strchr(secret + 1, ':') : NULL;

	if (!secret)
		return -EINVAL;
	free(account->access);
	free(account->secret);
	free(account->denied);
	account->access = strndup(text, (size_t)(secret - text));
	account->secret = strndup(secret + 1, glob ? (size_t)(glob - secret - 1) : strlen(secret + 1));
	account->denied = glob ? strdup(glob + 1) : NULL;
	return account->access && account->secret && (account->denied || !glob) ? 0 : -ENOMEM;
}

static int seed_field(struct seed *seed, const char *field)
{
	const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = {{"count=", &seed->count}, {"size=", &seed->size}, {"dirs=", &seed->dirs},
		{"depth=", &seed->depth}};

	if (strncmp(field, "prefix=", 7) == 0) {
		seed->prefix = span_of(field + 7);
		return 0;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (strncmp(field, numbers[i].name, strlen(numbers[i].name)) == 0)
			return number_of(span_of(field + strlen(numbers[i].name)), numbers[i].value);
	return -EINVAL;
}

static int add_seed(struct server *server, char *text)
{
	struct seed seed = {.count = 1, .depth = 1};
	struct buf blob = {0};
	char *save = NULL;
	char *name = strtok_r(text, ",", &save);
	int r = name ? 0 : -EINVAL;

	seed.bucket = span_of(name);
	for (char *at = strtok_r(NULL, ",", &save); at && r == 0; at = strtok_r(NULL, ",", &save))
		r = seed_field(&seed, at);
	attrs_add(&blob, span_of("content-type"), span_of("text/plain"));
	if (r == 0)
		r = attrs_intern(&blob, &seed.attrs);
	if (r == 0)
		r = seed_run(server, &seed);
	buf_release(&blob);
	attrs_unref(seed.attrs);
	return r;
}

/* [OP=]VALUE as the setting BASE[.OP]. */
static int set_pace(struct server *server, const char *base, const char *text)
{
	const char *equals = strchr(text, '=');
	char name[64];

	if (!equals)
		return server_set(server, base, text);
	snprintf(name, sizeof(name), "%s.%.*s", base, (int)(equals - text), text);
	return server_set(server, name, equals + 1);
}

static int set_port(struct options *options, const char *text)
{
	uint64_t port;

	if (number_of(span_of(text), &port) < 0 || port > 65535)
		return -EINVAL;
	options->http.port = (unsigned)port;
	return 0;
}

static int slow_copy(struct server *server, const char *ms)
{
	int r = server_set(server, "slow-copy-space", "1");

	return r == 0 && ms ? server_set(server, "slow-copy-ms", ms) : r;
}

static int parse_listening(int key, char *arg, struct argp_state *state, struct options *options)
{
	switch (key) {
	case OPT_PORT:
		check(state, set_port(options, arg), "--port");
		return 0;
	case OPT_PORT_FILE:
		free(options->port_file);
		options->port_file = strdup(arg);
		return 0;
	case OPT_CERT:
		options->http.cert = read_file(state, arg);
		return 0;
	case OPT_KEY:
		options->http.key = read_file(state, arg);
		return 0;
	case OPT_WITH_PARENT:
		options->with_parent = true;
		return 0;
	case ARGP_KEY_END:
		if (!options->http.cert != !options->http.key)
			argp_error(state, "--tls-cert and --tls-key go together");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct server *server = parse->server;

	if (key >= OPT_SETTINGS && key < OPT_SETTINGS + (int)(sizeof(settings) / sizeof(*settings))) {
		const char *value = settings[key - OPT_SETTINGS].value;

		check(state, server_set(server, settings[key - OPT_SETTINGS].setting, value ? value : arg),
			settings[key - OPT_SETTINGS].setting);
		return 0;
	}
	switch (key) {
	case OPT_KEY2:
		check(state, add_account(server, arg), "--key2");
		return 0;
	case OPT_BUCKET:
		check(state, add_bucket(server, arg), arg);
		return 0;
	case OPT_ALIAS:
		check(state, add_alias(server, arg), "--alias");
		return 0;
	case OPT_SEED:
		check(state, add_seed(server, arg), "--seed");
		return 0;
	case OPT_LATENCY:
		check(state, set_pace(server, "latency", arg), "--latency");
		return 0;
	case OPT_RATE:
		check(state, set_pace(server, "rate", arg), "--rate");
		return 0;
	case OPT_FAULT:
		check(state, fault_add(&server->faults, arg), "--fault");
		return 0;
	case OPT_REDIRECT:
		check(state, strcmp(arg, "301") == 0 ? server_set(server, "redirect-301", "1") : -EINVAL,
			"--redirect");
		return 0;
	case OPT_SLOW_COPY:
		check(state, slow_copy(server, arg), "--slow-copy-space");
		return 0;
	case OPT_BAD_XML:
		check(state, server_set(server, "refuse-bad-xml", strcmp(arg, "500") == 0 ? "1" : "0"),
			"--bad-xml");
		return 0;
	default:
		return parse_listening(key, arg, state, parse->options);
	}
}

void options_parse(int argc, char **argv, struct server *server, struct options *options)
{
	const struct argp argp = {.options = table, .parser = parse_option, .doc = doc};
	struct parse parse = {server, options};

	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &parse) != 0)
		exit(2);
}

void options_release(struct options *options)
{
	free((char *)(uintptr_t)options->http.cert);
	free((char *)(uintptr_t)options->http.key);
	free(options->port_file);
	*options = (struct options){0};
}
