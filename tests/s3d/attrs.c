#include "tests/s3d/attrs.h"

#include <errno.h>
#include <stdlib.h>

/* Out of memory ends an insert, not the process. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) (intern_failed = true)
static bool intern_failed;
#include <uthash.h>

struct attrs {
	UT_hash_handle hh;
	unsigned refs;
	unsigned size;
	char blob[];
};

static struct attrs *interned;

void attrs_add(struct buf *blob, struct span name, struct span value)
{
	buf_put(blob, name.p, name.n);
	buf_char(blob, '\0');
	buf_put(blob, value.p, value.n);
	buf_char(blob, '\0');
}

int attrs_intern(struct buf *blob, struct attrs **ret)
{
	struct attrs *attrs = NULL;
	int r = -ENOMEM;

	if (blob->failed)
		goto out;
	r = 0;
	if (blob->len == 0) {
		*ret = NULL;
		goto out;
	}
	HASH_FIND(hh, interned, blob->p, blob->len, attrs);
	if (attrs) {
		*ret = attrs_ref(attrs);
		goto out;
	}
	r = -ENOMEM;
	attrs = malloc(sizeof(*attrs) + blob->len);
	if (!attrs)
		goto out;
	attrs->refs = 1;
	attrs->size = (unsigned)blob->len;
	memcpy(attrs->blob, blob->p, blob->len);
	intern_failed = false;
	HASH_ADD(hh, interned, blob[0], attrs->size, attrs);
	if (intern_failed) {
		free(attrs);
		goto out;
	}
	*ret = attrs;
	r = 0;
out:
	buf_release(blob);
	return r;
}

struct attrs *attrs_ref(struct attrs *attrs)
{
	if (attrs)
		attrs->refs++;
	return attrs;
}

void attrs_unref(struct attrs *attrs)
{
	if (!attrs || --attrs->refs)
		return;
	HASH_DEL(interned, attrs);
	free(attrs);
}

const char *attrs_next(const struct attrs *attrs, const char *name)
{
	const char *next;

	if (!attrs)
		return NULL;
	if (!name)
		return attrs->blob;
	next = attrs_value(name);
	next += strlen(next) + 1;
	return next < attrs->blob + attrs->size ? next : NULL;
}

const char *attrs_get(const struct attrs *attrs, const char *name)
{
	for (const char *at = attrs_next(attrs, NULL); at; at = attrs_next(attrs, at))
		if (strcmp(at, name) == 0)
			return attrs_value(at);
	return NULL;
}

size_t attrs_count(const struct attrs *attrs)
{
	size_t n = 0;

	for (const char *at = attrs_next(attrs, NULL); at; at = attrs_next(attrs, at))
		n++;
	return n;
}

struct span attrs_blob(const struct attrs *attrs)
{
	return attrs ? (struct span){attrs->blob, attrs->size} : (struct span){"", 0};
}
