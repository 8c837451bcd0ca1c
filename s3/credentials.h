/*
 * credentials: an access key, its secret and, for temporary ones, a session token.
 *
 * A value with fixed bounds: nothing to free, but credentials_wipe before it goes out of scope.  Never
 * printed, never logged.  A token of AWS is some hundred bytes to over 2,000.
 */
#ifndef FERRYFS_S3_CREDENTIALS_H
#define FERRYFS_S3_CREDENTIALS_H

#include <stdint.h>
#include "s3/str.h"

enum {
	CREDENTIALS_KEY_MAX = 128,
	CREDENTIALS_SECRET_MAX = 256,
	CREDENTIALS_TOKEN_MAX = 8192,
};

struct credentials {
	bool anonymous; /* --no-sign-request: nothing below is set */
	char access_key[CREDENTIALS_KEY_MAX + 1];
	char secret[CREDENTIALS_SECRET_MAX + 1];
	char token[CREDENTIALS_TOKEN_MAX + 1]; /* "" when there is none */
	int64_t expires; /* seconds since 1970, 0: never */
};

/* Copies; token may be STR_NONE; expires becomes 0, anonymous false.  -EINVAL: key or secret is empty or one
 * of the three holds bytes that a header cannot carry; -EOVERFLOW: one is too long.  Unchanged on failure. */
int credentials_set(
	struct credentials *credentials, struct str access_key, struct str secret, struct str token);
void credentials_wipe(struct credentials *credentials);

#endif
