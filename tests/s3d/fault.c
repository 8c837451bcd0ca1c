#include "tests/s3d/fault.h"
#include "tests/s3d/request.h"
#include "tests/s3d/server.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

static void fault_free(struct fault *fault)
{
	if (!fault)
		return;
	free(fault->spec);
	free(fault->key);
	free(fault->bucket);
	free(fault);
}

static void hook_free(struct hook *hook)
{
	if (!hook)
		return;
	free(hook->bucket);
	free((char *)(uintptr_t)hook->key.p);
	free(hook->text);
	free(hook);
}

/* A percent-decoded copy, NUL-terminated. */
static char *decoded(const char *value, size_t *ret_n)
{
	char *copy = malloc(strlen(value) + 1);

	if (copy) {
		*ret_n = uri_decode(copy, span_of(value), false);
		copy[*ret_n] = '\0';
	}
	return copy;
}

static int parse_status(const char *value, struct verdict *verdict)
{
	char *end;
	unsigned long status = strtoul(value, &end, 10);

	if (end == value || status < 200 || status > 599 || (*end && *end != ':'))
		return -EINVAL;
	verdict->action = FAULT_STATUS;
	verdict->status = (unsigned)status;
	if (*end)
		snprintf(verdict->code, sizeof(verdict->code), "%s", end + 1);
	return 0;
}

static int parse_action(const char *value, struct verdict *verdict)
{
	static const struct {
		const char *name;
		enum fault_action action;
	} names[] = {{"reset", FAULT_RESET}, {"reset-after", FAULT_RESET_AFTER}, {"stall", FAULT_STALL},
		{"stall-after", FAULT_STALL_AFTER}, {"truncate", FAULT_TRUNCATE}, {"length", FAULT_LENGTH},
		{"garbage", FAULT_GARBAGE}, {"error200", FAULT_ERROR200}, {"outside", FAULT_OUTSIDE},
		{"doctype", FAULT_DOCTYPE}, {"foreign", FAULT_FOREIGN}};
	size_t n = strcspn(value, ":");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *argument = value + n + (value[n] == ':');

		if (strlen(names[i].name) != n || strncmp(value, names[i].name, n) != 0)
			continue;
		verdict->action = names[i].action;
		if (verdict->action == FAULT_STALL || verdict->action == FAULT_STALL_AFTER)
			verdict->ms = (unsigned)strtoul(argument, NULL, 10);
		else if (verdict->action == FAULT_FOREIGN) {
			if (parse_status(argument, verdict) < 0)
				return -EINVAL;
			verdict->action = FAULT_FOREIGN;
		} else if (verdict->action == FAULT_ERROR200)
			snprintf(verdict->code, sizeof(verdict->code), "%s",
				*argument ? argument : "InternalError");
		return 0;
	}
	return parse_status(value, verdict);
}

static int fault_field(struct fault *fault, const char *name, const char *value)
{
	size_t n;

	if (strcmp(name, "op") == 0)
		return (fault->op = op_of(value)) == OP_UNKNOWN ? -EINVAL : 0;
	if (strcmp(name, "key") == 0)
		return (fault->key = decoded(value, &n)) ? 0 : -ENOMEM;
	if (strcmp(name, "bucket") == 0)
		return (fault->bucket = decoded(value, &n)) ? 0 : -ENOMEM;
	if (strcmp(name, "action") == 0)
		return parse_action(value, &fault->verdict);
	if (strcmp(name, "share") == 0)
		return (fault->share = strtod(value, NULL)) > 0 ? 0 : -EINVAL;
	if (strcmp(name, "nth") == 0)
		return number_of(span_of(value), &fault->nth);
	if (strcmp(name, "from") == 0)
		return number_of(span_of(value), &fault->from);
	if (strcmp(name, "count") == 0)
		return number_of(span_of(value), &fault->count);
	if (strcmp(name, "ms") == 0)
		return number_of(span_of(value), &fault->ms);
	if (strcmp(name, "seed") == 0)
		return number_of(span_of(value), &fault->random);
	return -EINVAL;
}

static int hook_field(struct hook *hook, const char *name, const char *value)
{
	size_t n;

	if (strcmp(name, "when") == 0)
		return (hook->when = op_of(value)) == OP_UNKNOWN ? -EINVAL : 0;
	if (strcmp(name, "nth") == 0)
		return number_of(span_of(value), &hook->nth);
	if (strcmp(name, "at") == 0) {
		hook->after = strcmp(value, "after") == 0;
		return hook->after || strcmp(value, "before") == 0 ? 0 : -EINVAL;
	}
	if (strcmp(name, "do") == 0) {
		hook->remove = strcmp(value, "delete") == 0;
		return hook->remove || strcmp(value, "put") == 0 ? 0 : -EINVAL;
	}
	if (strcmp(name, "bucket") == 0)
		return (hook->bucket = decoded(value, &n)) ? 0 : -ENOMEM;
	if (strcmp(name, "text") == 0)
		return (hook->text = decoded(value, &n)) ? 0 : -ENOMEM;
	if (strcmp(name, "key") == 0)
		return (hook->key.p = decoded(value, &hook->key.n)) ? 0 : -ENOMEM;
	return -EINVAL;
}

