/*
 * profile: the texts of ~/.aws/credentials and ~/.aws/config.
 *
 * A small parser of our own: Debian's inih cuts lines at 199 bytes, and a session token is longer.  It reads
 * a text in memory and takes the settings of one profile; the engine reads the files.  Sections are [name] in
 * credentials, [default] or [profile name] in config.  Comments begin with # or ; at the start of a line, or
 * after white space (AWS SDKs, "Format of the config file"); a value is trimmed at both ends and may hold `;`
 * and `#` after anything but white space.  Lines indented deeper than a setting without a value are nested
 * settings (s3 =\n  addressing_style = path) and only those of `s3` are read; below a setting with a value
 * they would continue it, which is an error for a setting read here.  An unknown setting is skipped; one that
 * changes how an SDK sends requests, and has no effect here, is noted.  A
 * section that comes twice is one.
 */
#ifndef FERRYFS_S3_PROFILE_H
#define FERRYFS_S3_PROFILE_H

#include "s3/credentials.h"

enum { PROFILE_VALUE_MAX = 8192, PROFILE_NAME_MAX = 255 };

enum profile_file { PROFILE_CREDENTIALS, PROFILE_CONFIG };

/* Settings found; those not found stay as they were ("" after profile_init), so that a second file's win over
 * the first's; but a section with an access key brings its own secret and token, or none. */
struct profile {
	bool found; /* the section exists */
	char access_key[CREDENTIALS_KEY_MAX + 1];
	char secret[CREDENTIALS_SECRET_MAX + 1];
	char token[CREDENTIALS_TOKEN_MAX + 1];
	char region[65];
	char endpoint_url[1025]; /* endpoint_url of the profile */
	char endpoint_url_s3[1025]; /* of its s3 part, or of a [services] section it names: wins */
	char services[PROFILE_NAME_MAX + 1];
	char ca_bundle[4097];
	char addressing_style[17];
	char source_profile[PROFILE_NAME_MAX + 1]; /* known but not followed: told in the error */
	char role_arn[2049];
	char credential_process[4097];
	char sso[PROFILE_NAME_MAX + 1]; /* sso_session or sso_start_url */
	char sso_account[PROFILE_NAME_MAX + 1]; /* sso_account_id: with it the profile signs in through SSO */
	char login_session[2049], web_identity[4097], credential_source[65];
	char use_fips[17], use_dualstack[17];
	unsigned passed_over; /* bits: settings that are known and have no effect here */
};

/* The name of a setting that is passed over, by its bit; NULL past the last. */
const char *profile_passed_over(unsigned bit);

void profile_init(struct profile *profile);
void profile_wipe(struct profile *profile);

/* Reads the section of `name` from text.  -EBADMSG with *ret_line (from 1) on a line that is neither section,
 * setting nor comment, or on a value past its bound; profile then holds some of the settings. */
int profile_parse(struct profile *profile, enum profile_file file, const char *name, struct str text,
	unsigned *ret_line);

#endif
