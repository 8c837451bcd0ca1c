/*
 * remove_op: one object goes and its name with it; the directory it was in stays (fs/dir/marker.h).
 *
 * Shared by unlink and rmdir, which differ in their checks before: they prepare (name_op), check, and call
 * remove_op_go; the rest, answer included, happens here.
 */
#ifndef FERRYFS_FS_OPS_REMOVE_H
#define FERRYFS_FS_OPS_REMOVE_H

#include "fs/early/batch.h"
#include "fs/file/draft_keep.h"
#include "fs/ops/alias_guard.h"
#include "fs/dir/marker.h"
#include "fs/ops/left_below.h"
#include "fs/ops/name_op.h"
#include "fs/ops/unchanged.h"

struct remove_op {
	struct name_op base;
	struct node *node; /* referenced: the file or directory to remove */
	enum marker_plan plan;
	struct marker marker; /* of the parent */
	struct call call;
	struct unchanged
		*unchanged; /* removes only the version that the process has taken; owned; NULL: none */
	struct guard *guard; /* while the guard finds out whether it is another file as well; owned */
	struct left_below left; /* rmdir: what is below the directory */
	struct draft_keep keep; /* a file that is open */
	struct batch *batch; /* referenced: the operations promised to its process come first; NULL: none */
	struct batch_wait wait;
	bool later; /* the process has a call to come that tells the result of the others */
};

/* Claims the name (name_op_go), once all operations promised to the process are settled; takes the ref on
 * batch, which may be NULL.  error: of name_op_end. */
void remove_op_begin(struct remove_op *op, struct batch *batch, int error);
/* For name_op.release. */
void remove_op_release(struct name_op *base);
/* hub.lock held.  Takes the node to be removed, and plans for its parent; 0 or -errno of node_place. */
int remove_op_plan(struct remove_op *op, struct node *node);
/* Any thread, no lock. */
void remove_op_go(struct remove_op *op);
/* An errno that rm -f does not take for "it is gone" (coreutils, nonexistent_file_errno). */
int remove_errno(int error);

#endif
