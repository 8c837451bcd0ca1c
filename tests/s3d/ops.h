/*
 * The operations by name.  `any`, `read` and `write` stand for groups in fault, latency and rate
 * specifications; `deletes-key` is one key inside a DeleteObjects, and only faults know it.
 */
#ifndef S3D_OPS_H
#define S3D_OPS_H

#include <stdbool.h>

enum op {
	OP_UNKNOWN,
	OP_ADMIN,
	OP_LIST_BUCKETS,
	OP_CREATE_BUCKET,
	OP_DELETE_BUCKET,
	OP_HEAD_BUCKET,
	OP_GET_LOCATION,
	OP_GET_VERSIONING,
	OP_LIST,
	OP_LIST_UPLOADS,
	OP_HEAD,
	OP_GET,
	OP_PUT,
	OP_COPY,
	OP_DELETE,
	OP_DELETES,
	OP_CREATE_UPLOAD,
	OP_UPLOAD_PART,
	OP_COPY_PART,
	OP_COMPLETE,
	OP_ABORT,
	OP_LIST_PARTS,
	OP_GET_TAGGING,
	OP_PUT_TAGGING,
	OP_DELETE_TAGGING,
	OP_COUNT,
	/* groups and pseudo operations */
	OP_ANY = OP_COUNT,
	OP_READ,
	OP_WRITE,
	OP_DELETES_KEY,
	OP_NAMES,
};

const char *op_name(enum op op);
/* The operation or group of that name, else OP_UNKNOWN. */
enum op op_of(const char *name);
bool op_writes(enum op op);
/* Whether `op` is `group` or in it. */
bool op_in(enum op op, enum op group);

struct req;

/* Carries the operation out and fills req's reply.  bucket-level names are checked by op_run. */
void op_run(struct req *req);

void op_list_buckets(struct req *req);
void op_create_bucket(struct req *req);
void op_delete_bucket(struct req *req);
void op_head_bucket(struct req *req);
void op_get_location(struct req *req);
void op_get_versioning(struct req *req);
void op_list(struct req *req);
void op_list_uploads(struct req *req);
void op_get(struct req *req); /* HEAD too */
void op_put(struct req *req);
void op_copy(struct req *req);
void op_delete(struct req *req);
void op_deletes(struct req *req);
void op_create_upload(struct req *req);
void op_upload_part(struct req *req);
void op_copy_part(struct req *req);
void op_complete(struct req *req);
void op_abort(struct req *req);
void op_list_parts(struct req *req);
void op_get_tagging(struct req *req);
void op_put_tagging(struct req *req);
void op_delete_tagging(struct req *req);

#endif
