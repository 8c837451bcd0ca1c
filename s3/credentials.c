#include <errno.h>
#include <openssl/crypto.h>
#include "s3/credentials.h"

static bool is_visible(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] <= ' ' || s.data[i] > '~')
			return false;
	}
	return true;
}

int credentials_set(
	struct credentials *credentials, struct str access_key, struct str secret, struct str token)
{
	if (access_key.len == 0 || secret.len == 0)
		return -EINVAL;
	if (access_key.len > CREDENTIALS_KEY_MAX || secret.len > CREDENTIALS_SECRET_MAX ||
		token.len > CREDENTIALS_TOKEN_MAX)
		return -EOVERFLOW;
	/* A comma would end the Credential field of the Authorization header. */
	if (!is_visible(access_key) || memchr(access_key.data, ',', access_key.len) || !is_visible(token))
		return -EINVAL;
	/* The secret goes into a hash only, but one with a control byte in it is a file read wrongly. */
	for (size_t i = 0; i < secret.len; i++) {
		unsigned char c = (unsigned char)secret.data[i];

		if (c < ' ' || c == 0x7f)
			return -EINVAL;
	}
	credentials_wipe(credentials);
	memcpy(credentials->access_key, access_key.data, access_key.len);
	memcpy(credentials->secret, secret.data, secret.len);
	if (token.len)
		memcpy(credentials->token, token.data, token.len);
	return 0;
}

void credentials_wipe(struct credentials *credentials)
{
	OPENSSL_cleanse(credentials, sizeof(*credentials));
}
