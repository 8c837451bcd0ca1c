/*
 * The reader goes through the text line by line and knows, between two lines:
 *
 *   wanted   the section it is in is the one looked for
 *   parent   the last setting that was not indented below another; NONE at the start of a section
 *   indent   of that setting; a deeper line belongs to the parent (as Python's configparser decides it)
 *   empty    the parent has no value, so that the lines below it are nested settings
 *
 * A profile that names a [services] section takes a second walk, as that section may stand before it.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <strings.h>
#include "s3/profile.h"

enum walk { WALK_PROFILE, WALK_SERVICES };

struct reader {
	struct profile *profile;
	enum profile_file file;
	enum walk walk;
	struct str name; /* of the section */
	bool wanted, empty;
	struct str parent;
	size_t indent;
	bool has_key, has_secret, has_token; /* this section set them */
};

/* Where a setting goes. */
struct profile_place {
	const char *name;
	size_t offset, size;
};

#define PLACE(setting, field)                                                                                \
	{                                                                                                    \
		setting, offsetof(struct profile, field), sizeof(((struct profile *)0)->field)               \
	}

static const struct profile_place places[] = {
	PLACE("aws_access_key_id", access_key),
	PLACE("aws_secret_access_key", secret),
	PLACE("aws_session_token", token),
	PLACE("region", region),
	PLACE("endpoint_url", endpoint_url),
	PLACE("services", services),
	PLACE("ca_bundle", ca_bundle),
	PLACE("source_profile", source_profile),
	PLACE("role_arn", role_arn),
	PLACE("credential_process", credential_process),
	PLACE("sso_session", sso),
	PLACE("sso_start_url", sso),
	PLACE("sso_account_id", sso_account),
	PLACE("login_session", login_session),
	PLACE("web_identity_token_file", web_identity),
	PLACE("credential_source", credential_source),
	PLACE("use_fips_endpoint", use_fips),
	PLACE("use_dualstack_endpoint", use_dualstack),
};

static const struct profile_place nested_places[] = {
	PLACE("endpoint_url", endpoint_url_s3),
	PLACE("addressing_style", addressing_style),
	PLACE("use_dualstack_endpoint", use_dualstack),
};

/* AWS SDKs and Tools, "Settings reference": the settings that change requests, in the profile or in its s3
 * part. */
static const char *const passed_over[] = {"use_accelerate_endpoint", "payload_signing_enabled",
	"max_attempts", "retry_mode", "request_checksum_calculation", "response_checksum_validation",
	"s3_use_arn_region", "sigv4a_signing_region_set", "s3_us_east_1_regional_endpoint"};

const char *profile_passed_over(unsigned bit)
{
	return bit < sizeof(passed_over) / sizeof(passed_over[0]) ? passed_over[bit] : NULL;
}

void profile_init(struct profile *profile)
{
	*profile = (struct profile){.found = false};
}

void profile_wipe(struct profile *profile)
{
	OPENSSL_cleanse(profile, sizeof(*profile));
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_comment(char c)
{
	return c == '#' || c == ';';
}

static struct str profile_trim(struct str s)
{
	while (s.len && is_space(s.data[0]))
		s = str_skip(s, 1);
	while (s.len && is_space(s.data[s.len - 1]))
		s.len--;
	return s;
}

static bool profile_same_name(struct str s, const char *name)
{
	return s.len == strlen(name) && strncasecmp(s.data, name, s.len) == 0;
}

static const struct profile_place *find_place(const struct profile_place *list, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++) {
		if (profile_same_name(name, list[i].name))
			return &list[i];
	}
	return NULL;
}

static const struct profile_place *find_setting(struct str name)
{
	return find_place(places, sizeof(places) / sizeof(places[0]), name);
}

static void note_passed_over(struct reader *reader, struct str name, struct str value)
{
	if (profile_same_name(value, "false"))
		return;
	for (unsigned i = 0; profile_passed_over(i); i++)
		if (profile_same_name(name, profile_passed_over(i)))
			reader->profile->passed_over |= 1u << i;
}

static int store(struct reader *reader, const struct profile_place *place, struct str value)
{
	char *field = (char *)reader->profile + place->offset;

	if (value.len >= place->size)
		return -EBADMSG;
	if (value.len)
		memcpy(field, value.data, value.len);
	field[value.len] = '\0';
	reader->has_key |= field == reader->profile->access_key;
	reader->has_secret |= field == reader->profile->secret;
	reader->has_token |= field == reader->profile->token;
	return 0;
}

/* "name = value", without a comment behind it.  Python's configparser, and so the AWS CLI, takes ":" as well.
 */
static int split_setting(struct str line, struct str *ret_name, struct str *ret_value)
{
	size_t at = 0;
	struct str name, value;

	while (at < line.len && line.data[at] != '=' && line.data[at] != ':')
		at++;
	if (at == line.len)
		return -EBADMSG;
	name = profile_trim(str_n(line.data, at));
	if (name.len == 0)
		return -EBADMSG;
	value = str_skip(line, at + 1);
	for (size_t i = 1; i < value.len; i++) {
		if (is_comment(value.data[i]) && is_space(value.data[i - 1]))
			value.len = i;
	}
	*ret_name = name;
	*ret_value = profile_trim(value);
	return 0;
}

