#include <errno.h>
#include <stdio.h>
#include "fs/cmd/address.h"
#include "s3/escape.h"

int address_text(struct buf *buf, struct str bucket, struct str key)
{
	buf_add_text(buf, "s3://");
	escape_text(buf, bucket);
	buf_add_char(buf, '/');
	return escape_text(buf, key);
}

/* "FIRST 'text': sentence", the text escaped and cut. */
static int address_refuse(char *why, const char *text, const char *sentence)
{
	struct buf shown;

	buf_init(&shown, 6 * KEY_MAX);
	escape_text(&shown, str_n(text, strnlen(text, KEY_MAX)));
	snprintf(why, ADDRESS_WHY_MAX, "'%.300s' %s", buf_text(&shown), sentence);
	buf_release(&shown);
	return -EINVAL;
}

int address_url(const char *text, struct s3_url *ret, char *why)
{
	int error = s3_url_parse(text, ret);

	if (error == 0)
		return 0;
	if (!str_has_prefix(str_of(text), STR("s3://")))
		return address_refuse(why, text,
			"is not an s3:// URL (ferryfs copies inside object stores; for local files mount the "
			"bucket)");
	if (error == -ENAMETOOLONG)
		return address_refuse(why, text, "has a key of more than 1,024 bytes");
	return address_refuse(why, text, s3_url_hint(text));
}

static int address_parse(const char *text, struct address *ret, char *why)
{
	struct s3_url url;
	int error = address_url(text, &url, why);

	if (error < 0)
		return error;
	if (!url.bucket[0])
		return address_refuse(why, text, "names no bucket");
	memcpy(ret->bucket, url.bucket, sizeof(ret->bucket));
	memcpy(ret->key, url.key, url.key_len + 1);
	ret->key_len = url.key_len;
	return 0;
}

/* A directory's prefix ends in a slash; the whole bucket's is empty. */
static void address_close(struct address *address)
{
	if (address->key_len == 0 || address->key[address->key_len - 1] == '/')
		return;
	address->key[address->key_len++] = '/';
	address->key[address->key_len] = '\0';
}

int address_source(const char *text, bool recursive, struct address *ret, char *why)
{
	int error = address_parse(text, ret, why);

	if (error < 0)
		return error;
	if (recursive)
		address_close(ret);
	else if (ret->key_len == 0)
		return address_refuse(why, text, "names a bucket, not an object (-r takes all of its keys)");
	return 0;
}

static struct str base_name(struct str key)
{
	size_t at = key.len;

	if (at && key.data[at - 1] == '/')
		at--;
	while (at && key.data[at - 1] != '/')
		at--;
	return str_skip(key, at);
}

int address_destination(
	const char *text, bool recursive, const struct address *source, struct address *ret, char *why)
{
	struct str base = base_name(address_key(source));
	int error = address_parse(text, ret, why);

	if (error < 0)
		return error;
	if (recursive) {
		address_close(ret);
	} else if (ret->key_len == 0 || ret->key[ret->key_len - 1] == '/') {
		memcpy(ret->key + ret->key_len, base.data, base.len);
		ret->key_len += base.len;
		ret->key[ret->key_len] = '\0';
	}
	if (strcmp(source->bucket, ret->bucket) == 0 && str_eq(address_key(source), address_key(ret))) {
		address_refuse(why, text, "is the source itself");
		return -ELOOP;
	}
	if (ret->key_len > KEY_MAX) {
		address_refuse(why, text, "makes a key of more than 1,024 bytes");
		return -ENAMETOOLONG;
	}
	return 0;
}

int address_check_move(
	const struct address *source, const struct address *destination, bool recursive, char *why)
{
	if (!recursive || strcmp(source->bucket, destination->bucket) != 0 ||
		!str_has_prefix(address_key(destination), address_key(source)))
		return 0;
	snprintf(why, ADDRESS_WHY_MAX, "a prefix cannot be moved into itself");
	return -ELOOP;
}

struct str address_exclude(const struct address *source, const struct address *destination)
{
	if (strcmp(source->bucket, destination->bucket) != 0)
		return STR_NONE;
	if (!str_has_prefix(address_key(destination), address_key(source)))
		return STR_NONE;
	return address_key(destination);
}
