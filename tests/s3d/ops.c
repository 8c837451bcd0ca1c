#include "tests/s3d/ops.h"
#include "tests/s3d/reply.h"
#include "tests/s3d/request.h"

/* Which bucket must exist before the operation is looked at. */
enum need { NEED_NOTHING, NEED_BUCKET };

static const struct {
	const char *name;
	bool writes;
	enum need need;
	void (*run)(struct req *req);
} table[OP_NAMES] = {
	[OP_UNKNOWN] = {"unknown", false, NEED_NOTHING, NULL},
	[OP_ADMIN] = {"admin", false, NEED_NOTHING, NULL},
	[OP_LIST_BUCKETS] = {"list-buckets", false, NEED_NOTHING, op_list_buckets},
	[OP_CREATE_BUCKET] = {"create-bucket", true, NEED_NOTHING, op_create_bucket},
	[OP_DELETE_BUCKET] = {"delete-bucket", true, NEED_BUCKET, op_delete_bucket},
	[OP_HEAD_BUCKET] = {"head-bucket", false, NEED_BUCKET, op_head_bucket},
	[OP_GET_LOCATION] = {"get-location", false, NEED_BUCKET, op_get_location},
	[OP_GET_VERSIONING] = {"get-versioning", false, NEED_BUCKET, op_get_versioning},
	[OP_LIST] = {"list", false, NEED_BUCKET, op_list},
	[OP_LIST_UPLOADS] = {"list-uploads", false, NEED_BUCKET, op_list_uploads},
	[OP_HEAD] = {"head", false, NEED_BUCKET, op_get},
	[OP_GET] = {"get", false, NEED_BUCKET, op_get},
	[OP_PUT] = {"put", true, NEED_BUCKET, op_put},
	[OP_COPY] = {"copy", true, NEED_BUCKET, op_copy},
	[OP_DELETE] = {"delete", true, NEED_BUCKET, op_delete},
	[OP_DELETES] = {"deletes", true, NEED_BUCKET, op_deletes},
	[OP_CREATE_UPLOAD] = {"create-upload", true, NEED_BUCKET, op_create_upload},
	[OP_UPLOAD_PART] = {"upload-part", true, NEED_BUCKET, op_upload_part},
	[OP_COPY_PART] = {"copy-part", true, NEED_BUCKET, op_copy_part},
	[OP_COMPLETE] = {"complete", true, NEED_BUCKET, op_complete},
	[OP_ABORT] = {"abort", true, NEED_BUCKET, op_abort},
	[OP_LIST_PARTS] = {"list-parts", false, NEED_BUCKET, op_list_parts},
	[OP_GET_TAGGING] = {"get-tagging", false, NEED_BUCKET, op_get_tagging},
	[OP_PUT_TAGGING] = {"put-tagging", true, NEED_BUCKET, op_put_tagging},
	[OP_DELETE_TAGGING] = {"delete-tagging", true, NEED_BUCKET, op_delete_tagging},
	[OP_ANY] = {"any", false, NEED_NOTHING, NULL},
	[OP_READ] = {"read", false, NEED_NOTHING, NULL},
	[OP_WRITE] = {"write", false, NEED_NOTHING, NULL},
	[OP_DELETES_KEY] = {"deletes-key", true, NEED_NOTHING, NULL},
};

const char *op_name(enum op op)
{
	return table[op].name;
}

enum op op_of(const char *name)
{
	for (enum op op = OP_UNKNOWN; op < OP_NAMES; op++)
		if (strcmp(table[op].name, name) == 0)
			return op;
	return OP_UNKNOWN;
}

bool op_writes(enum op op)
{
	return table[op].writes;
}

bool op_in(enum op op, enum op group)
{
	if (op == group)
		return true;
	if (op == OP_DELETES_KEY)
		return false;
	return group == OP_ANY || (group == OP_WRITE && op_writes(op)) ||
	       (group == OP_READ && !op_writes(op));
}

void op_run(struct req *req)
{
	if (!table[req->op].run) {
		reply_error(req, "NotImplemented");
		return;
	}
	if (req->key.n > KEY_MAX_BYTES) {
		reply_error(req, "KeyTooLongError");
		return;
	}
	req->b = store_bucket(&req->server->store, req->bucket);
	if (table[req->op].need == NEED_BUCKET && !req->b) {
		reply_error(req, "NoSuchBucket");
		return;
	}
	table[req->op].run(req);
}
