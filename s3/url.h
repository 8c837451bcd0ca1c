/*
 * url: s3://BUCKET/KEY addresses as people type them.
 *
 * "s3://" alone names the service, "s3://bucket[/]" a bucket, "s3://bucket/a/b" the key or prefix "a/b".
 * Nothing is percent-decoded (as the AWS CLI).  Bytes after the bucket's slash are the key as they stand. Any
 * thread.
 */
#ifndef FERRYFS_S3_URL_H
#define FERRYFS_S3_URL_H

#include "s3/key.h"
#include "s3/endpoint.h"

struct s3_url {
	char bucket[BUCKET_MAX + 1]; /* "" for the service */
	char key[KEY_MAX + 1]; /* "" for the bucket; NUL-terminated, cannot hold a NUL byte */
	size_t key_len;
};

/* -EINVAL: not s3://; a bad bucket name; -ENAMETOOLONG: key over KEY_MAX. */
int s3_url_parse(const char *text, struct s3_url *ret);

static inline struct str s3_url_key(const struct s3_url *url)
{
	return str_n(url->key, url->key_len);
}

/* Says why s3_url_parse refuses an address with -EINVAL, to follow "'ADDRESS' ". */
const char *s3_url_hint(const char *text);

#endif
