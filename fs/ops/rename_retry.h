/*
 * rename_again: the second rename of a mv after its first one failed.
 *
 * GNU mv that could not rename a directory looks whether the new place is a directory by now, and then moves
 * into it (coreutils 9.1, mv.c: any error of the first renameat2 leads there).  After a move in part the new
 * place is one: the objects left at the old place would go to new/old, mv would end with 0, and the tree
 * would be in two halves.  So the process that was told of the failure is told of it once more.
 *
 * Remembers few failures, each for some seconds: mv asks at once.  Any thread; a lock of its own, a leaf.
 */
#ifndef FERRYFS_FS_OPS_RENAME_RETRY_H
#define FERRYFS_FS_OPS_RENAME_RETRY_H

#include "fs/ops/rename_internal.h"

/* The rename failed with this error (negative) after its job had begun.  hub.lock held. */
void rename_again_remember(struct rename_op *op, int error);
/* Is this the second try?  The error of the first, or 0.  hub.lock held; both ends are known. */
int rename_again_refusal(struct rename_op *op, const struct node *node);

#endif
