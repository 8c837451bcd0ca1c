/*
 * A signature is HMAC(day key, "AWS4-HMAC-SHA256" date scope hash(canonical request)).  The day key takes
 * four HMACs of its own and changes only with the credentials, the UTC day, the region and the service, so
 * the last few are kept:
 *
 *   day_key.used == 0   the place is free
 *   otherwise           `key` was made for id, day, region and service; `used` is the clock of its
 * last use, and the place with the least of them is given up for a new one.
 *
 * id is SHA-256 of access key, NUL, secret: the secret itself is never kept.  Of a day key the two states are
 * kept that HMAC (RFC 2104) has reached after its padded key, which saves two blocks a signature.
 *
 * SHA-256 is OpenSSL's older interface, deprecated but there in every 3.x: its context is a value, where each
 * EVP_DigestInit and EVP_MD_CTX_copy of 3.0 makes a heap allocation (counted) and takes 0.11 us for a block,
 * not 0.07.
 */
#define OPENSSL_API_COMPAT 0x10100000L
#include <errno.h>
#include <stdlib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include "s3/endpoint.h"
#include "s3/sign.h"
#include "s3/when.h"

enum {
	HASH = 32, /* bytes of SHA-256 */
	BLOCK = 64, /* its block */
	DAY = 8, /* "20261123" */
	DAY_KEYS = 8,
	SERVICE_MAX = 16,
	/* Path and query of 3 bytes for one, a whole struct headers, a session token. */
	CANONICAL_MAX = 256 << 10,
};

/* HMAC after its padded key. */
struct hmac_key {
	SHA256_CTX inner, outer;
};

struct day_key {
	uint64_t used;
	unsigned char id[HASH];
	struct hmac_key key;
	char day[DAY];
	char region[REGION_MAX + 1];
	char service[SERVICE_MAX + 1];
};

struct signer {
	EVP_MD *md5; /* fetched by its first use: not every installation has it */
	uint64_t clock;
	struct buf canonical; /* holds the session token: wiped */
	struct buf scope; /* "20261123/us-east-1/s3/aws4_request" */
	struct buf names; /* "host;x-amz-date" */
	struct buf text; /* string to sign */
	struct day_key days[DAY_KEYS];
};

int signer_new(struct signer **ret)
{
	struct signer *signer = calloc(1, sizeof(*signer));

	if (!signer)
		return -ENOMEM;
	buf_init(&signer->canonical, CANONICAL_MAX);
	buf_init(&signer->scope, CANONICAL_MAX);
	buf_init(&signer->names, CANONICAL_MAX);
	buf_init(&signer->text, CANONICAL_MAX);
	*ret = signer;
	return 0;
}

void signer_free(struct signer *signer)
{
	if (!signer)
		return;
	if (signer->canonical.data)
		OPENSSL_cleanse(signer->canonical.data, signer->canonical.size);
	buf_release(&signer->canonical);
	buf_release(&signer->scope);
	buf_release(&signer->names);
	buf_release(&signer->text);
	EVP_MD_free(signer->md5);
	OPENSSL_cleanse(signer, sizeof(*signer));
	free(signer);
}

static void hash(const void *data, size_t len, unsigned char ret[HASH])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, data, len);
	SHA256_Final(ret, &c);
}

