#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include "s3/profile.h"

static struct profile profile; /* 30 KB */

static void parse(enum profile_file file, const char *name, const char *text)
{
	unsigned line = 0;

	assert_int_equal(profile_parse(&profile, file, name, str_of(text), &line), 0);
	assert_int_equal(line, 0);
}

static void fails_at(enum profile_file file, struct str text, unsigned expected)
{
	unsigned line = 0;

	profile_init(&profile);
	assert_int_equal(profile_parse(&profile, file, "default", text, &line), -EBADMSG);
	assert_int_equal(line, expected);
}

static void reads_credentials(void **state)
{
	static const char text[] = "# a comment\n"
				   "[other]\n"
				   "aws_access_key_id = OTHER\n"
				   "aws_secret_access_key = other\n"
				   "\n"
				   "[default] ; the usual one\n"
				   "aws_access_key_id=AKIA\n"
				   "; another\n"
				   "AWS_SECRET_ACCESS_KEY =   a/b+c=d#e;f  \n"
				   "aws_session_token = tok # not of it\n"
				   "unknown = x\n"
				   "[last]\n"
				   "aws_access_key_id = LAST\n";

	profile_init(&profile);
	parse(PROFILE_CREDENTIALS, "default", text);
	assert_true(profile.found);
	assert_string_equal(profile.access_key, "AKIA");
	assert_string_equal(profile.secret, "a/b+c=d#e;f");
	assert_string_equal(profile.token, "tok");
	profile_init(&profile);
	parse(PROFILE_CREDENTIALS, "last", text);
	assert_string_equal(profile.access_key, "LAST");
	assert_string_equal(profile.secret, "");
	profile_init(&profile);
	parse(PROFILE_CREDENTIALS, "las", text);
	assert_false(profile.found);
	assert_string_equal(profile.access_key, "");
}

/* Session tokens are some 400 to over 2,000 bytes; Debian's inih would cut one at 199. */
static void reads_a_token_of_2000_bytes(void **state)
{
	char text[20000] =
		"[default]\naws_access_key_id = A\naws_secret_access_key = s\naws_session_token = ";
	size_t start = strlen(text);

	memset(text + start, 't', 2000);
	text[start + 1000] = ';';
	profile_init(&profile);
	parse(PROFILE_CREDENTIALS, "default", text);
	assert_int_equal(strlen(profile.token), 2000);
	assert_memory_equal(profile.token, text + start, 2000);
	memset(text + start, 't', CREDENTIALS_TOKEN_MAX);
	profile_init(&profile);
	parse(PROFILE_CREDENTIALS, "default", text);
	assert_int_equal(strlen(profile.token), CREDENTIALS_TOKEN_MAX);
	text[start + CREDENTIALS_TOKEN_MAX] = 't';
	fails_at(PROFILE_CREDENTIALS, str_of(text), 4);
}

static void reads_config(void **state)
{
	static const char text[] = "[default]\n"
				   "region = us-east-1\n"
				   "[work]\n"
				   "region = wrong\n"
				   "[profile work]\n"
				   "region: eu-west-1\n"
				   "endpoint_url = http://one:9000\n"
				   "ca_bundle = /etc/ca.pem\n"
				   "role_arn = arn:aws:iam::1:role/r\n"
				   "source_profile = base\n"
				   "credential_process = /bin/x --y\n"
				   "sso_start_url = https://sso\n"
				   "[profile \"with space\"]\n"
				   "region = quoted\n";

	profile_init(&profile);
	parse(PROFILE_CONFIG, "work", text);
	assert_true(profile.found);
	assert_string_equal(profile.region, "eu-west-1");
	assert_string_equal(profile.endpoint_url, "http://one:9000");
	assert_string_equal(profile.endpoint_url_s3, "");
	assert_string_equal(profile.ca_bundle, "/etc/ca.pem");
	assert_string_equal(profile.role_arn, "arn:aws:iam::1:role/r");
	assert_string_equal(profile.source_profile, "base");
	assert_string_equal(profile.credential_process, "/bin/x --y");
	assert_string_equal(profile.sso, "https://sso");
	profile_init(&profile);
	parse(PROFILE_CONFIG, "default", text);
	assert_string_equal(profile.region, "us-east-1");
	profile_init(&profile);
	parse(PROFILE_CONFIG, "with space", text);
	assert_string_equal(profile.region, "quoted");
	profile_init(&profile);
	parse(PROFILE_CONFIG, "default", "[profile default]\nregion = r\n[profiles default]\nregion = no\n");
	assert_string_equal(profile.region, "r");
}

static void reads_nested_settings(void **state)
{
	profile_init(&profile);
	parse(PROFILE_CONFIG, "default",
		"[default]\n"
		"s3 =\n"
		"  addressing_style = path\n"
		"  # a comment\n"
		"\n"
		"\tendpoint_url = http://nested\n"
		"  max_concurrent_requests = 20\n"
		"s3api =\n"
		"  endpoint_url = http://wrong\n"
		"  no setting, and not ours\n"
		"region = r\n"
		"[profile x]\n"
		"s3 =\n"
		"  addressing_style = virtual\n");
	assert_string_equal(profile.addressing_style, "path");
	assert_string_equal(profile.endpoint_url_s3, "http://nested");
	assert_string_equal(profile.endpoint_url, "");
	assert_string_equal(profile.region, "r");
}

