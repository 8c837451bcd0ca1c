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
