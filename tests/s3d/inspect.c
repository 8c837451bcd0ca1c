#include "tests/s3d/inspect.h"

#include <inttypes.h>
#include <jansson.h>

static char *dump(json_t *json)
{
	char *text = json_dumps(json, JSON_INDENT(1) | JSON_PRESERVE_ORDER);

	json_decref(json);
	return text;
}

/* UTF-8 as it is, anything else percent-encoded. */
static json_t *json_bytes(struct span s)
{
	json_t *json = json_stringn(s.p ? s.p : "", s.n);
	struct buf b = {0};

	if (json)
		return json;
	buf_uri(&b, s, "/");
	json = b.failed ? NULL : json_stringn(b.p, b.len);
	buf_release(&b);
	return json;
}

static json_t *json_attrs(const struct attrs *attrs)
{
	json_t *json = json_object();

	for (const char *name = attrs_next(attrs, NULL); name; name = attrs_next(attrs, name))
		json_object_set_new(json, name, json_bytes(span_of(attrs_value(name))));
	return json;
}

static void set_text(json_t *to, const char *name, const char *text)
{
	json_object_set_new(to, name, json_bytes(span_of(text)));
}

static void set_number(json_t *to, const char *name, uint64_t value)
{
	json_object_set_new(to, name, json_integer((json_int_t)value));
}

char *inspect_faults(const struct faults *faults)
{
	json_t *list = json_array();

	for (const struct fault *fault = faults->list; fault; fault = fault->next) {
		json_t *json = json_object();

		set_text(json, "spec", fault->spec);
		set_number(json, "seen", fault->seen);
		set_number(json, "fired", fault->fired);
		json_array_append_new(list, json);
	}
	return dump(list);
}

static void set_digests(json_t *json, const struct object *object)
{
	unsigned char md5[MD5_LEN];
	struct buf b = {0};

	object_etag(object, &b);
	if (!b.failed)
		set_text(json, "etag", b.p);
	b.len = 0;
	body_md5(object->body, md5);
	buf_hex(&b, md5, MD5_LEN);
	if (!b.failed)
		set_text(json, "md5", b.p);
	buf_release(&b);
}

char *inspect_object(const struct server *server, const struct bucket *bucket, const struct object *object)
{
	json_t *json = json_object();
	uint64_t versions = 0, uploads = 0;

	for (const struct object *at = object; at; at = at->older)
		versions++;
	for (const struct upload *upload = server->store.uploads; upload; upload = upload->next)
		uploads += strcmp(upload->bucket, bucket->name) == 0 &&
			   span_cmp((struct span){upload->key.p, upload->key.len}, object_key(object)) == 0;
	json_object_set_new(json, "key", json_bytes(object_key(object)));
	set_number(json, "size", body_size(object->body));
	set_digests(json, object);
	set_number(json, "last_modified", object->mtime);
	set_number(json, "version", object->version);
	set_number(json, "versions", versions);
	set_text(json, "storage_class", object_storage_class(object));
	json_object_set_new(json, "headers", json_attrs(object->attrs));
	json_object_set_new(json, "tags", json_attrs(object->tags));
	set_number(json, "uploads", uploads);
	return dump(json);
}

char *inspect_uploads(const struct store *store)
{
	json_t *list = json_array();

	for (const struct upload *upload = store->uploads; upload; upload = upload->next) {
		json_t *json = json_object();
		uint64_t bytes = 0;

		for (size_t i = 0; i < upload->part_count; i++)
			bytes += body_size(upload->parts[i].body);
		set_text(json, "bucket", upload->bucket);
		json_object_set_new(json, "key", json_bytes((struct span){upload->key.p, upload->key.len}));
		set_text(json, "id", upload->id);
		set_number(json, "parts", upload->part_count);
		set_number(json, "bytes", bytes);
		json_object_set_new(json, "headers", json_attrs(upload->attrs));
		json_object_set_new(json, "tags", json_attrs(upload->tags));
		json_array_append_new(list, json);
	}
	return dump(list);
}

void inspect_keys(const struct bucket *bucket, struct span prefix, struct buf *b)
{
	struct object *object = bucket_seek(bucket, prefix, false);

	for (; object && span_starts(object_key(object), prefix); object = bucket_next(object)) {
		const char *type = attrs_get(object->attrs, "content-type");
		unsigned char digest[SHA256_LEN];
		struct buf both = {0};

		buf_uri(b, object_key(object), "/");
		buf_printf(b, "\t%" PRIu64 "\t", body_size(object->body));
		object_etag(object, b);
		buf_printf(b, "\t%s\t%s\t", object_storage_class(object), type ? type : "");
		buf_put(&both, attrs_blob(object->attrs).p, attrs_blob(object->attrs).n);
		buf_char(&both, '\n');
		buf_put(&both, attrs_blob(object->tags).p, attrs_blob(object->tags).n);
		hash_sha256((struct span){both.p, both.len}, digest);
		b->failed |= both.failed;
		buf_release(&both);
		buf_hex(b, digest, SHA256_LEN);
		buf_char(b, '\n');
	}
}
