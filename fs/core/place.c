#include "fs/core/place.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct view *node_view(const struct node *node)
{
	while (node && !node->view)
		node = node->parent;
	return node ? node->view : NULL;
}

/* Where a bucket's or a view's own keys begin. */
static int place_base(const struct node *base, struct place *ret)
{
	const struct view *view = base->view;
	struct str bucket = str_n(base->name, base->name_len);
	size_t key_len = 0;

	if (!base->parent) {
		/* A view mounted by itself: its root stands for the address it was given. */
		if (!view || !view->url.bucket[0])
			return -EPERM;
		bucket = str_of(view->url.bucket);
		key_len = view->url.key_len;
	}
	if (bucket.len > BUCKET_MAX)
		return -ENAMETOOLONG;
	memcpy(ret->bucket, bucket.data, bucket.len);
	ret->bucket[bucket.len] = '\0';
	ret->bucket_len = bucket.len;
	if (key_len > 0)
		memcpy(ret->key, view->url.key, key_len);
	ret->key_len = key_len;
	ret->key[key_len] = '\0';
	return 0;
}

/* The part of a key that a node's name stands for; in buf or the name itself. */
static struct str part_of(const struct view *view, const struct node *node, struct odd_text *buf)
{
	struct str name = str_n(node->name, node->name_len), part;

	/* No node has a name that stands for nothing. */
	return view->odd_keys == ODD_KEYS_ESCAPE && odd_part(name, buf, &part) ? part : name;
}

/* Likewise of one that may become a node's.  An empty part is no file, and what lies beside a directory is none. */
static int child_part(const struct view *view, struct str *child, bool as_dir, struct odd_text *buf)
{
	struct str name = *child;

	if (!name.data || view->odd_keys != ODD_KEYS_ESCAPE)
		return 0;
	if (as_dir ? odd_is_file(name) : odd_is_dir(name))
		return -EINVAL;
	return odd_part(name, buf, child) ? 0 : -EINVAL;
}

static int place_of(const struct node *node, struct str child, bool as_dir, struct place *ret)
{
	const struct node *base = node;
	struct odd_text buf, child_buf;

	ret->view = node_view(node);
	if (!ret->view)
		return -EPERM;
	int odd = child_part(ret->view, &child, as_dir, &child_buf);

	if (odd < 0)
		return odd;
	size_t len = child.data ? child.len + as_dir : 0;

	for (; base->kind == NODE_DIR || base->kind == NODE_FILE; base = base->parent) {
		if (!base->parent)
			break;
		len += part_of(ret->view, base, &buf).len + (base->kind == NODE_DIR);
	}
	if (base->kind == NODE_HUB || base->kind == NODE_SERVICE)
		return -EPERM;
	ret->account = ret->view->account;
	int error = place_base(base, ret);

	if (error < 0)
		return error;
	if (ret->key_len + len > KEY_MAX)
		return -ENAMETOOLONG;
	ret->key_len += len;
	char *at = ret->key + ret->key_len; /* filled from the end */

	*at = '\0';
	if (child.data) {
		if (as_dir)
			*--at = '/';
		at -= child.len;
		memcpy(at, child.data, child.len);
	}
	for (; node != base; node = node->parent) {
		struct str part = part_of(ret->view, node, &buf);

		if (node->kind == NODE_DIR)
			*--at = '/';
		at -= part.len;
		if (part.len > 0)
			memcpy(at, part.data, part.len);
	}
	return 0;
}

int node_place(const struct node *node, struct place *ret)
{
	return place_of(node, STR_NONE, false, ret);
}

int node_child_place(const struct node *parent, struct str name, bool as_dir, struct place *ret)
{
	return place_of(parent, name, as_dir, ret);
}

int place_keep(struct place **at, const struct place *now, bool *ret_changed)
{
	size_t size = offsetof(struct place, key) + now->key_len + 1;
	struct place *kept = *at;

	if (!kept || !place_same_key(kept, now)) {
		kept = malloc(size);
		if (!kept)
			return -ENOMEM;
		free(*at);
		*at = kept;
		*ret_changed = true;
	}
	memcpy(kept, now, size);
	return 0;
}