/* key is at most BLOCK bytes. */
static void hmac_key_make(struct hmac_key *ret, const unsigned char *key, size_t len)
{
	unsigned char inner[BLOCK] = {0}, outer[BLOCK];

	memcpy(inner, key, len);
	for (int i = 0; i < BLOCK; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	SHA256_Init(&ret->inner);
	SHA256_Update(&ret->inner, inner, BLOCK);
	SHA256_Init(&ret->outer);
	SHA256_Update(&ret->outer, outer, BLOCK);
	OPENSSL_cleanse(inner, sizeof(inner));
	OPENSSL_cleanse(outer, sizeof(outer));
}

static void hmac(const struct hmac_key *key, struct str text, unsigned char ret[HASH])
{
	SHA256_CTX c = key->inner;
	unsigned char digest[HASH];

	SHA256_Update(&c, text.data, text.len);
	SHA256_Final(digest, &c);
	c = key->outer;
	SHA256_Update(&c, digest, HASH);
	SHA256_Final(ret, &c);
}

static void put_hex(const unsigned char bytes[HASH], char ret[SHA256_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < HASH; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[SHA256_HEX] = '\0';
}

int signer_sha256(struct signer *signer, const void *data, size_t len, char ret[SHA256_HEX + 1])
{
	unsigned char digest[HASH];

	hash(data, len, digest);
	put_hex(digest, ret);
	return 0;
}

static unsigned char nibble(char c)
{
	return (unsigned char)(c >= 'a' ? c - 'a' + 10 : c - '0');
}

void sign_sha256_base64(const char *hex, char ret[SHA256_BASE64 + 1])
{
	unsigned char digest[HASH];

	for (int i = 0; i < HASH; i++)
		digest[i] = (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	EVP_EncodeBlock((unsigned char *)ret, digest, HASH);
}

int signer_md5(struct signer *signer, const void *data, size_t len, char ret[MD5_BASE64 + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE], text[MD5_BASE64 + 1];
	unsigned digest_len;

	if (!signer->md5)
		signer->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	if (!signer->md5)
		return -EOPNOTSUPP;
	if (!EVP_Digest(data, len, digest, &digest_len, signer->md5, NULL))
		return -EIO;
	EVP_EncodeBlock(text, digest, (int)digest_len);
	memcpy(ret, text, sizeof(text));
	return 0;
}

static void day_key_id(const struct credentials *credentials, unsigned char ret[HASH])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, credentials->access_key, strlen(credentials->access_key) + 1);
	SHA256_Update(&c, credentials->secret, strlen(credentials->secret));
	SHA256_Final(ret, &c);
}

/* AWS, "Derive a signing key" */
static void day_key_derive(struct day_key *day, const char *secret)
{
	const struct str steps[] = {
		str_n(day->day, DAY), str_of(day->region), str_of(day->service), STR("aws4_request")};
	unsigned char start[4 + CREDENTIALS_SECRET_MAX], link[HASH];
	size_t len = 4 + strlen(secret);

	memcpy(start, "AWS4", 4);
	memcpy(start + 4, secret, len - 4);
	if (len > BLOCK) { /* RFC 2104: a longer key is hashed first */
		hash(start, len, link);
		hmac_key_make(&day->key, link, HASH);
	} else {
		hmac_key_make(&day->key, start, len);
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		hmac(&day->key, steps[i], link);
		hmac_key_make(&day->key, link, HASH);
	}
	OPENSSL_cleanse(start, sizeof(start));
	OPENSSL_cleanse(link, sizeof(link));
}

/* The kept day key of these, made where there is none.  input's region and service are within their bounds.
 */
static const struct hmac_key *day_key_get(struct signer *signer, const struct credentials *credentials,
	const struct sign_input *input, const char *day)
{
	struct day_key *oldest = &signer->days[0];
	unsigned char id[HASH];

	day_key_id(credentials, id);
	for (int i = 0; i < DAY_KEYS; i++) {
		struct day_key *d = &signer->days[i];

		if (d->used < oldest->used)
			oldest = d;
		if (d->used && memcmp(d->day, day, DAY) == 0 && memcmp(d->id, id, HASH) == 0 &&
			str_eq(str_of(d->region), input->region) &&
			str_eq(str_of(d->service), input->service)) {
			d->used = ++signer->clock;
			return &d->key;
		}
	}
	OPENSSL_cleanse(oldest, sizeof(*oldest));
	memcpy(oldest->id, id, HASH);
	memcpy(oldest->day, day, DAY);
	memcpy(oldest->region, input->region.data, input->region.len);
	memcpy(oldest->service, input->service.data, input->service.len);
	day_key_derive(oldest, credentials->secret);
	oldest->used = ++signer->clock;
	return &oldest->key;
}

/* By name; stable, since values of one name are signed in the order in which they are sent. */
static void sort_headers(struct sign_header *headers, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		struct sign_header moving = headers[i];
		unsigned at = i;

		while (at > 0 && str_cmp(headers[at - 1].name, moving.name) > 0) {
			headers[at] = headers[at - 1];
			at--;
		}
		headers[at] = moving;
	}
}

