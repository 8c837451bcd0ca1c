/*
 * sign: AWS Signature Version 4 (AWS, "Signature Version 4 signing process"), with OpenSSL.
 *
 * A signer keeps its buffers and the derived day keys it used last, so that a signature costs no allocation,
 * one HMAC and two hashes (about 1 us; 1 us more for a new day key).  One signer belongs to one thread.
 * Nothing of the credentials is kept but a hash of them and the derived keys, wiped by signer_free.
 */
#ifndef FERRYFS_S3_SIGN_H
#define FERRYFS_S3_SIGN_H

#include <stdint.h>
#include "s3/buf.h"
#include "s3/credentials.h"

enum { SHA256_HEX = 64, SHA256_BASE64 = 44, MD5_HEX = 32, MD5_BASE64 = 24 };

struct signer;

int signer_new(struct signer **ret);
void signer_free(struct signer *signer);

/* One header, its name in lower case, its value trimmed. */
struct sign_header {
	struct str name;
	struct str value;
};

struct sign_input {
	struct str method; /* "GET" */
	struct str path; /* encoded, absolute */
	struct str query; /* canonical: encoded, sorted, "a=&b=c" */
	struct sign_header *headers; /* sorted by name here, in place; all of them are signed */
	unsigned header_count;
	struct str payload; /* hash in hex, or UNSIGNED-PAYLOAD */
	struct str region;
	struct str service; /* "s3" */
	int64_t now; /* seconds since 1970; the x-amz-date header among headers says the same */
};

/* Appends the value of the Authorization header to ret, which input must not point into.  Values of one name
 * are signed as one, joined by commas, and several spaces as one.  -EINVAL: anonymous credentials, or no
 * region or service; -EOVERFLOW: more than a signer's bounds; -ENOMEM. */
int signer_sign(struct signer *signer, const struct credentials *credentials, struct sign_input *input,
	struct buf *ret);

/* SHA-256 in hex of data; ret has 64 digits and a NUL. */
int signer_sha256(struct signer *signer, const void *data, size_t len, char ret[SHA256_HEX + 1]);

/* The SHA-256 that these 64 hex digits stand for in base64, as x-amz-checksum-sha256 wants it. */
void sign_sha256_base64(const char *hex, char ret[SHA256_BASE64 + 1]);

/* MD5 in base64, as Content-MD5 wants it; ret has 24 digits and a NUL.  -EOPNOTSUPP where OpenSSL has none
 * (FIPS), -EIO when it fails. */
int signer_md5(struct signer *signer, const void *data, size_t len, char ret[MD5_BASE64 + 1]);

#endif
