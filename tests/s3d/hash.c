#include "tests/s3d/hash.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

/* Fetched once: EVP_sha256() looks the implementation up in every call (0.7 against 1.8 us a signature). */
static EVP_MD *md5, *sha256;
static EVP_MD_CTX *ctx, *md5_ctx;
static uint32_t crc_table[2][256];

static void crc_fill(uint32_t *table, uint32_t polynomial)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? polynomial ^ (c >> 1) : c >> 1;
		table[i] = c;
	}
}

int hash_init(void)
{
	crc_fill(crc_table[0], 0xedb88320);
	crc_fill(crc_table[1], 0x82f63b78);
	md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	ctx = EVP_MD_CTX_new();
	md5_ctx = EVP_MD_CTX_new();
	return md5 && sha256 && ctx && md5_ctx ? 0 : -ENOMEM;
}

void hash_release(void)
{
	EVP_MD_CTX_free(ctx);
	EVP_MD_CTX_free(md5_ctx);
	EVP_MD_free(md5);
	EVP_MD_free(sha256);
}

void hash_md5(struct span s, unsigned char out[MD5_LEN])
{
	hash_md5_start();
	hash_md5_more(s.p, s.n);
	hash_md5_end(out);
}

void hash_md5_start(void)
{
	EVP_DigestInit_ex2(md5_ctx, md5, NULL);
}

void hash_md5_more(const void *p, size_t n)
{
	EVP_DigestUpdate(md5_ctx, p, n);
}

void hash_md5_end(unsigned char out[MD5_LEN])
{
	EVP_DigestFinal_ex(md5_ctx, out, NULL);
}

static void sha256_two(struct span a, struct span b, unsigned char out[SHA256_LEN])
{
	EVP_DigestInit_ex2(ctx, sha256, NULL);
	EVP_DigestUpdate(ctx, a.p, a.n);
	EVP_DigestUpdate(ctx, b.p, b.n);
	EVP_DigestFinal_ex(ctx, out, NULL);
}

void hash_sha256(struct span s, unsigned char out[SHA256_LEN])
{
	sha256_two(s, (struct span){0}, out);
}

void hash_hmac(struct span key, struct span s, unsigned char out[SHA256_LEN])
{
	unsigned char pad[64] = {0}, inner[SHA256_LEN];

	if (key.n > sizeof(pad))
		hash_sha256(key, pad);
	else if (key.n)
		memcpy(pad, key.p, key.n);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	sha256_two((struct span){(char *)pad, sizeof(pad)}, s, inner);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	sha256_two((struct span){(char *)pad, sizeof(pad)}, (struct span){(char *)inner, sizeof(inner)}, out);
}

static uint32_t crc_run(const uint32_t *table, uint32_t crc, struct span s)
{
	crc = ~crc;
	for (size_t i = 0; i < s.n; i++)
		crc = table[(crc ^ (unsigned char)s.p[i]) & 255] ^ (crc >> 8);
	return ~crc;
}

uint32_t hash_crc32(uint32_t crc, struct span s)
{
	return crc_run(crc_table[0], crc, s);
}

uint32_t hash_crc32c(uint32_t crc, struct span s)
{
	return crc_run(crc_table[1], crc, s);
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

int base64_decode(struct span text, unsigned char *out, size_t room)
{
	size_t n = 0, pad = 0;

	if (text.n % 4)
		return -EINVAL;
	while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < text.n; i += 4) {
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			int d = i + k >= text.n - pad ? 0 : base64_digit(text.p[i + k]);

			if (d < 0)
				return -EINVAL;
			v = v << 6 | (uint32_t)d;
		}
		for (size_t k = 0; k < 3 && (i / 4 * 3 + k) < text.n / 4 * 3 - pad; k++) {
			if (n == room)
				return -EINVAL;
			out[n++] = (unsigned char)(v >> (16 - 8 * k));
		}
	}
	return (int)n;
}

void base64_encode(struct buf *b, const unsigned char *p, size_t n)
{
	size_t room = 4 * ((n + 2) / 3) + 1;

	if (buf_reserve(b, room) < 0)
		return;
	b->len += (size_t)EVP_EncodeBlock((unsigned char *)b->p + b->len, p, (int)n);
}

bool hash_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