static void lines_indented_alike_are_settings(void **state)
{
	profile_init(&profile);
	parse(PROFILE_CONFIG, "default",
		"[default]\n"
		"    region = r\n"
		"    s3 =\n"
		"        addressing_style = auto\n"
		"    endpoint_url = u\n");
	assert_string_equal(profile.region, "r");
	assert_string_equal(profile.addressing_style, "auto");
	assert_string_equal(profile.endpoint_url, "u");
}

static void follows_services(void **state)
{
	profile_init(&profile);
	parse(PROFILE_CONFIG, "default",
		"[services local]\n"
		"ec2 =\n"
		"  endpoint_url = http://wrong\n"
		"s3 =\n"
		"  endpoint_url = http://right\n"
		"[services other]\n"
		"s3 =\n"
		"  endpoint_url = http://other\n"
		"[default]\n"
		"services = local\n"
		"endpoint_url = http://general\n"
		"s3 =\n"
		"  endpoint_url = http://own\n");
	assert_string_equal(profile.endpoint_url, "http://general");
	assert_string_equal(profile.endpoint_url_s3, "http://right");
	profile_init(&profile);
	parse(PROFILE_CONFIG, "default",
		"[default]\nservices = none\n[services local]\ns3 =\n  endpoint_url = u\n");
	assert_string_equal(profile.endpoint_url_s3, "");
}

static void second_file_wins(void **state)
{
	profile_init(&profile);
	parse(PROFILE_CONFIG, "default",
		"[default]\nregion = r\naws_access_key_id = OLD\naws_secret_access_key = "
		"old\naws_session_token = oldtoken\n");
	parse(PROFILE_CREDENTIALS, "default",
		"[default]\naws_access_key_id = NEW\naws_secret_access_key = new\n");
	assert_string_equal(profile.region, "r");
	assert_string_equal(profile.access_key, "NEW");
	assert_string_equal(profile.secret, "new");
	assert_string_equal(profile.token, ""); /* one key's token is never sent with another */
	parse(PROFILE_CREDENTIALS, "default", "[other]\naws_access_key_id = X\n");
	assert_string_equal(profile.access_key, "NEW");
}

static void takes_odd_line_ends(void **state)
{
	profile_init(&profile);
	parse(PROFILE_CONFIG, "default",
		"\xef\xbb\xbf[default]\r\nregion = r \r\n\r\ns3 =\r\n  addressing_style = path");
	assert_string_equal(profile.region, "r");
	assert_string_equal(profile.addressing_style, "path");
	profile_init(&profile);
	parse(PROFILE_CONFIG, "default", "");
	parse(PROFILE_CONFIG, "default", "\n");
	parse(PROFILE_CONFIG, "default", "[default]\nregion = # none\nendpoint_url =#x");
	assert_string_equal(profile.region, "");
	assert_string_equal(profile.endpoint_url, "#x");
}

static void tells_the_broken_line(void **state)
{
	char text[400] = "[default]\n\nregion = ";

	fails_at(PROFILE_CONFIG, STR("[default]\nregion\n"), 2);
	fails_at(PROFILE_CONFIG, STR("\n[default\nregion = r\n"), 2);
	fails_at(PROFILE_CONFIG, STR("[default] x\n"), 1);
	fails_at(PROFILE_CONFIG, STR("[default]\n= r\n"), 2);
	fails_at(PROFILE_CONFIG, STR("[default]\nregion = r\n  more\n"), 3);
	fails_at(PROFILE_CONFIG, STR("[default]\ns3 =\n  nothing\n"), 3);
	fails_at(PROFILE_CONFIG, STR("[default]\nregion = a\0b\n"), 2);
	fails_at(PROFILE_CONFIG, STR("[other]\nbroken\n[default]\n"), 2);
	memset(text + strlen(text), 'r', 65);
	fails_at(PROFILE_CONFIG, str_of(text), 3);
}

static void wipes(void **state)
{
	profile_init(&profile);
	parse(PROFILE_CREDENTIALS, "default", "[default]\naws_secret_access_key = s\n");
	profile_wipe(&profile);
	for (size_t i = 0; i < sizeof(profile); i++)
		assert_int_equal(((const char *)&profile)[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_credentials),
		cmocka_unit_test(reads_a_token_of_2000_bytes),
		cmocka_unit_test(reads_config),
		cmocka_unit_test(reads_nested_settings),
		cmocka_unit_test(lines_indented_alike_are_settings),
		cmocka_unit_test(follows_services),
		cmocka_unit_test(second_file_wins),
		cmocka_unit_test(takes_odd_line_ends),
		cmocka_unit_test(tells_the_broken_line),
		cmocka_unit_test(wipes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
