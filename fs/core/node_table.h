/*
 * node_table: the two hash tables of struct nodes; private to node*.c.
 *
 * A node is in the table of inode numbers for as long as it lives, and in the table of names (parent and
 * name) and its parent's list of children while it has a name, that is, unless it is the root or gone.
 */
#ifndef FERRYFS_FS_CORE_NODE_TABLE_H
#define FERRYFS_FS_CORE_NODE_TABLE_H

#include "engine/base/checks.h"
#include "fs/core/node.h"
#include "fs/core/node_numbers.h"

struct node_table {
	struct node **slots;
	size_t size; /* a power of two */
	size_t used;
};

struct nodes {
	struct node_table by_ino, by_name;
	struct node_numbers *numbers; /* of names whose nodes went; NULL: memory was short */
	struct node *root;
	uint64_t next_ino;
	uint64_t seed; /* of the names' hash: names are chosen by others */
	uint64_t transitions; /* counted where CHECKS_TABLES */
	struct nodes_hooks hooks; /* NULL: none */
};

int table_init(struct node_table *table);
/* Twice the slots once there are as many nodes as slots.  Failing to grow only makes chains longer. */
void table_grow(struct nodes *nodes, struct node_table *table);
void table_link_ino(struct nodes *nodes, struct node *node);
void table_unlink_ino(struct nodes *nodes, struct node *node);
/* Into the names and the parent's children, and out again. */
void table_link_name(struct nodes *nodes, struct node *node);
void table_unlink_name(struct nodes *nodes, struct node *node);
/* The inode number for a node that is being made: that of the same name and kind before, or a new one. */
uint64_t table_number(struct nodes *nodes, const struct node *parent, struct str name, enum node_kind kind);
/* The node is freed though its name may still be there: the next of that name gets its number. */
void table_keep_number(struct nodes *nodes, const struct node *node);
/* After every transition of a node (made, out of its directory, moved, freed): where CHECKS_TABLES, the whole
 * table is checked, a large one now and then. */
void table_changed(struct nodes *nodes);

#endif
