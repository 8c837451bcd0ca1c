#include "engine/object/body_sums.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 65536, MD5_BYTES = MD5_HEX / 2 };

bool body_sums_has_md5(void)
{
	EVP_MD *md5 = EVP_MD_fetch(NULL, "MD5", NULL);

	EVP_MD_free(md5);
	return md5;
}

/* A context of this digest, begun; NULL where OpenSSL has none. */
static EVP_MD_CTX *body_sums_begin(const char *name)
{
	EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
	EVP_MD_CTX *context = md ? EVP_MD_CTX_new() : NULL;

	if (context && EVP_DigestInit_ex(context, md, NULL) != 1) {
		EVP_MD_CTX_free(context);
		context = NULL;
	}
	EVP_MD_free(md);
	return context;
}

static int read_range(EVP_MD_CTX *sha256, EVP_MD_CTX *md5, int fd, uint64_t start, uint64_t length)
{
	char chunk[CHUNK];

	while (length > 0) {
		size_t want = length < sizeof(chunk) ? (size_t)length : sizeof(chunk);
		ssize_t n = pread(fd, chunk, want, (off_t)start);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		if (EVP_DigestUpdate(sha256, chunk, (size_t)n) != 1 ||
			(md5 && EVP_DigestUpdate(md5, chunk, (size_t)n) != 1))
			return -EIO;
		start += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return 0;
}

static void put_hex(const unsigned char *bytes, unsigned count, char *ret)
{
	for (unsigned i = 0; i < count; i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

static int body_sums_finish(EVP_MD_CTX *sha256, EVP_MD_CTX *md5, struct body_sums *sums)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	sums->md5[0] = sums->md5_hex[0] = '\0';
	if (EVP_DigestFinal_ex(sha256, digest, NULL) != 1)
		return -EIO;
	put_hex(digest, SHA256_HEX / 2, sums->sha256);
	if (!md5)
		return 0;
	if (EVP_DigestFinal_ex(md5, digest, NULL) != 1)
		return -EIO;
	put_hex(digest, MD5_BYTES, sums->md5_hex);
	EVP_EncodeBlock((unsigned char *)sums->md5, digest, MD5_BYTES);
	return 0;
}

int body_sums_take(struct body_sums *sums, int fd, uint64_t start, uint64_t length)
{
	EVP_MD_CTX *sha256 = body_sums_begin("SHA256"), *md5 = body_sums_begin("MD5");
	int error = sha256 ? read_range(sha256, md5, fd, start, length) : -ENOMEM;

	if (error == 0)
		error = body_sums_finish(sha256, md5, sums);
	EVP_MD_CTX_free(sha256);
	EVP_MD_CTX_free(md5);
	return error;
}
