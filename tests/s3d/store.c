#include "tests/s3d/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int object_cmp(const struct object *a, const struct object *b)
{
	return span_cmp(object_key(a), object_key(b));
}

RB_GENERATE_INTERNAL(object_tree, object, link, object_cmp, __attribute__((unused)) static)

static void object_free(struct object *object)
{
	body_unref(object->body);
	attrs_unref(object->attrs);
	attrs_unref(object->tags);
	free(object);
}

static void object_free_chain(struct object *object)
{
	while (object) {
		struct object *older = object->older;

		object_free(object);
		object = older;
	}
}

static void bucket_free(struct bucket *bucket)
{
	struct object *object;

	while ((object = RB_ROOT(&bucket->objects))) {
		RB_REMOVE(object_tree, &bucket->objects, object);
		object_free_chain(object);
	}
	free(bucket->region);
	free(bucket);
}

void store_release(struct store *store)
{
	while (store->uploads)
		upload_remove(store, store->uploads);
	for (size_t i = 0; i < store->bucket_count; i++)
		bucket_free(store->buckets[i]);
	free(store->buckets);
	*store = (struct store){0};
}

/* The place of a name: where it is, or where it would go. */
static size_t bucket_place(const struct store *store, struct span name)
{
	size_t low = 0, high = store->bucket_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (span_cmp(span_of(store->buckets[middle]->name), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct bucket *store_bucket(const struct store *store, struct span name)
{
	if (store->alias[0] && span_cmp(span_of(store->alias), name) == 0)
		name = span_of(store->alias_of);
	size_t i = bucket_place(store, name);

	if (i < store->bucket_count && span_cmp(span_of(store->buckets[i]->name), name) == 0)
		return store->buckets[i];
	return NULL;
}

/* Looser than AWS (3 to 63, no capitals): compatible servers take more, and tests want to meet such names. */
static bool bucket_name_ok(struct span name)
{
	if (name.n < 1 || name.n > BUCKET_NAME_MAX || name.p[0] == '_' || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '.' || c == '_'))
			return false;
	}
	return true;
}

int store_create(struct store *store, struct span name, struct span region, struct bucket **ret)
{
	size_t at = bucket_place(store, name);
	struct bucket **grown, *bucket;

	if (!bucket_name_ok(name))
		return -EINVAL;
	if (store_bucket(store, name))
		return -EEXIST;
	bucket = calloc(1, sizeof(*bucket));
	if (!bucket)
		return -ENOMEM;
	memcpy(bucket->name, name.p, name.n);
	bucket->created = (uint32_t)time(NULL);
	grown = reallocarray(store->buckets, store->bucket_count + 1, sizeof(struct bucket *));
	if (grown)
		store->buckets = grown;
	if (region.n)
		bucket->region = strndup(region.p, region.n);
	if (!grown || (region.n && !bucket->region)) {
		bucket_free(bucket);
		return -ENOMEM;
	}
	memmove(grown + at + 1, grown + at, (store->bucket_count - at) * sizeof(struct bucket *));
	grown[at] = bucket;
	store->bucket_count++;
	*ret = bucket;
	return 0;
}

int store_remove(struct store *store, struct bucket *bucket)
{
	size_t at = bucket_place(store, span_of(bucket->name));

	if (!RB_EMPTY(&bucket->objects))
		return -ENOTEMPTY;
	for (struct upload *upload = store->uploads, *next; upload; upload = next) {
		next = upload->next;
		if (strcmp(upload->bucket, bucket->name) == 0)
			upload_remove(store, upload);
	}
	store->bucket_count--;
	memmove(store->buckets + at, store->buckets + at + 1,
		(store->bucket_count - at) * sizeof(struct bucket *));
	bucket_free(bucket);
	return 0;
}

/* Any newest version, markers too. */
static struct object *tree_find(const struct bucket *bucket, struct span key)
{
	struct object *at = RB_ROOT(&bucket->objects);

	while (at) {
		int c = span_cmp(key, object_key(at));

		if (c == 0)
			return at;
		at = c < 0 ? RB_LEFT(at, link) : RB_RIGHT(at, link);
	}
	return NULL;
}

struct object *bucket_find(const struct bucket *bucket, struct span key)
{
	struct object *object = tree_find(bucket, key);

	return object && object->body ? object : NULL;
}

struct object *bucket_find_version(const struct bucket *bucket, struct span key, uint64_t version)
{
	struct object *object = tree_find(bucket, key);

	while (object && object->version != version)
		object = object->older;
	return object;
}

static struct object *skip_markers(struct object *object)
{
	while (object && !object->body)
		object = RB_NEXT(object_tree, NULL, object);
	return object;
}

struct object *bucket_seek(const struct bucket *bucket, struct span key, bool after)
{
	struct object *at = RB_ROOT(&bucket->objects), *best = NULL;

	while (at) {
		int c = span_cmp(key, object_key(at));

		if (c < 0 || (c == 0 && !after)) {
			best = at;
			at = RB_LEFT(at, link);
		} else {
			at = RB_RIGHT(at, link);
		}
	}
	return skip_markers(best);
}

struct object *bucket_next(struct object *object)
{
	return skip_markers(RB_NEXT(object_tree, NULL, object));
}

bool attrs_are_sealed(const struct attrs *attrs)
{
	const char *kind = attrs_get(attrs, "x-amz-server-side-encryption");

	return (kind && strncmp(kind, "aws:kms", 7) == 0) ||
	       attrs_get(attrs, "x-amz-server-side-encryption-customer-algorithm");
}

/* Another one for each object, whatever its content. */
static void object_seal(struct object *object, uint64_t number)
{
	for (unsigned i = 0; i < MD5_LEN; i++)
		object->md5[i] ^= (unsigned char)(0xa5 ^ (number >> 8 * (i % 8)));
}

static struct object *object_new(struct store *store, const struct content *content)
{
	struct object *object = malloc(sizeof(*object) + content->key.n);

	if (!object)
		return NULL;
	*object = (struct object){.attrs = attrs_ref(content->attrs),
		.tags = attrs_ref(content->tags),
		.mtime = (uint32_t)(time(NULL) + store->clock_ahead),
		.parts = (uint16_t)content->parts,
		.key_len = (uint16_t)content->key.n};
	memcpy(object->key, content->key.p, content->key.n);
	if (content->body) {
		object->body = body_ref(content->body);
		if (content->md5)
			memcpy(object->md5, content->md5, MD5_LEN);
		else
			body_md5(content->body, object->md5);
		if (attrs_are_sealed(content->attrs))
			object_seal(object, ++store->sealed);
	}
	return object;
}

int bucket_put(struct store *store, struct bucket *bucket, const struct content *content, struct object **ret)
{
	struct object *object = object_new(store, content), *old;

	if (!object)
		return -ENOMEM;
	old = RB_INSERT(object_tree, &bucket->objects, object);
	if (old) {
		RB_REMOVE(object_tree, &bucket->objects, old);
		RB_INSERT(object_tree, &bucket->objects, object);
	} else {
		bucket->count++;
	}
	if (store->versioning) {
		object->version = ++store->next_version;
		object->older = old;
	} else {
		object_free_chain(old);
	}
	*ret = object;
	return 0;
}

int bucket_delete(struct store *store, struct bucket *bucket, struct span key, struct object **ret_marker)
{
	struct content marker = {.key = key};
	struct object *object;

	if (store->versioning)
		return bucket_put(store, bucket, &marker, ret_marker);
	object = tree_find(bucket, key);
	if (object) {
		RB_REMOVE(object_tree, &bucket->objects, object);
		bucket->count--;
		object_free_chain(object);
	}
	*ret_marker = NULL;
	return 0;
}

int bucket_delete_version(struct bucket *bucket, struct span key, uint64_t version, bool *ret_was_marker)
{
	struct object *top = tree_find(bucket, key), *object = top, *newer = NULL;

	while (object && object->version != version) {
		newer = object;
		object = object->older;
	}
	if (!object)
		return -ENOENT;
	if (newer) {
		newer->older = object->older;
	} else {
		RB_REMOVE(object_tree, &bucket->objects, top);
		bucket->count--;
		if (object->older) {
			RB_INSERT(object_tree, &bucket->objects, object->older);
			bucket->count++;
		}
	}
	*ret_was_marker = !object->body;
	object_free(object);
	return 0;
}

void object_set_tags(struct object *object, struct attrs *tags)
{
	attrs_unref(object->tags);
	object->tags = tags;
}

const char *object_storage_class(const struct object *object)
{
	const char *name = attrs_get(object->attrs, "x-amz-storage-class");

	return name ? name : "STANDARD";
}

void object_etag(const struct object *object, struct buf *b)
{
	buf_hex(b, object->md5, MD5_LEN);
	if (object->parts)
		buf_printf(b, "-%u", object->parts);
}