/* Calls back for each name=value; the copy is cut up. */
static int each_field(char *spec, int (*field)(void *, const char *, const char *), void *arg)
{
	char *save = NULL;

	for (char *at = strtok_r(spec, ",", &save); at; at = strtok_r(NULL, ",", &save)) {
		char *equals = strchr(at, '=');
		int r;

		if (!equals)
			return -EINVAL;
		*equals = '\0';
		r = field(arg, at, equals + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

static int on_fault_field(void *arg, const char *name, const char *value)
{
	return fault_field(arg, name, value);
}

static int on_hook_field(void *arg, const char *name, const char *value)
{
	return hook_field(arg, name, value);
}

int fault_add(struct faults *faults, const char *spec)
{
	struct fault *fault = calloc(1, sizeof(*fault)), **at = &faults->list;
	char *copy = strdup(spec);
	int r = -ENOMEM;

	if (!fault || !copy)
		goto out;
	fault->op = OP_ANY;
	fault->share = 1;
	fault->random = 1;
	fault->spec = strdup(spec);
	if (!fault->spec)
		goto out;
	r = each_field(copy, on_fault_field, fault);
	if (r == 0 && fault->verdict.action == FAULT_NONE)
		r = -EINVAL;
	if (r < 0)
		goto out;
	while (*at)
		at = &(*at)->next;
	*at = fault;
	fault = NULL;
out:
	fault_free(fault);
	free(copy);
	return r;
}

int hook_add(struct faults *faults, const char *spec)
{
	struct hook *hook = calloc(1, sizeof(*hook));
	char *copy = strdup(spec);
	int r = -ENOMEM;

	if (!hook || !copy)
		goto out;
	hook->nth = 1;
	r = each_field(copy, on_hook_field, hook);
	if (r == 0 && (hook->when == OP_UNKNOWN || !hook->bucket || !hook->key.n))
		r = -EINVAL;
	if (r < 0)
		goto out;
	hook->next = faults->hooks;
	faults->hooks = hook;
	hook = NULL;
out:
	hook_free(hook);
	free(copy);
	return r;
}

void faults_clear(struct faults *faults)
{
	struct fault *fault;

	while ((fault = faults->list)) {
		faults->list = fault->next;
		fault_free(fault);
	}
}

void hooks_clear(struct faults *faults)
{
	struct hook *hook;

	while ((hook = faults->hooks)) {
		faults->hooks = hook->next;
		hook_free(hook);
	}
}

static bool glob_matches(const char *glob, struct span text)
{
	char small[KEY_MAX_BYTES + 1];

	if (!glob)
		return true;
	if (text.n >= sizeof(small))
		return false;
	if (text.n)
		memcpy(small, text.p, text.n);
	small[text.n] = '\0';
	return fnmatch(glob, small, 0) == 0;
}

/* xorshift64: the same seed gives the same faults. */
static double fault_random(struct fault *fault)
{
	uint64_t x = fault->random ? fault->random : 1;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	fault->random = x;
	return (double)((x * 0x2545f4914f6cdd1du) >> 11) / (double)(1ull << 53);
}

static bool fault_is_over(const struct fault *fault)
{
	return fault->ms && fault->first_us && now_us() - fault->first_us >= fault->ms * 1000;
}

static bool fault_fires(struct fault *fault)
{
	fault->seen++;
	if (fault->nth && fault->seen != fault->nth)
		return false;
	if (fault->seen < fault->from || (fault->count && fault->fired >= fault->count) ||
		fault_is_over(fault))
		return false;
	return fault->share >= 1 || fault_random(fault) < fault->share;
}

struct verdict fault_decide(struct faults *faults, enum op op, struct span bucket, struct span key)
{
	struct verdict verdict = {0};

	for (struct fault *fault = faults->list; fault; fault = fault->next) {
		if (!op_in(op, fault->op) || !glob_matches(fault->key, key) ||
			!glob_matches(fault->bucket, bucket))
			continue;
		if (fault_fires(fault) && verdict.action == FAULT_NONE) {
			fault->fired++;
			if (!fault->first_us)
				fault->first_us = now_us();
			verdict = fault->verdict;
		}
	}
	return verdict;
}

static void hook_run(struct server *server, const struct hook *hook)
{
	struct bucket *bucket = store_bucket(&server->store, span_of(hook->bucket));
	struct content content = {.key = hook->key};
	struct object *object;
	struct buf text = {0};
	int r = -ENOENT;

	if (bucket && hook->remove)
		r = bucket_delete(&server->store, bucket, hook->key, &object);
	else if (bucket) {
		buf_str(&text, hook->text ? hook->text : "");
		content.body = body_of_buf(&text);
		r = content.body ? bucket_put(&server->store, bucket, &content, &object) : -ENOMEM;
		body_unref(content.body);
	}
	if (r < 0)
		fprintf(stderr, "s3d: a hook could not be carried out: %s\n", strerror(-r));
}

void hooks_run(struct server *server, enum op op, bool after)
{
	for (struct hook *hook = server->faults.hooks; hook; hook = hook->next)
		if (hook->after == after && op_in(op, hook->when) && ++hook->seen == hook->nth)
			hook_run(server, hook);
}
