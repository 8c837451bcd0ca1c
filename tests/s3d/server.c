#include "tests/s3d/server.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

const char *server_region(const struct server *server, const struct bucket *bucket)
{
	return bucket && bucket->region ? bucket->region : server->config.region;
}

int server_init(struct server *server)
{
	struct config *config = &server->config;

	config->accounts[0].access = strdup("test");
	config->accounts[0].secret = strdup("testsecret");
	config->region = strdup("us-east-1");
	config->auth = true;
	config->conditional_copy = config->conditional_delete = config->conditional_put = true;
	config->tagging = config->quoted_etag = config->encoding_type = config->marks = true;
	config->slow_copy_ms = 200;
	config->max_bytes = (uint64_t)4 << 30;
	pace_init(&server->pace);
	return config->accounts[0].access && config->accounts[0].secret && config->region ? 0 : -ENOMEM;
}

void server_release(struct server *server)
{
	struct config *config = &server->config;

	store_release(&server->store);
	faults_clear(&server->faults);
	hooks_clear(&server->faults);
	pace_release(&server->pace);
	stats_release(&server->stats);
	for (size_t i = 0; i < ACCOUNTS; i++) {
		free(config->accounts[i].access);
		free(config->accounts[i].secret);
		free(config->accounts[i].token);
		free(config->accounts[i].denied);
	}
	free(config->region);
	free(config->domain);
	free(config->expired_token);
}

static const struct {
	const char *name;
	size_t offset;
} switches[] = {
	{"auth", offsetof(struct config, auth)},
	{"anonymous", offsetof(struct config, anonymous)},
	{"conditional-copy", offsetof(struct config, conditional_copy)},
	{"conditional-delete", offsetof(struct config, conditional_delete)},
	{"conditional-put", offsetof(struct config, conditional_put)},
	{"strict-parts", offsetof(struct config, strict_parts)},
	{"object-lock", offsetof(struct config, object_lock)},
	{"marks", offsetof(struct config, marks)},
	{"strict-deletes", offsetof(struct config, strict_deletes)},
	{"tagging", offsetof(struct config, tagging)},
	{"quoted-etag", offsetof(struct config, quoted_etag)},
	{"fine-times", offsetof(struct config, fine_times)},
	{"late-heads", offsetof(struct config, late_heads)},
	{"encoding-type", offsetof(struct config, encoding_type)},
	{"refuse-bad-xml", offsetof(struct config, refuse_bad_xml)},
	{"redirect-301", offsetof(struct config, redirect_301)},
	{"slow-copy-space", offsetof(struct config, slow_copy_space)},
};

static const struct {
	const char *name;
	size_t offset;
} texts[] = {
	{"access-key", offsetof(struct config, accounts[0].access)},
	{"secret-key", offsetof(struct config, accounts[0].secret)},
	{"session-token", offsetof(struct config, accounts[0].token)},
	{"expired-token", offsetof(struct config, expired_token)},
	{"region", offsetof(struct config, region)},
	{"domain", offsetof(struct config, domain)},
};

static int set_bool(bool *to, const char *value)
{
	bool on = strcmp(value, "1") == 0;

	if (!on && strcmp(value, "0") != 0)
		return -EINVAL;
	*to = on;
	return 0;
}

/* An empty value takes the setting away where that is possible. */
static int set_text(struct config *config, size_t offset, const char *value)
{
	char **to = (char **)((char *)config + offset), *copy = NULL;
	bool optional = to == &config->accounts[0].token || to == &config->domain;

	if (!*value && !optional)
		return -EINVAL;
	if (*value && !(copy = strdup(value)))
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

static int parse_double(const char *value, double *ret)
{
	char *end;
	double number = strtod(value, &end);

	if (end == value || *end || !(number >= 0 && number <= 1e9))
		return -EINVAL;
	*ret = number;
	return 0;
}

/* "latency", "latency.copy", "rate.put": the operation behind the dot. */
static int set_pace(struct pace *pace, const char *name, const char *value)
{
	size_t n = strcspn(name, ".");
	enum op op = name[n] ? op_of(name + n + 1) : OP_ANY;
	double number;

	if (op == OP_UNKNOWN)
		return -ENOENT;
	if (parse_double(value, &number) < 0)
		return -EINVAL;
	if (n == strlen("latency"))
		pace->latency[op] = (int64_t)(number * 1000);
	else
		pace_set_rate(pace, op, number);
	return 0;
}

static bool named(const char *name, const char *base)
{
	size_t n = strlen(base);

	return strncmp(name, base, n) == 0 && (name[n] == '\0' || name[n] == '.');
}

int server_set(struct server *server, const char *name, const char *value)
{
	struct config *config = &server->config;
	double number;

	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++)
		if (strcmp(name, switches[i].name) == 0)
			return set_bool((bool *)((char *)config + switches[i].offset), value);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(name, texts[i].name) == 0)
			return set_text(config, texts[i].offset, value);
	if (named(name, "latency") || named(name, "rate"))
		return set_pace(&server->pace, name, value);
	if (strcmp(name, "versioning") == 0)
		return set_bool(&server->store.versioning, value);
	if (strcmp(name, "clock-ahead") == 0) {
		config->clock_ahead = server->store.clock_ahead = atoi(value);
		return 0;
	}
	if (strcmp(name, "slow-copy-ms") != 0 && strcmp(name, "max-bytes") != 0)
		return -ENOENT;
	number = strtod(value, NULL);
	if (!(number >= 0 && number < 1e18))
		return -EINVAL;
	if (strcmp(name, "max-bytes") == 0)
		config->max_bytes = (uint64_t)number;
	else
		config->slow_copy_ms = (unsigned)(number < 1e9 ? number : 1e9);
	return 0;
}
