#include "fs/core/node_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { TABLE_FIRST = 256 };

int table_init(struct node_table *table)
{
	table->slots = calloc(TABLE_FIRST, sizeof(*table->slots));
	if (!table->slots)
		return -ENOMEM;
	table->size = TABLE_FIRST;
	table->used = 0;
	return 0;
}

/* A finalizer of 64 bits (Stafford's "Mix13", as in splitmix64). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint64_t hash_ino(uint64_t ino)
{
	return mix(ino);
}

static uint64_t node_table_hash_name(const struct nodes *nodes, uint64_t parent, struct str name)
{
	uint64_t hash = nodes->seed ^ mix(parent);

	while (name.len >= 8) {
		uint64_t word;

		memcpy(&word, name.data, 8);
		hash = mix(hash ^ word);
		name = str_skip(name, 8);
	}
	uint64_t rest = name.len; /* at most 7: in the byte that the rest of the name can't reach */
	rest <<= 56;
	for (size_t i = 0; i < name.len; i++)
		rest |= (uint64_t)(unsigned char)name.data[i] << (8 * i);
	return mix(hash ^ rest);
}

static struct str node_name(const struct node *node)
{
	return str_n(node->name, node->name_len);
}

static uint64_t hash_of(const struct nodes *nodes, const struct node_table *table, const struct node *node)
{
	if (table == &nodes->by_ino)
		return hash_ino(node->ino);
	return node_table_hash_name(nodes, node->parent->ino, node_name(node));
}

static struct node **node_table_chain_of(
	const struct nodes *nodes, const struct node_table *table, struct node *node)
{
	return table == &nodes->by_ino ? &node->ino_next : &node->name_next;
}

void table_grow(struct nodes *nodes, struct node_table *table)
{
	if (table->used < table->size)
		return;
	size_t size = table->size * 2;
	struct node **slots = calloc(size, sizeof(*slots));

	if (!slots)
		return;
	for (size_t i = 0; i < table->size; i++) {
		struct node *node = table->slots[i];

		while (node) {
			struct node **chain = node_table_chain_of(nodes, table, node);
			struct node *next = *chain;
			struct node **slot = &slots[hash_of(nodes, table, node) & (size - 1)];

			*chain = *slot;
			*slot = node;
			node = next;
		}
	}
	free(table->slots);
	table->slots = slots;
	table->size = size;
}

static void link_node(struct nodes *nodes, struct node_table *table, struct node *node)
{
	table_grow(nodes, table);
	struct node **slot = &table->slots[hash_of(nodes, table, node) & (table->size - 1)];

	*node_table_chain_of(nodes, table, node) = *slot;
	*slot = node;
	table->used++;
}

static void unlink_node(struct nodes *nodes, struct node_table *table, struct node *node)
{
	struct node **at = &table->slots[hash_of(nodes, table, node) & (table->size - 1)];

	while (*at != node) {
		assert(*at);
		at = node_table_chain_of(nodes, table, *at);
	}
	*at = *node_table_chain_of(nodes, table, node);
	*node_table_chain_of(nodes, table, node) = NULL;
	table->used--;
}

void table_link_ino(struct nodes *nodes, struct node *node)
{
	link_node(nodes, &nodes->by_ino, node);
}

void table_unlink_ino(struct nodes *nodes, struct node *node)
{
	unlink_node(nodes, &nodes->by_ino, node);
}

void table_link_name(struct nodes *nodes, struct node *node)
{
	struct node *parent = node->parent;

	link_node(nodes, &nodes->by_name, node);
	node->child_prev = NULL;
	node->child_next = parent->children;
	if (parent->children)
		parent->children->child_prev = node;
	parent->children = node;
}

void table_unlink_name(struct nodes *nodes, struct node *node)
{
	unlink_node(nodes, &nodes->by_name, node);
	if (node->child_prev)
		node->child_prev->child_next = node->child_next;
	else
		node->parent->children = node->child_next;
	if (node->child_next)
		node->child_next->child_prev = node->child_prev;
	node->child_next = node->child_prev = NULL;
}

struct node *nodes_find(struct nodes *nodes, uint64_t ino)
{
	struct node *node = nodes->by_ino.slots[hash_ino(ino) & (nodes->by_ino.size - 1)];

	while (node && node->ino != ino)
		node = node->ino_next;
	return node;
}

struct node *nodes_child(struct nodes *nodes, const struct node *parent, struct str name)
{
	struct node *node =
		nodes->by_name
			.slots[node_table_hash_name(nodes, parent->ino, name) & (nodes->by_name.size - 1)];

	while (node && !(node->parent == parent && str_eq(node_name(node), name)))
		node = node->name_next;
	return node;
}

static uint64_t number_hash(
	const struct nodes *nodes, const struct node *parent, struct str name, enum node_kind kind)
{
	return mix(node_table_hash_name(nodes, parent->ino, name) ^ kind);
}

uint64_t table_number(struct nodes *nodes, const struct node *parent, struct str name, enum node_kind kind)
{
	uint64_t ino = node_numbers_take(nodes->numbers, number_hash(nodes, parent, name, kind));

	return ino && !nodes_find(nodes, ino) ? ino : nodes->next_ino++;
}

void table_keep_number(struct nodes *nodes, const struct node *node)
{
	node_numbers_put(
		nodes->numbers, number_hash(nodes, node->parent, node_name(node), node->kind), node->ino);
}

uint64_t nodes_count(const struct nodes *nodes)
{
	return nodes->by_ino.used;
}

#ifdef NDEBUG
void nodes_check(const struct nodes *nodes)
{
}
#else
static void check_children(const struct nodes *nodes, const struct node *node)
{
	const struct node *prev = NULL;
	uint64_t children = 0;

	for (const struct node *child = node->children; child; child = child->child_next) {
		assert(child->parent == node && child->child_prev == prev && !child->gone);
		assert(nodes_child((struct nodes *)nodes, node, node_name(child)) == child);
		prev = child;
		children++;
	}
	assert(node->refs >= children);
	assert(node_is_dir(node) || children == 0);
}

void nodes_check(const struct nodes *nodes)
{
	size_t seen = 0, named = 0;

	for (size_t i = 0; i < nodes->by_ino.size; i++) {
		for (const struct node *node = nodes->by_ino.slots[i]; node; node = node->ino_next) {
			seen++;
			named += node->parent && !node->gone;
			assert(node->ino < nodes->next_ino);
			assert((node == nodes->root) == !node->parent);
			assert(node->refs || node->lookups);
			assert(node->name[node->name_len] == '\0');
			check_children(nodes, node);
		}
	}
	assert(seen == nodes->by_ino.used);
	assert(named == nodes->by_name.used);
}
#endif

void table_changed(struct nodes *nodes)
{
	enum { SMALL = 64, NOW_AND_THEN = 512 };

	if (CHECKS_TABLES && (nodes->by_ino.used <= SMALL || ++nodes->transitions % NOW_AND_THEN == 0))
		nodes_check(nodes);
}
