/*
 * Buckets, objects with their versions, and uploads in parts: everything the server remembers.
 *
 * Objects of a bucket lie in one red-black tree ordered by the bytes of the key.  The tree holds the newest
 * version; where versioning is on, older ones hang from it (`older`).  An object without body is a delete
 * marker: no listing and no lookup but by version shows it.  A million small objects: 96 bytes each, the key,
 * and 32 bytes for the body.
 *
 * One thread.  Pointers to objects hold until the next change of that key.
 */
#ifndef S3D_STORE_H
#define S3D_STORE_H

#include "tests/s3d/attrs.h"
#include "tests/s3d/body.h"
#include "tests/s3d/buf.h"
#include "tests/s3d/hash.h"

#include <bsd/sys/tree.h>
#include <stdint.h>

#define KEY_MAX_BYTES 1024 /* AWS: object key names, UTF-8 bytes */
#define BUCKET_NAME_MAX 255

struct object {
	RB_ENTRY(object) link;
	struct object *older;
	struct body *body;
	struct attrs *attrs; /* headers to show again, x-amz-meta-*, storage class, acl, encryption */
	struct attrs *tags;
	uint64_t version; /* 0: written while versioning was off, "null" to clients */
	unsigned char md5[MD5_LEN];
	uint32_t mtime; /* seconds since 1970, as S3 shows it */
	uint16_t parts; /* > 0: ETag is md5-of-md5s-PARTS */
	uint16_t key_len;
	char key[];
};

RB_HEAD(object_tree, object);

struct bucket {
	struct object_tree objects;
	size_t count; /* keys in the tree, markers too */
	uint32_t created;
	char *region; /* own, NULL: the server's */
	char name[BUCKET_NAME_MAX + 1];
};

struct part {
	struct body *body;
	unsigned char md5[MD5_LEN];
	uint32_t mtime;
	unsigned number;
};

struct upload {
	struct upload *next;
	char id[33];
	char bucket[BUCKET_NAME_MAX + 1];
	struct buf key;
	struct attrs *attrs;
	struct attrs *tags;
	struct part *parts; /* ascending numbers */
	size_t part_count;
	uint32_t initiated;
};

struct store {
	int clock_ahead; /* seconds: of what is stored from now on */
	struct bucket **buckets; /* ascending names */
	size_t bucket_count;
	char alias[BUCKET_NAME_MAX + 1]; /* a second name, as an access point's or Garage's; "": none */
	char alias_of[BUCKET_NAME_MAX + 1];
	struct upload *uploads; /* newest first */
	uint64_t next_version;
	uint64_t sealed; /* objects encrypted with KMS or a customer's key so far */
	bool versioning;
};

/* What a new object is made of; everything is lent (references are taken). */
struct content {
	struct span key;
	struct body *body; /* NULL: a delete marker */
	struct attrs *attrs;
	struct attrs *tags;
	const unsigned char *md5; /* NULL: computed from the body */
	unsigned parts;
};

void store_release(struct store *store);
struct bucket *store_bucket(const struct store *store, struct span name);
/* 0, -EEXIST, -EINVAL (name) or -ENOMEM.  region may be empty: the server's. */
int store_create(struct store *store, struct span name, struct span region, struct bucket **ret);
/* 0 or -ENOTEMPTY; frees the bucket. */
int store_remove(struct store *store, struct bucket *bucket);

/* The newest version if it is no marker, else NULL. */
struct object *bucket_find(const struct bucket *bucket, struct span key);
/* That version, marker or not; NULL when there is none. */
struct object *bucket_find_version(const struct bucket *bucket, struct span key, uint64_t version);
/* The first shown object with a key >= (or, `after`, >) the given one. */
struct object *bucket_seek(const struct bucket *bucket, struct span key, bool after);
struct object *bucket_next(struct object *object);

/* 0 or -ENOMEM; the new object becomes the newest version, or replaces what was there. */
int bucket_put(
	struct store *store, struct bucket *bucket, const struct content *content, struct object **ret);
/*
 * Takes the key away: with versioning a marker is put (and returned in *ret_marker), else the object goes.
 * A missing key is fine.  0 or -ENOMEM.
 */
int bucket_delete(struct store *store, struct bucket *bucket, struct span key, struct object **ret_marker);
/* Removes one version for good; 0 or -ENOENT.  *ret_was_marker tells what it was. */
int bucket_delete_version(struct bucket *bucket, struct span key, uint64_t version, bool *ret_was_marker);
/* New tags for the newest version; takes the reference. */
void object_set_tags(struct object *object, struct attrs *tags);

static inline struct span object_key(const struct object *object)
{
	return (struct span){object->key, object->key_len};
}
const char *object_storage_class(const struct object *object);
/* Appends 32 hex, or 32 hex-N, without quotes. */
void object_etag(const struct object *object, struct buf *b);
/* Encrypted with KMS or a customer's key: its ETag is no MD5 of its content (AWS, "Checking object integrity"). */
bool attrs_are_sealed(const struct attrs *attrs);

/* Begins an upload in parts (references are taken); NULL without memory. */
struct upload *upload_new(struct store *store, const char *bucket, const struct content *content);
struct upload *upload_find(const struct store *store, const char *bucket, struct span key, struct span id);
/* Takes the body; replaces a part of that number.  0 or -ENOMEM. */
int upload_put_part(struct upload *upload, unsigned number, struct body *body, struct part **ret);
struct part *upload_part(const struct upload *upload, unsigned number);
void upload_remove(struct store *store, struct upload *upload);

#endif
