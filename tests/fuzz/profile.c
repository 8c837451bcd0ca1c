/*
 * Fuzzes the texts of ~/.aws.  Bit 0 of the first byte: credentials or config; then the profile's name, a
 * line; then the text.
 *
 * Values are within their fields, on one line and trimmed; reading twice is reading once; what was read,
 * written as a file in its plainest form, reads the same.
 */
#include "s3/buf.h"
#include "s3/profile.h"
#include "tests/fuzz/fuzz.h"

struct field {
	const char *name;
	size_t offset, size;
};

#define FIELD(setting, field)                                                                                \
	{                                                                                                    \
		setting, offsetof(struct profile, field), sizeof(((struct profile *)0)->field)               \
	}

/* aws_access_key_id first: one alone would bring its own empty secret. */
static const struct field fields[] = {
	FIELD("aws_access_key_id", access_key),
	FIELD("aws_secret_access_key", secret),
	FIELD("aws_session_token", token),
	FIELD("region", region),
	FIELD("endpoint_url", endpoint_url),
	FIELD("ca_bundle", ca_bundle),
	FIELD("source_profile", source_profile),
	FIELD("role_arn", role_arn),
	FIELD("credential_process", credential_process),
	FIELD("sso_session", sso),
};
static const struct field nested[] = {
	FIELD("endpoint_url", endpoint_url_s3),
	FIELD("addressing_style", addressing_style),
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]), NESTED = sizeof(nested) / sizeof(nested[0]) };

static const char *value_of(const struct profile *profile, const struct field *field)
{
	return (const char *)profile + field->offset;
}

static void check_value(const struct profile *profile, const struct field *field)
{
	const char *value = value_of(profile, field);
	size_t len = strnlen(value, field->size);

	must(len < field->size && !memchr(value, '\n', len));
	must(len == 0 || (!strchr(" \t\r", value[0]) && !strchr(" \t\r", value[len - 1])));
}

static void write_value(
	struct buf *text, const struct profile *profile, const struct field *field, bool below)
{
	const char *value = value_of(profile, field);

	if (value[0])
		buf_addf(text, "%s%s=%s\n", below ? "  " : "", field->name, value);
}

static void write_file(
	struct buf *text, const struct profile *profile, enum profile_file file, const char *name)
{
	if (file == PROFILE_CREDENTIALS || strcmp(name, "default") == 0)
		buf_addf(text, "[%s]\n", name);
	else
		buf_addf(text, "[profile \"%s\"]\n", name);
	for (size_t i = 0; i < FIELDS; i++)
		write_value(text, profile, &fields[i], false);
	buf_addf(text, "s3 =\n");
	for (size_t i = 0; i < NESTED; i++)
		write_value(text, profile, &nested[i], true);
}

static void check_written(const struct profile *profile, enum profile_file file, const char *name)
{
	static struct profile again;
	struct buf text;
	unsigned line = 0;

	buf_init(&text, 1 << 20);
	write_file(&text, profile, file, name);
	profile_init(&again);
	must(text.error == 0 && profile_parse(&again, file, name, buf_str(&text), &line) == 0 && again.found);
	for (size_t i = 0; i < FIELDS; i++)
		must(strcmp(value_of(profile, &fields[i]), value_of(&again, &fields[i])) == 0);
	for (size_t i = 0; i < NESTED; i++)
		must(strcmp(value_of(profile, &nested[i]), value_of(&again, &nested[i])) == 0);
	buf_release(&text);
}

static unsigned lines_of(struct str text)
{
	unsigned lines = 0;

	for (; text.len; lines++)
		next_part(&text, '\n');
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct profile profile, twice;
	unsigned line = 0;

	if (size < 1)
		return 0;
	enum profile_file file = data[0] & 1 ? PROFILE_CONFIG : PROFILE_CREDENTIALS;
	struct str text = str_n((const char *)data + 1, size - 1);
	char *name = text_of(next_part(&text, '\n'));
	int result;

	profile_init(&profile);
	result = profile_parse(&profile, file, name, text, &line);
	for (size_t i = 0; i < FIELDS; i++)
		check_value(&profile, &fields[i]);
	for (size_t i = 0; i < NESTED; i++)
		check_value(&profile, &nested[i]);
	if (result != 0) {
		must(line >= 1 && line <= lines_of(text));
		goto out;
	}
	must(line == 0 && (profile.found || !profile.access_key[0]));
	twice = profile;
	must(profile_parse(&twice, file, name, text, &line) == 0);
	must(memcmp(&profile.access_key, &twice.access_key, sizeof(profile.access_key)) == 0);
	for (size_t i = 0; i < FIELDS; i++)
		must(strcmp(value_of(&profile, &fields[i]), value_of(&twice, &fields[i])) == 0);
	if (profile.found)
		check_written(&profile, file, name);
out:
	free(name);
	return 0;
}
