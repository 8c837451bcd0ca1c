/*
 * rename_op: a rename under way.
 *
 *   op_rename.c    the checks that need no request
 *   rename.c       the changes of the nodes, the directory that is left, the end
 *   rename_file.c  copy of the object, then its delete, conditional on the copied version
 *   rename_dir.c   one tree-move job
 *
 * ends[0] is where it is, ends[1] where it goes; both keys, or both prefixes, are claimed exclusively.
 */
#ifndef FERRYFS_FS_OPS_RENAME_INTERNAL_H
#define FERRYFS_FS_OPS_RENAME_INTERNAL_H

#include "engine/object/copy.h"
#include "engine/job/job.h"
#include "engine/object/twins.h"
#include "fs/file/draft.h"
#include "fs/file/draft_keep.h"
#include "fs/file/handle_rename.h"
#include "fs/dir/marker.h"
#include "fs/ops/alias_guard.h"
#include "fs/ops/name_op.h"
#include "fs/dir/probe.h"

struct rename_op {
	struct name_op base;
	bool noreplace;
	struct draft_keep keep; /* the file that it replaces, where that is open */
	struct node *node; /* referenced: the file or directory that moves */
	struct node *target; /* referenced: the node that it replaces; NULL: none */
	enum marker_plan plan;
	struct marker marker; /* of the directory it leaves */
	struct probe probe;
	struct call call;
	void (*step)(struct rename_op *op); /* after the marker was written */

	/* a file: its copy */
	struct task task;
	struct copy copy;
	struct copy_settings settings;
	struct draft_flush flush; /* of content that S3 does not have yet */
	unsigned stores;
	unsigned tries;
	bool plain_delete; /* the delete goes without condition: the source was looked at */
	bool doubt; /* the source may be its own copy, under another name of its bucket */
	struct twins *twins; /* while that is found out; owned */
	struct guard *guard; /* while it is found out whether the target is another file as well; owned */
	uint64_t size;
	int64_t mtime; /* by HEAD before the copy; 0: it was not looked at */
	char etag[ETAG_MAX + 1];
	char storage_class[STORAGE_CLASS_MAX + 1];

	/* a directory */
	struct follow follow; /* protected by hub.lock */
	_Atomic(struct job *) job; /* one reference */
	atomic_bool cancel; /* a cancel is wanted, perhaps before the job was there */
	bool keep_marker; /* the target's marker stays: the source's is not copied onto it but deleted at the
			     end */
};

/* Any thread, no lock: the claim is granted and no check has failed so far. */
void rename_file(struct rename_op *op);
void rename_dir(struct rename_op *op);
/* parked.killed of a directory's rename: the move is undone where it can be, and then answered. */
void rename_dir_killed(struct parked *parked);

/* S3 has the content at the new place and no longer at the old: moves the node.  No lock held. */
void rename_op_apply(struct rename_op *op);
/* The source is not there any more.  No lock held. */
void rename_op_lost(struct rename_op *op);
/* Looks after the directory that was left, and answers 0. */
void rename_op_done(struct rename_op *op);
/* Answers the error; the knowledge of both places is doubted. */
void rename_op_failed(struct rename_op *op, int error);
/* Writes the marker of the directory it leaves first, where that is needed, then goes on. */
void rename_op_mark(struct rename_op *op, void (*step)(struct rename_op *op));

static inline struct name_end *rename_from(struct rename_op *op)
{
	return &op->base.ends[0];
}

static inline struct name_end *rename_to(struct rename_op *op)
{
	return &op->base.ends[1];
}

#endif
