/*
 * node_numbers: which inode number a name had, after the kernel has let go of its node.
 *
 * A program that looks at a name twice compares the numbers: cp does between its lstat and its open ("replaced while
 * being copied"), tar, find and rsync likewise.  In between the kernel may forget the inode, because it was asked to
 * (fs/serve/prune.h) or because memory is short, and the node goes.  So the next node of the same directory, name and
 * kind gets the same number.  A name that was removed or moved away here is not remembered: what is made there next is
 * another file.
 *
 * A table of fixed size (NUMBERS_MAX names, 16 bytes each) with a few places for each hash, of which a newer name takes
 * the oldest.  Only hashes are kept.  They are seeded and of 64 bits; two names of one hash would merely hand a number
 * over, as nodes_add takes no number that a living node has.
 *
 * Under hub.lock, as all of nodes.
 */
#ifndef FERRYFS_FS_CORE_NODE_NUMBERS_H
#define FERRYFS_FS_CORE_NODE_NUMBERS_H

#include <stdint.h>

enum { NUMBERS_MAX = 65536 }; /* four times what prune leaves to the kernel (PRUNE_ABOVE) */

struct node_numbers;

/* NULL where memory is short: then nothing is remembered, which the other functions accept. */
struct node_numbers *node_numbers_new(void);
void node_numbers_free(struct node_numbers *numbers);

void node_numbers_put(struct node_numbers *numbers, uint64_t hash, uint64_t ino);
/* 0: not remembered.  It then no longer is. */
uint64_t node_numbers_take(struct node_numbers *numbers, uint64_t hash);

#endif
