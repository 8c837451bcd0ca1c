/*
 * address: the source and destination of a command, as keys.
 *
 * Says what the words of cp, mv and rm mean, before any request:
 *
 *                     source               destination
 *   one object        s3://b/k             s3://d/k2     the key k2
 *                                          s3://d/p/     p/ and the source's base name
 *                                          s3://d        the source's base name
 *   -r                s3://b/x s3://b/x/   s3://d/y s3://d/y/   the keys below x/ become those below y/
 *                     s3://b               s3://d        all keys
 *
 * The base name of "a/b" is "b"; of a marker "a/b/" it is "b/".  Pure; any thread.
 */
#ifndef FERRYFS_FS_CMD_ADDRESS_H
#define FERRYFS_FS_CMD_ADDRESS_H

#include "s3/url.h"

enum { ADDRESS_WHY_MAX = 512 };

struct address {
	char bucket[BUCKET_MAX + 1];
	char key[2 * KEY_MAX + 2]; /* of an object, or a prefix ("" or ending in a slash) */
	size_t key_len;
};

static inline struct str address_bucket(const struct address *address)
{
	return str_of(address->bucket);
}

static inline struct str address_key(const struct address *address)
{
	return str_n(address->key, address->key_len);
}

/* -EINVAL with a sentence in why (ADDRESS_WHY_MAX): not an s3:// URL, no bucket, no key where one is needed. */
int address_source(const char *text, bool recursive, struct address *ret, char *why);
/* source has been through address_source.  Also -ELOOP: the destination is the source; -ENAMETOOLONG: it comes
 * out longer than KEY_MAX. */
int address_destination(
	const char *text, bool recursive, const struct address *source, struct address *ret, char *why);
/* -ELOOP: the destination lies in the source. */
int address_check_move(
	const struct address *source, const struct address *destination, bool recursive, char *why);

/* The prefix that a recursive copy leaves out: the destination's where it lies below the source's, else
 * STR_NONE. */
struct str address_exclude(const struct address *source, const struct address *destination);

/* s3_url_parse with a sentence for the user. */
int address_url(const char *text, struct s3_url *ret, char *why);

/* Appends "s3://bucket/key", escaped for people. */
int address_text(struct buf *buf, struct str bucket, struct str key);

#endif
