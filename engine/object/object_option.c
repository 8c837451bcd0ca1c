#include "engine/object/object_option.h"

#include <errno.h>
#include <stdio.h>

#include "engine/account/account.h"
#include "s3/answer.h"

enum { KMS_KEY_MAX = 2048 }; /* AWS KMS, KeyId */

#define HEADER_SSE "x-amz-server-side-encryption"
#define HEADER_KMS_KEY "x-amz-server-side-encryption-aws-kms-key-id"

/* AWS, PutObject. */
static const char *const sse_values[] = {"AES256", "aws:kms", "aws:kms:dsse", NULL};
/* AWS, "Canned ACL". */
static const char *const acl_values[] = {"private", "public-read", "public-read-write", "aws-exec-read",
	"authenticated-read", "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write", NULL};

static bool is_one_of(const char *const values[], struct str value)
{
	for (; *values; values++)
		if (str_eq(str_of(*values), value))
			return true;
	return false;
}

static bool sse_ok(struct str value)
{
	return is_one_of(sse_values, value);
}

static bool acl_ok(struct str value)
{
	return is_one_of(acl_values, value);
}

/* An id, an ARN, an alias, or the name that another service gives its key: no more is known of it. */
static bool kms_key_ok(struct str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] <= ' ' || value.data[i] > '~')
			return false;
	return value.len > 0 && value.len <= KMS_KEY_MAX;
}

/* The form of AWS's own names, whichever of them the service has. */
static bool storage_class_ok(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return false;
	}
	return value.len > 0 && value.len <= STORAGE_CLASS_MAX;
}

static const struct object_rule {
	const char *name, *header;
	const char *alone; /* the value when none is given; NULL: one must be */
	bool (*ok)(struct str value);
	const char *wanted;
} rules[] = {
	{"storage_class", "x-amz-storage-class", NULL, storage_class_ok,
		"the name of a storage class, such as STANDARD_IA"},
	{"sse", HEADER_SSE, "AES256", sse_ok, "one of AES256, aws:kms, aws:kms:dsse"},
	{"sse_kms_key_id", HEADER_KMS_KEY, NULL, kms_key_ok, "the id, ARN or alias of a KMS key"},
	{"acl", "x-amz-acl", NULL, acl_ok,
		"one of private, public-read, public-read-write, aws-exec-read, authenticated-read, "
		"bucket-owner-read, bucket-owner-full-control, log-delivery-write"},
};

enum {
	RULE_COUNT = sizeof(rules) / sizeof(rules[0]),
	RULE_MOUNT = 1 /* the first that a view has as a header */
};

/* Both spellings are one name: sse-kms-key-id, sse_kms_key_id. */
static const struct object_rule *object_option_find(const char *name)
{
	for (unsigned i = 0; i < RULE_COUNT; i++) {
		const char *a = name, *b = rules[i].name;

		while (*a && (*a == '-' ? '_' : *a) == *b)
			a++, b++;
		if (!*a && !*b)
			return &rules[i];
	}
	return NULL;
}

int object_option(struct headers *headers, const char *name, const char *value, char *why)
{
	const struct object_rule *rule = object_option_find(name);

	if (!rule)
		return -ENOENT;
	if (!value)
		value = rule->alone;
	if (!value) {
		snprintf(why, ACCOUNT_WHY_MAX, "%.64s needs a value", name);
		return -EINVAL;
	}
	if (!rule->ok(str_of(value))) {
		snprintf(why, ACCOUNT_WHY_MAX, "%.64s: '%.128s' is not %s", name, value, rule->wanted);
		return -EINVAL;
	}
	int error = headers_set(headers, str_of(rule->header), str_of(value));

	if (error < 0)
		snprintf(why, ACCOUNT_WHY_MAX, "%.64s: %s", name,
			error == -ENOMEM ? "out of memory" : "too many headers");
	return error;
}

int object_options_finish(struct headers *headers, char *why)
{
	const struct str sse = headers_get(headers, STR(HEADER_SSE));

	if (!headers_get(headers, STR(HEADER_KMS_KEY)).data)
		return 0;
	if (sse.data && str_eq(sse, STR("AES256"))) {
		snprintf(why, ACCOUNT_WHY_MAX,
			"the KMS key of sse-kms-key-id is of no use to sse AES256: "
			"leave one of them out, or give sse as aws:kms");
		return -EINVAL;
	}
	return sse.data ? 0 : headers_set(headers, STR(HEADER_SSE), STR("aws:kms"));
}

const char *object_option_next_header(unsigned *at)
{
	if (*at < RULE_MOUNT)
		*at = RULE_MOUNT;
	return *at < RULE_COUNT ? rules[(*at)++].header : NULL;
}

bool object_option_header_ok(const char *header, struct str value)
{
	for (unsigned i = 0; i < RULE_COUNT; i++)
		if (strcmp(rules[i].header, header) == 0)
			return rules[i].ok(value);
	return false;
}

bool object_option_takes_word(const char *name, const char *word)
{
	const struct object_rule *rule = object_option_find(name);

	return rule && rule->alone && rule->ok(str_of(word));
}
