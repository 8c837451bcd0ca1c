/*
 * Digests and text forms of them: MD5, SHA-256, HMAC-SHA-256, CRC-32, CRC-32C, base64.
 * hash_init() once before the rest; one thread only (the digest context is shared).
 */
#ifndef S3D_HASH_H
#define S3D_HASH_H

#include "tests/s3d/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MD5_LEN 16
#define SHA256_LEN 32

int hash_init(void);
void hash_release(void);

void hash_md5(struct span s, unsigned char out[MD5_LEN]);
void hash_sha256(struct span s, unsigned char out[SHA256_LEN]);
void hash_hmac(struct span key, struct span s, unsigned char out[SHA256_LEN]);
/* Reflected CRCs, chainable: start with 0.  Values as zlib's crc32 and RFC 3720's CRC-32C. */
uint32_t hash_crc32(uint32_t crc, struct span s);
uint32_t hash_crc32c(uint32_t crc, struct span s);

/* MD5 in pieces; one at a time. */
void hash_md5_start(void);
void hash_md5_more(const void *p, size_t n);
void hash_md5_end(unsigned char out[MD5_LEN]);

/* Strict base64 with padding; `room` bytes at out.  Returns the length, or -EINVAL. */
int base64_decode(struct span text, unsigned char *out, size_t room);
void base64_encode(struct buf *b, const unsigned char *p, size_t n);
/* Equal in constant time. */
bool hash_equal(const void *a, const void *b, size_t n);

#endif
