/* Uploads in parts: the store's other half. */
#include "tests/s3d/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct upload *upload_new(struct store *store, const char *bucket, const struct content *content)
{
	static uint64_t serial;
	struct upload *upload = calloc(1, sizeof(*upload));
	unsigned char digest[MD5_LEN];
	struct buf hex = {0};

	if (!upload)
		return NULL;
	serial++;
	hash_md5((struct span){(char *)&serial, sizeof(serial)}, digest);
	buf_hex(&hex, digest, MD5_LEN);
	buf_put(&upload->key, content->key.p, content->key.n);
	if (hex.failed || upload->key.failed) {
		buf_release(&hex);
		buf_release(&upload->key);
		free(upload);
		return NULL;
	}
	memcpy(upload->id, hex.p, hex.len + 1);
	buf_release(&hex);
	snprintf(upload->bucket, sizeof(upload->bucket), "%s", bucket);
	upload->attrs = attrs_ref(content->attrs);
	upload->tags = attrs_ref(content->tags);
	upload->initiated = (uint32_t)time(NULL);
	upload->next = store->uploads;
	store->uploads = upload;
	return upload;
}

struct upload *upload_find(const struct store *store, const char *bucket, struct span key, struct span id)
{
	for (struct upload *upload = store->uploads; upload; upload = upload->next)
		if (span_is(id, upload->id) && strcmp(upload->bucket, bucket) == 0 &&
			span_cmp((struct span){upload->key.p, upload->key.len}, key) == 0)
			return upload;
	return NULL;
}

/* The index of the part, or of where it would go. */
static size_t part_place(const struct upload *upload, unsigned number)
{
	size_t low = 0, high = upload->part_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (upload->parts[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct part *upload_part(const struct upload *upload, unsigned number)
{
	size_t at = part_place(upload, number);

	return at < upload->part_count && upload->parts[at].number == number ? &upload->parts[at] : NULL;
}

int upload_put_part(struct upload *upload, unsigned number, struct body *body, struct part **ret)
{
	struct part *part = upload_part(upload, number);

	if (part) {
		body_unref(part->body);
	} else {
		size_t at = part_place(upload, number);
		struct part *grown = reallocarray(upload->parts, upload->part_count + 1, sizeof(*grown));

		if (!grown) {
			body_unref(body);
			return -ENOMEM;
		}
		upload->parts = grown;
		part = grown + at;
		memmove(part + 1, part, (upload->part_count - at) * sizeof(*part));
		upload->part_count++;
	}
	*part = (struct part){.body = body, .mtime = (uint32_t)time(NULL), .number = number};
	body_md5(body, part->md5);
	*ret = part;
	return 0;
}

void upload_remove(struct store *store, struct upload *upload)
{
	struct upload **at = &store->uploads;

	while (*at != upload)
		at = &(*at)->next;
	*at = upload->next;
	for (size_t i = 0; i < upload->part_count; i++)
		body_unref(upload->parts[i].body);
	free(upload->parts);
	buf_release(&upload->key);
	attrs_unref(upload->attrs);
	attrs_unref(upload->tags);
	free(upload);
}