/* A section's name may stand in quotes when it has a space in it. */
static struct str unquote(struct str s)
{
	if (s.len >= 2 && (s.data[0] == '"' || s.data[0] == '\'') && s.data[s.len - 1] == s.data[0])
		return str_n(s.data + 1, s.len - 2);
	return s;
}

/* Is `section` the kind word, white space, and the name looked for? */
static bool is_section_of(const struct reader *reader, struct str section, struct str kind)
{
	if (!str_has_prefix(section, kind) || section.len == kind.len || !is_space(section.data[kind.len]))
		return false;
	return str_eq(unquote(profile_trim(str_skip(section, kind.len))), reader->name);
}

static int read_section(struct reader *reader, struct str line)
{
	const char *end = memchr(line.data, ']', line.len);
	struct str section, rest;

	if (!end)
		return -EBADMSG;
	section = profile_trim(str_n(line.data + 1, (size_t)(end - line.data) - 1));
	rest = profile_trim(str_skip(line, (size_t)(end - line.data) + 1));
	if (rest.len && !is_comment(rest.data[0]))
		return -EBADMSG;
	reader->parent = STR_NONE;
	if (reader->walk == WALK_SERVICES) {
		reader->wanted = is_section_of(reader, section, STR("services"));
		return 0;
	}
	if (reader->file == PROFILE_CREDENTIALS)
		reader->wanted = str_eq(section, reader->name);
	else
		reader->wanted = (str_eq(section, STR("default")) && str_eq(section, reader->name)) ||
				 is_section_of(reader, section, STR("profile"));
	reader->profile->found |= reader->wanted;
	return 0;
}

static int read_setting(struct reader *reader, struct str line)
{
	const struct profile_place *place;
	struct str name, value;
	int error = split_setting(line, &name, &value);

	if (error)
		return error;
	reader->parent = name;
	reader->empty = value.len == 0;
	if (!reader->wanted || reader->walk != WALK_PROFILE)
		return 0;
	note_passed_over(reader, name, value);
	place = find_setting(name);
	return place ? store(reader, place, value) : 0;
}

static int read_nested(struct reader *reader, struct str line)
{
	const struct profile_place *place;
	struct str name, value;
	int error;

	if (!reader->wanted)
		return 0;
	if (!reader->empty)
		return reader->walk == WALK_PROFILE && find_setting(reader->parent) ? -EBADMSG : 0;
	if (!profile_same_name(reader->parent, "s3"))
		return 0;
	error = split_setting(line, &name, &value);
	if (error)
		return error;
	note_passed_over(reader, name, value);
	place = find_place(nested_places, sizeof(nested_places) / sizeof(nested_places[0]), name);
	return place ? store(reader, place, value) : 0;
}

static int read_line(struct reader *reader, struct str raw)
{
	struct str line = profile_trim(raw);
	size_t indent;

	if (raw.len && memchr(raw.data, '\0', raw.len))
		return -EBADMSG;
	if (line.len == 0 || is_comment(line.data[0]))
		return 0;
	indent = (size_t)(line.data - raw.data);
	if (reader->parent.data && indent > reader->indent)
		return read_nested(reader, line);
	reader->indent = indent;
	return line.data[0] == '[' ? read_section(reader, line) : read_setting(reader, line);
}

static int walk_text(struct reader *reader, struct str text, unsigned *ret_line)
{
	if (str_has_prefix(text, STR("\xef\xbb\xbf"))) /* a byte order mark, as editors on Windows write it */
		text = str_skip(text, 3);
	for (unsigned number = 1; text.len; number++) {
		const char *end = memchr(text.data, '\n', text.len);
		size_t len = end ? (size_t)(end - text.data) : text.len;
		int error = read_line(reader, str_n(text.data, len));

		if (error) {
			*ret_line = number;
			return error;
		}
		text = str_skip(text, end ? len + 1 : len);
	}
	return 0;
}

int profile_parse(struct profile *profile, enum profile_file file, const char *name, struct str text,
	unsigned *ret_line)
{
	struct reader reader = {.profile = profile, .file = file, .name = str_of(name), .walk = WALK_PROFILE};
	int error = walk_text(&reader, text, ret_line);

	if (error)
		return error;
	if (reader.has_key && !reader.has_secret)
		OPENSSL_cleanse(profile->secret, sizeof(profile->secret));
	if (reader.has_key && !reader.has_token)
		OPENSSL_cleanse(profile->token, sizeof(profile->token));
	if (file != PROFILE_CONFIG || !profile->services[0])
		return 0;
	reader = (struct reader){
		.profile = profile, .file = file, .name = str_of(profile->services), .walk = WALK_SERVICES};
	return walk_text(&reader, text, ret_line);
}
