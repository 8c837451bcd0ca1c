#include <errno.h>
#include "s3/url.h"

int s3_url_parse(const char *text, struct s3_url *ret)
{
	const struct str scheme = STR("s3://");
	struct str rest = str_of(text), bucket, key = STR_NONE;
	struct s3_url url = {.key_len = 0};
	const char *slash;

	if (!str_has_prefix(rest, scheme))
		return -EINVAL;
	rest = str_skip(rest, scheme.len);
	if (rest.len == 0) {
		*ret = url;
		return 0;
	}
	slash = memchr(rest.data, '/', rest.len);
	bucket = str_n(rest.data, slash ? (size_t)(slash - rest.data) : rest.len);
	if (!endpoint_bucket_ok(bucket))
		return -EINVAL;
	if (slash)
		key = str_skip(rest, bucket.len + 1);
	if (key.len > KEY_MAX)
		return -ENAMETOOLONG;
	memcpy(url.bucket, bucket.data, bucket.len);
	if (key.len)
		memcpy(url.key, key.data, key.len);
	url.key_len = key.len;
	*ret = url;
	return 0;
}

const char *s3_url_hint(const char *text)
{
	struct str rest = str_of(text), bucket;

	if (!str_has_prefix(rest, STR("s3://")))
		return "is no address like s3://BUCKET/PREFIX";
	rest = str_skip(rest, 5);
	if (str_has_prefix(rest, STR("arn:")))
		return "is an ARN: name the bucket, or an access point by its alias (s3://NAME-...-s3alias)";
	bucket = str_n(rest.data, strcspn(rest.data, "/"));
	if (memchr(bucket.data, ':', bucket.len))
		return "has a colon in its bucket: TENANT:BUCKET is not taken; use a key of that tenant, and "
		       "the "
		       "bucket's name alone";
	if (bucket.len < 3)
		return "has a bucket's name of less than 3 letters, which is not supported";
	if (bucket.len > BUCKET_MAX)
		return "has a bucket's name of over 255 letters";
	return "has no valid bucket name (letters, digits, '.', '-' and '_')";
}
