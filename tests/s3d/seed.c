#include "tests/s3d/seed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* FNV-1a: content depends on the key alone. */
static uint64_t key_seed(const struct buf *key)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < key->len; i++)
		h = (h ^ (unsigned char)key->p[i]) * 0x100000001b3u;
	return mix(h);
}

static void make_name(const struct seed *seed, uint64_t i, uint64_t leaves, struct buf *key)
{
	uint64_t leaf = leaves ? i * leaves / seed->count : 0, below = leaves;

	key->len = 0;
	buf_put(key, seed->prefix.p, seed->prefix.n);
	if (seed->prefix.n && seed->prefix.p[seed->prefix.n - 1] != '/')
		buf_char(key, '/');
	for (uint64_t level = 0; leaves && level < seed->depth; level++) {
		below /= seed->dirs;
		buf_printf(key, "dir%04" PRIu64 "/", leaf / below % seed->dirs);
	}
	buf_printf(key, "file%06" PRIu64 ".txt", i);
}

static int make_object(
	struct server *server, struct bucket *bucket, const struct seed *seed, const struct buf *key)
{
	uint64_t random = key_seed(key), size = seed->size;
	struct content content = {.key = {key->p, key->len}, .attrs = seed->attrs};
	struct object *object;
	int r = -ENOMEM;

	if (seed->random && size)
		size = mix(random) % (2 * size + 1);
	content.body = size >= SEED_SPARSE ? body_zero(size) : body_seed(random, size);
	if (content.body)
		r = bucket_put(&server->store, bucket, &content, &object);
	body_unref(content.body);
	return r;
}

int seed_run(struct server *server, const struct seed *seed)
{
	struct bucket *bucket = store_bucket(&server->store, seed->bucket);
	uint64_t leaves = seed->dirs ? 1 : 0;
	struct buf key = {0};
	int r = 0;

	for (uint64_t level = 0; seed->dirs && level < seed->depth; level++)
		if ((leaves *= seed->dirs) > SEED_MAX)
			return -EINVAL;
	if (seed->count > SEED_MAX || seed->size > (uint64_t)1 << 50)
		return -EINVAL;
	if (!bucket)
		r = store_create(&server->store, seed->bucket, seed->region, &bucket);
	for (uint64_t i = 0; i < seed->count && r == 0; i++) {
		make_name(seed, i, leaves, &key);
		if (key.failed)
			r = -ENOMEM;
		else if (key.len > KEY_MAX_BYTES)
			r = -EINVAL;
		else
			r = make_object(server, bucket, seed, &key);
	}
	buf_release(&key);
	return r;
}
