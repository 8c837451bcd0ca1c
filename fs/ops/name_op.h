/*
 * name_op: a parked request that makes, removes or moves names: the common part of mkdir, unlink, rmdir and
 * rename.
 *
 * Its life: name_op_new, one or two name_op_end (all on the reading thread), then name_op_go, which claims
 * the keys; once they are granted, and the names still are where they were when the claim was taken, `ready`
 * is called, on the thread that released the last obstacle, with no lock held.  From there the operation goes
 * on through its own calls and ends with exactly one name_op_finish or name_op_finish_entry, which releases
 * the claim, answers and frees it.  A caller that is killed meanwhile is answered at once; an operation that
 * has begun still goes on to its end, and one that has not is not begun.
 *
 * A struct name_op is the first member of an operation's own struct.
 */
#ifndef FERRYFS_FS_OPS_NAME_OP_H
#define FERRYFS_FS_OPS_NAME_OP_H

#include "engine/base/log.h"
#include "fs/core/key_hold.h"
#include "fs/core/place.h"
#include "fs/dir/dir.h"
#include "fs/core/hub.h"
#include "fs/request/parked.h"

struct name_end {
	struct node *parent; /* referenced */
	size_t len;
	char name[KEY_NAME_MAX + 1];
	struct place place; /* of the name; ends in "/" when as_dir */
};

struct name_op {
	struct parked parked;
	struct hub *hub;
	struct worker *worker; /* for its calls */
	const char *what; /* "unlink", for the log */
	struct name_end ends[CLAIM_ITEMS_MAX];
	unsigned count;
	bool as_dir; /* claims everything below, with the marker, rather than one object */
	int untold; /* the error of other operations, which this call tells if it succeeds itself */
	int error; /* the result; for `release` */
	struct key_hold hold; /* of the ends */
	void (*ready)(struct name_op *op);
	/* at the end; releases the things that the operation's own struct holds; may be NULL */
	void (*release)(struct name_op *op);
};

/* Answers ENOMEM itself and returns NULL.  size: of the operation's struct. */
void *name_op_new(fuse_req_t req, size_t size, const char *what, void (*ready)(struct name_op *op));
/* hub.lock held.  -ENOENT, -ENAMETOOLONG, -EROFS, -EPERM above a bucket's keys. */
int name_op_end(struct name_op *op, fuse_ino_t parent, const char *name);
/* error: of name_op_end; an error ends the operation at once. */
void name_op_go(struct name_op *op, int error);

static inline struct str name_end_name(const struct name_end *end)
{
	return str_n(end->name, end->len);
}

/* The node of that name, or NULL; hub.lock held; lent. */
struct node *name_end_child(const struct name_op *op, const struct name_end *end);

void name_op_finish(struct name_op *op, int error);
/* An error, which may be the last answer that its process gets from us: the operations promised to the
 * process come to their end first (fs/request/last_reply.h). */
void name_op_finish_last(struct name_op *op, int error);
/* Success with an entry; takes the ref on node. */
void name_op_finish_entry(struct name_op *op, struct node *node);
/* One log line for a request that S3 refused. */
void name_op_log(const struct name_op *op, const struct name_end *name, int error,
	const struct s3_answer *answer, const char *consequence);

#endif
