#include "fs/core/node_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "engine/base/clock.h"
#include "s3/key.h"

int nodes_new(struct nodes **ret)
{
	struct nodes *nodes = calloc(1, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	nodes->next_ino = 1;
	/* A seed that is not random only makes crafted names slow. */
	if (getrandom(&nodes->seed, sizeof(nodes->seed), GRND_NONBLOCK) < 0)
		nodes->seed = (uint64_t)time(NULL);
	if (table_init(&nodes->by_ino) < 0 || table_init(&nodes->by_name) < 0) {
		nodes_free(nodes);
		return -ENOMEM;
	}
	nodes->numbers = node_numbers_new();
	*ret = nodes;
	return 0;
}

void nodes_set_hooks(struct nodes *nodes, const struct nodes_hooks *hooks)
{
	nodes->hooks = *hooks;
}

static void node_leaves(struct nodes *nodes, struct node *node)
{
	if (nodes->hooks.leaves)
		nodes->hooks.leaves(nodes->hooks.user, node);
}

/* Takes away the dir and the draft of a node that is about to be freed. */
static void node_strip(struct nodes *nodes, struct node *node)
{
	node_leaves(nodes, node);
	if (nodes->hooks.freed)
		nodes->hooks.freed(nodes->hooks.user, node);
}

static void free_memory(struct node *node)
{
	if (node->name != node->room)
		free(node->name);
	free(node->attr.etag);
	free(node->attr.storage_class);
	free(node->attr.attrs);
	free(node);
}

void nodes_free(struct nodes *nodes)
{
	if (!nodes)
		return;
	for (size_t i = 0; i < nodes->by_ino.size; i++) {
		for (struct node *node = nodes->by_ino.slots[i]; node; node = node->ino_next)
			node_strip(nodes, node);
	}
	for (size_t i = 0; i < nodes->by_ino.size; i++) {
		struct node *node = nodes->by_ino.slots[i];

		while (node) {
			struct node *next = node->ino_next;

			free_memory(node);
			node = next;
		}
	}
	free(nodes->by_ino.slots);
	free(nodes->by_name.slots);
	node_numbers_free(nodes->numbers);
	free(nodes);
}

/* A node with one ref, in no table yet. */
static struct node *node_make(struct str name, enum node_kind kind)
{
	size_t size = offsetof(struct node, room) + name.len + 1;
	struct node *node = calloc(1, size > sizeof(*node) ? size : sizeof(*node));

	if (!node)
		return NULL;
	node->name = node->room;
	node->room_size = (uint16_t)(name.len + 1);
	node->name_len = (uint16_t)name.len;
	if (name.len > 0)
		memcpy(node->room, name.data, name.len);
	node->kind = kind;
	node->refs = 1;
	return node;
}

int nodes_add_root(struct nodes *nodes, enum node_kind kind, struct view *view, struct node **ret)
{
	if (nodes->root)
		return -EEXIST;
	struct node *node = node_make(STR(""), kind);

	if (!node)
		return -ENOMEM;
	node->ino = nodes->next_ino++;
	node->view = view;
	table_link_ino(nodes, node);
	nodes->root = node;
	table_changed(nodes);
	*ret = node;
	return 0;
}

bool nodes_beside(struct nodes *nodes, const struct node *parent, struct str name, struct odd_text *buf,
	struct str *ret_name)
{
	const struct view *view = node_view(parent);
	struct odd_text part_buf;
	struct str part, beside;

	if (!view || view->odd_keys != ODD_KEYS_ESCAPE || odd_is_file(name) ||
		!odd_part(name, &part_buf, &part) || !odd_name_beside(part, buf, &beside) ||
		!nodes_child(nodes, parent, beside))
		return false;
	*ret_name = beside;
	return true;
}

int nodes_add(
	struct nodes *nodes, struct node *parent, struct str name, enum node_kind kind, struct node **ret)
{
	if (!key_name_ok(name))
		return -EINVAL;
	if (nodes_child(nodes, parent, name))
		return -EEXIST;
	struct node *node = node_make(name, kind);

	if (!node)
		return -ENOMEM;
	node->ino = table_number(nodes, parent, name, kind);
	node->parent = node_ref(parent);
	table_link_ino(nodes, node);
	table_link_name(nodes, node);
	table_changed(nodes);
	*ret = node;
	return 0;
}

void nodes_detach(struct nodes *nodes, struct node *node)
{
	if (node->gone || !node->parent)
		return;
	node_leaves(nodes, node);
	table_unlink_name(nodes, node);
	node->gone = true;
	table_changed(nodes);
}

bool node_is_below(const struct node *node, const struct node *above)
{
	while (node && node != above)
		node = node->parent;
	return node;
}

int nodes_move(struct nodes *nodes, struct node *node, struct node *parent, struct str name)
{
	char *text = NULL;

	if (node->gone || !node->parent || node_is_below(parent, node) || !key_name_ok(name))
		return -EINVAL;
	struct node *there = nodes_child(nodes, parent, name);

	if (there)
		return there == node ? 0 : -EEXIST;
	if (name.len >= node->room_size) {
		text = str_dup(name);
		if (!text)
			return -ENOMEM;
	}
	struct node *old = node->parent;

	node_leaves(nodes, node);
	table_unlink_name(nodes, node);
	/* name may be lent from the node itself: the old text goes last. */
	char *before = node->name;

	if (text) {
		node->name = text;
	} else {
		memmove(node->room, name.data, name.len);
		node->room[name.len] = '\0';
		node->name = node->room;
	}
	if (before != node->room)
		free(before);
	node->name_len = (uint16_t)name.len;
	node->parent = node_ref(parent);
	table_link_name(nodes, node);
	node_unref(nodes, old);
	table_changed(nodes);
	return 0;
}

struct node *node_ref(struct node *node)
{
	node->refs++;
	return node;
}

/* Frees it if nothing holds it, and then its parents for as long as nothing holds them either. */
static void node_release(struct nodes *nodes, struct node *node)
{
	bool freed = false;

	while (node && node->refs == 0 && node->lookups == 0) {
		struct node *parent = node->parent;

		assert(!node->children);
		node_strip(nodes, node);
		if (parent && !node->gone) {
			table_unlink_name(nodes, node);
			table_keep_number(nodes, node);
		}
		table_unlink_ino(nodes, node);
		if (nodes->root == node)
			nodes->root = NULL;
		free_memory(node);
		if (parent) {
			assert(parent->refs > 0);
			parent->refs--;
		}
		node = parent;
		freed = true;
	}
	if (freed)
		table_changed(nodes);
}

void node_unref(struct nodes *nodes, struct node *node)
{
	if (!node)
		return;
	assert(node->refs > 0);
	node->refs--;
	node_release(nodes, node);
}

void node_lookup_add(struct node *node)
{
	/* The kernel forgets all of its count at once, so that what is too many to be counted ends all the
	 * same. */
	if (node->lookups < UINT32_MAX)
		node->lookups++;
}

void node_forget(struct nodes *nodes, struct node *node, uint64_t count)
{
	/* The kernel's count is not ours to trust with a wrap-around. */
	node->lookups -= count < node->lookups ? (uint32_t)count : node->lookups;
	node_release(nodes, node);
}

bool node_is_dir(const struct node *node)
{
	return node->kind != NODE_FILE;
}

/* A copy of text to own, or none for an empty one. */
static int own_text(struct str text, char **ret)
{
	char *copy = NULL;

	if (text.data && text.len > 0) {
		copy = str_dup(text);
		if (!copy)
			return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

int node_set_attr(struct node *node, uint64_t size, int64_t mtime, int32_t nsec, struct str etag,
	struct str storage_class)
{
	char *etag_text, *class_text;

	if (own_text(etag, &etag_text) < 0)
		return -ENOMEM;
	if (own_text(storage_class, &class_text) < 0) {
		free(etag_text);
		return -ENOMEM;
	}
	free(node->attr.etag);
	free(node->attr.storage_class);
	node->attr = (struct node_attr){
		.size = size,
		.mtime = mtime,
		.mtime_nsec = nsec,
		.version = node->attr.version + 1,
		.etag = etag_text,
		.storage_class = class_text,
		.fetched_ms = clock_ms(),
		.attrs = node->attr.attrs,
		.attrs_ms = node->attr.attrs_ms,
	};
	node->local = false;
	return 0;
}

/* The content that is known, and not another?  Swift has an ETag in HEAD and another one in listings for copies
 * in parts: then its time tells. */
static bool same_content(const struct node_attr *known, const struct node_said *said)
{
	if (known->fetched_ms == 0 && !known->etag && known->modified == 0)
		return false;
	if (known->size != said->size)
		return false;
	if (known->etag && said->etag.len > 0 && str_eq(str_of(known->etag), said->etag))
		return true;
	return known->modified != 0 && known->modified == said->modified;
}

static int64_t time_unsaid(const struct node *node)
{
	const struct view *view = node_view(node);

	return view ? view->since : 0;
}

int node_learn(struct node *node, const struct node_said *said)
{
	const struct node_attr *known = &node->attr;
	bool same = same_content(known, said), was_known = known->fetched_ms != 0;
	bool etag_differs = !str_eq(str_of(known->etag), said->etag);
	bool touched = known->modified != 0 && said->modified != 0 && known->modified != said->modified;
	int64_t mtime = said->modified;
	int32_t nsec = 0;

	if (node_is_dir(node) ? was_known || known->mtime != 0 : same) {
		mtime = known->mtime;
		nsec = known->mtime_nsec;
	}
	if (mtime == 0 && !node_is_dir(node))
		mtime = time_unsaid(node);
	int error = node_set_attr(node, said->size, mtime, nsec, said->etag, said->storage_class);

	if (error < 0)
		return error;
	node->attr.modified = said->modified;
	/* A copy onto itself changes metadata, and leaves most ETags. */
	if (!node_is_dir(node) && (!same || etag_differs || touched))
		node_set_attrs(node, NULL);
	return !node_is_dir(node) && was_known && (!same || etag_differs);
}

int node_copy_attr(struct node *node, const struct node_attr *attr)
{
	int error = node_set_attr(node, attr->size, attr->mtime, attr->mtime_nsec, str_of(attr->etag),
		str_of(attr->storage_class));

	if (error < 0)
		return error;
	node->attr.modified = attr->modified;
	return node_set_attrs(node, attr->attrs);
}

int node_set_attrs(struct node *node, const struct attrs *attrs)
{
	struct attrs *copy = attrs ? malloc(sizeof(*copy)) : NULL;

	if (copy)
		*copy = *attrs;
	free(node->attr.attrs);
	node->attr.attrs = copy;
	node->attr.attrs_ms = clock_ms();
	node->attr.version++;
	return attrs && !copy ? -ENOMEM : 0;
}

bool node_keeps_attrs(const struct node *node)
{
	const struct view *view = node_view(node);

	return view && view->attrs_meta && (node->kind == NODE_FILE || node->kind == NODE_DIR);
}

bool node_attrs_known(const struct node *node, uint64_t now)
{
	const struct view *view = node_view(node);

	if (!node_keeps_attrs(node) || node->local || node->draft || node->gone)
		return true;
	if (!node->attr.attrs)
		return false;
	return !node_is_dir(node) || now < node->attr.attrs_ms + view->cache_ttl_ms;
}

uint64_t node_stamp(const struct node *node)
{
	/* 2^40 ms are 34 years. */
	return (uint64_t)node->attr.version << 40 ^ node->attr.fetched_ms;
}

bool node_attr_fresh(const struct node *node, uint64_t now)
{
	const struct view *view = node_view(node);

	if (node_is_dir(node) || node->local)
		return true;
	if (node->attr.fetched_ms == 0 || !view)
		return false;
	return now < node->attr.fetched_ms + view->cache_ttl_ms;
}