/* AWS, "Create a canonical request": several spaces are signed as one. */
static void add_value(struct buf *buf, struct str value)
{
	size_t run = 0;

	for (size_t i = 1; i < value.len; i++) {
		if (value.data[i] != ' ' || value.data[i - 1] != ' ')
			continue;
		if (i > run)
			buf_add(buf, value.data + run, i - run);
		run = i + 1;
	}
	if (value.len > run)
		buf_add(buf, value.data + run, value.len - run);
}

static void add_line(struct buf *buf, struct str s)
{
	buf_add_str(buf, s);
	buf_add_char(buf, '\n');
}

static int make_canonical(struct signer *signer, const struct sign_input *input)
{
	struct buf *out = &signer->canonical, *names = &signer->names;

	buf_clear(out);
	buf_clear(names);
	add_line(out, input->method);
	add_line(out, input->path);
	add_line(out, input->query);
	for (unsigned i = 0; i < input->header_count; i++) {
		const struct sign_header *h = &input->headers[i];

		if (i && str_eq(h->name, h[-1].name)) {
			buf_add_char(out, ',');
		} else {
			if (i) {
				buf_add_char(out, '\n');
				buf_add_char(names, ';');
			}
			buf_add_str(names, h->name);
			buf_add_str(out, h->name);
			buf_add_char(out, ':');
		}
		add_value(out, h->value);
	}
	buf_add_text(out, "\n\n");
	if (names->error)
		return names->error;
	add_line(out, buf_str(names));
	return buf_add_str(out, input->payload);
}

static int make_text(struct signer *signer, const char *stamp, const struct sign_input *input)
{
	struct buf *scope = &signer->scope, *text = &signer->text;
	unsigned char digest[HASH];
	char hex[SHA256_HEX + 1];
	int error;

	hash(signer->canonical.data, signer->canonical.len, digest);
	put_hex(digest, hex);
	buf_clear(scope);
	buf_add(scope, stamp, DAY);
	buf_add_char(scope, '/');
	buf_add_str(scope, input->region);
	buf_add_char(scope, '/');
	buf_add_str(scope, input->service);
	error = buf_add_text(scope, "/aws4_request");
	if (error)
		return error;
	buf_clear(text);
	buf_add_text(text, "AWS4-HMAC-SHA256\n");
	add_line(text, str_of(stamp));
	add_line(text, buf_str(scope));
	return buf_add_text(text, hex);
}

int signer_sign(struct signer *signer, const struct credentials *credentials, struct sign_input *input,
	struct buf *ret)
{
	unsigned char signature[HASH];
	char stamp[17], hex[SHA256_HEX + 1];
	int error;

	if (credentials->anonymous || input->region.len == 0 || input->region.len > REGION_MAX ||
		input->service.len == 0 || input->service.len > SERVICE_MAX)
		return -EINVAL;
	when_amz(input->now, stamp);
	sort_headers(input->headers, input->header_count);
	error = make_canonical(signer, input);
	if (!error)
		error = make_text(signer, stamp, input);
	if (error)
		return error;
	hmac(day_key_get(signer, credentials, input, stamp), buf_str(&signer->text), signature);
	put_hex(signature, hex);
	buf_add_text(ret, "AWS4-HMAC-SHA256 Credential=");
	buf_add_text(ret, credentials->access_key);
	buf_add_char(ret, '/');
	buf_add_str(ret, buf_str(&signer->scope));
	buf_add_text(ret, ", SignedHeaders=");
	buf_add_str(ret, buf_str(&signer->names));
	buf_add_text(ret, ", Signature=");
	return buf_add_text(ret, hex);
}
