/*
 * Where credentials and settings come from: environment, ~/.aws/credentials, ~/.aws/config, in the AWS CLI's
 * order.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/account/account_internal.h"
#include "engine/base/log.h"
#include "s3/escape.h"

enum { FILE_BYTES_MAX = 1 << 20 };

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

/* A heap copy of the variable's path, else of NAME below the home directory; NULL in *ret without a home. */
static int find_path(const char *variable, const char *name, char **ret)
{
	const char *path = environment(variable), *home = environment("HOME");
	char space[4096];
	struct passwd entry, *found = NULL;

	*ret = NULL;
	if (path) {
		*ret = strdup(path);
		return *ret ? 0 : -ENOMEM;
	}
	if (!home && getpwuid_r(getuid(), &entry, space, sizeof(space), &found) == 0 && found)
		home = found->pw_dir;
	if (!home)
		return 0;
	if (asprintf(ret, "%s/.aws/%s", home, name) < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

int account_source_init(struct account_source *source, const struct account_options *options, char *why)
{
	const char *profile = options->profile && options->profile[0] ? options->profile : NULL;
	int error;

	*source = (struct account_source){
		.profile_option = profile,
		.no_sign_request = options->no_sign_request,
	};
	if (!profile)
		profile = environment("AWS_PROFILE");
	if (!profile)
		profile = environment("AWS_DEFAULT_PROFILE");
	source->profile_named = profile;
	if (!profile)
		profile = "default";
	if (strlen(profile) > PROFILE_NAME_MAX) {
		snprintf(why, ACCOUNT_WHY_MAX, "The profile's name is too long.");
		return -EINVAL;
	}
	strcpy(source->profile, profile);
	error = find_path("AWS_SHARED_CREDENTIALS_FILE", "credentials", &source->credentials_path);
	return error < 0 ? error : find_path("AWS_CONFIG_FILE", "config", &source->config_path);
}

void account_source_release(struct account_source *source)
{
	free(source->credentials_path);
	free(source->config_path);
	*source = (struct account_source){0};
}

/* Appends at most FILE_BYTES_MAX of fd. */
static int read_all(int fd, struct buf *text)
{
	char piece[16384];
	ssize_t got;
	int error = 0;

	for (;;) {
		got = read(fd, piece, sizeof(piece));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		error = buf_add(text, piece, (size_t)got);
		if (error < 0)
			break;
	}
	if (got < 0)
		error = -errno;
	explicit_bzero(piece, sizeof(piece));
	return error;
}

/* The bytes of a file that may hold secrets.  A file that is not there is empty. */
static int read_file(const char *path, bool secret, struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), error;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (fstat(fd, &st) < 0) {
		error = -errno;
	} else if (S_ISDIR(st.st_mode)) {
		error = -EISDIR;
	} else {
		if (secret && S_ISREG(st.st_mode) && st.st_mode & 077 &&
			log_once("credentials mode", STR_NONE, str_of(path))) {
			struct buf name;

			buf_init(&name, LOG_LINE_MAX);
			escape_text(&name, str_of(path));
			log_text(LOG_LEVEL_WARNING,
				"%s can be read or written by others (mode %03o); chmod 600 it",
				buf_text(&name), (unsigned)st.st_mode & 0777);
			buf_release(&name);
		}
		error = read_all(fd, text);
	}
	close(fd);
	return error;
}

/* A path for a sentence to the user: escaped, and cut where it is very long. */
static void shown(const char *path, char ret[256])
{
	struct buf text;

	buf_init(&text, 255);
	escape_text(&text, str_of(path));
	snprintf(ret, 256, "%s", text.error ? "(a very long path)" : buf_text(&text));
	buf_release(&text);
}

static int read_profile(
	struct account_source *source, enum profile_file file, struct profile *profile, char *why)
{
	const char *path = file == PROFILE_CREDENTIALS ? source->credentials_path : source->config_path;
	char name[256], words[128];
	unsigned line = 0;
	struct buf text;
	int error;

	if (!path)
		return 0;
	buf_init(&text, FILE_BYTES_MAX);
	error = read_file(path, file == PROFILE_CREDENTIALS, &text);
	shown(path, name);
	if (error < 0) {
		snprintf(why, ACCOUNT_WHY_MAX, "Can't read %s: %s.", name,
			strerror_r(-error, words, sizeof(words)));
		error = error == -ENOMEM ? error : -EINVAL;
		goto out;
	}
	error = profile_parse(profile, file, source->profile, buf_str(&text), &line);
	if (error < 0) {
		snprintf(why, ACCOUNT_WHY_MAX, "%s, line %u: not understood.", name, line);
		error = -EINVAL;
	}
out:
	if (text.data)
		explicit_bzero(text.data, text.size);
	buf_release(&text);
	return error;
}

/* Keys given in the environment: 1 found, 0 not there. */
static int from_environment(struct credentials *credentials, char *why)
{
	const char *key = environment("AWS_ACCESS_KEY_ID"), *secret = environment("AWS_SECRET_ACCESS_KEY");
	const char *token = environment("AWS_SESSION_TOKEN");

	if (!key && !secret)
		return 0;
	if (!key || !secret) {
		snprintf(why, ACCOUNT_WHY_MAX, "%s is set but %s is not.",
			key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
			key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
		return -EINVAL;
	}
	if (credentials_set(credentials, str_of(key), str_of(secret), str_of(token)) < 0) {
		snprintf(why, ACCOUNT_WHY_MAX,
			"AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN can't be a "
			"credential: too long, "
			"or with bytes that a header can't carry.");
		return -EINVAL;
	}
	return 1;
}

/* Another identity acts than the one of the profile's own keys: these must not be used in its place.  Order
 * and names as in the AWS CLI. */
static const char *other_identity(const struct profile *profile)
{
	return profile->web_identity[0] && profile->role_arn[0]
		       ? "assumes a role by a token (web_identity_token_file)"
	       : profile->role_arn[0]	   ? "assumes a role (role_arn)"
	       : profile->sso_account[0]   ? "signs in through SSO"
	       : profile->login_session[0] ? "signs in by 'aws login' (login_session)"
					   : NULL;
}

/* Keys of another kind than those in a file, where there are none of these. */
static const char *unsupported(const struct profile *profile)
{
	return profile->sso[0]			? "signs in through SSO"
	       : profile->credential_process[0] ? "runs a program for its credentials (credential_process)"
	       : profile->credential_source[0]	? "names a source of credentials (credential_source)"
	       : profile->web_identity[0]	? "names a token (web_identity_token_file)"
						: NULL;
}

/* A variable that says where credentials are to be had, and is not followed here; NULL: none. */
static const char *other_source(bool *ret_web)
{
	static const char *const names[] = {
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"};

	*ret_web = environment("AWS_WEB_IDENTITY_TOKEN_FILE") && environment("AWS_ROLE_ARN");
	if (*ret_web || environment("AWS_WEB_IDENTITY_TOKEN_FILE"))
		return "AWS_WEB_IDENTITY_TOKEN_FILE";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (environment(names[i]))
			return names[i];
	return environment("AWS_ROLE_ARN") ? "AWS_ROLE_ARN" : NULL;
}

static int refuse_source(const char *name, char *why)
{
	snprintf(why, ACCOUNT_WHY_MAX,
		"%s is set, and ferryfs does not fetch credentials from there itself. Run: eval \"$(aws "
		"configure export-credentials --format env)\"",
		name);
	return -EACCES;
}

static int refuse_profile(const struct account_source *source, const char *kind, char *why)
{
	snprintf(why, ACCOUNT_WHY_MAX,
		"Profile %.64s %s, which ferryfs does not do itself. Run: eval \"$(aws configure "
		"export-credentials --profile %.64s --format env)\"",
		source->profile, kind, source->profile);
	return -EACCES;
}

static int from_profile(const struct account_source *source, const struct profile *profile,
	struct credentials *credentials, char *why)
{
	const char *other = other_identity(profile), *kind = unsupported(profile), *variable;
	bool web;

	if (other)
		return refuse_profile(source, other, why);
	/* As the AWS CLI: before the keys of a profile that was not asked for by option. */
	variable = other_source(&web);
	if (web && !source->profile_option)
		return refuse_source(variable, why);
	if (profile->access_key[0] && profile->secret[0]) {
		if (credentials_set(credentials, str_of(profile->access_key), str_of(profile->secret),
			    str_of(profile->token)) == 0)
			return 0;
		snprintf(why, ACCOUNT_WHY_MAX, "The keys of profile %s can't be credentials.",
			source->profile);
		return -EINVAL;
	}
	if (profile->access_key[0] || profile->secret[0])
		snprintf(why, ACCOUNT_WHY_MAX,
			"Profile %s has only one of aws_access_key_id and aws_secret_access_key.",
			source->profile);
	else if (kind)
		return refuse_profile(source, kind, why);
	else if (variable)
		return refuse_source(variable, why);
	else
		snprintf(why, ACCOUNT_WHY_MAX,
			"No credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or put them "
			"into "
			"~/.aws/credentials (profile %s), or use --no-sign-request for public data.",
			source->profile);
	return -EACCES;
}

int account_source_read(struct account_source *source, struct account_found *ret, char *why)
{
	struct profile *profile = &ret->profile;
	int error;

	profile_init(profile);
	error = read_profile(source, PROFILE_CONFIG, profile, why);
	if (error == 0)
		error = read_profile(source, PROFILE_CREDENTIALS, profile, why);
	if (error < 0)
		return error;
	if (source->profile_named && !profile->found) {
		snprintf(why, ACCOUNT_WHY_MAX,
			"There is no profile %s in ~/.aws/credentials or ~/.aws/config.", source->profile);
		return -ENOENT;
	}
	if (source->no_sign_request) {
		ret->credentials = (struct credentials){.anonymous = true};
		return 0;
	}
	if (!source->profile_option) {
		error = from_environment(&ret->credentials, why);
		ret->from_environment = error > 0;
		if (error != 0)
			return error < 0 ? error : 0;
	}
	return from_profile(source, profile, &ret->credentials, why);
}
