#include "fs/file/xattr_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "engine/base/clock.h"

struct xattr_cache {
	pthread_mutex_t lock;
	uint64_t ino; /* 0: none */
	uint64_t stamp; /* of the node when S3 was asked: if it is another by now, the answer is old */
	uint64_t until_ms;
	struct headers values; /* "user.s3.etag" ... */
};

int xattr_cache_new(struct xattr_cache **ret)
{
	struct xattr_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	pthread_mutex_init(&cache->lock, NULL);
	headers_init(&cache->values);
	*ret = cache;
	return 0;
}

void xattr_cache_free(struct xattr_cache *cache)
{
	if (!cache)
		return;
	headers_release(&cache->values);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

int xattr_cache_get(struct xattr_cache *cache, uint64_t ino, uint64_t stamp, struct headers *ret)
{
	int error = -ENOENT;

	pthread_mutex_lock(&cache->lock);
	if (cache->ino == ino && cache->stamp == stamp && clock_ms() < cache->until_ms)
		error = headers_add_all(ret, &cache->values);
	pthread_mutex_unlock(&cache->lock);
	return error;
}

void xattr_cache_put(struct xattr_cache *cache, uint64_t ino, uint64_t stamp, const struct headers *values)
{
	pthread_mutex_lock(&cache->lock);
	headers_clear(&cache->values);
	cache->ino = headers_add_all(&cache->values, values) == 0 ? ino : 0;
	cache->stamp = stamp;
	cache->until_ms = clock_ms() + XATTR_CACHE_MS;
	pthread_mutex_unlock(&cache->lock);
}
