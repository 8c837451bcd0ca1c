/*
 * An upload in parts: each is hashed when its turn comes, so that one of them at most is read at a time.
 */
#include "engine/object/multipart.h"
#include "engine/object/upload_internal.h"

#include <errno.h>
#include <stdlib.h>

struct upload_parts {
	struct upload *upload;
	struct multipart multipart;
};

static int upload_parts_part_prepare(struct multipart *multipart, struct multipart_slot *slot)
{
	struct upload_parts *parts = multipart->user;
	struct call *call = &slot->call;
	int error = body_sums_take(&slot->sums, parts->upload->fd, slot->start, slot->length);
	if (error != 0)
		return error;
	call->request.op = S3_UPLOAD_PART;
	call->request.body_length = slot->length;
	upload_sums_set(&call->request, &slot->sums);
	call->body_fd = parts->upload->fd;
	call->body_offset = slot->start;
	call->expect_bytes = slot->length;
	return 0;
}

static void upload_parts_parts_done(struct multipart *multipart, int error, const struct s3_answer *answer)
{
	struct upload_parts *parts = multipart->user;
	struct upload *upload = parts->upload;
	struct s3_answer last = *answer; /* it lies in the freed memory */
	bool ambiguous = multipart->ambiguous;
	free(parts);
	upload->parts = NULL;
	upload->ambiguous = error != 0 && ambiguous;
	upload_finish(upload, error, &last);
}

static const struct multipart_ops upload_part_ops = {
	.what = "upload",
	.prepare = upload_parts_part_prepare,
	.done = upload_parts_parts_done,
};

static void upload_parts_failed_early(struct task *task, struct worker *worker)
{
	struct upload *upload = (struct upload *)((char *)task - offsetof(struct upload, call.task));
	struct s3_answer none = {.retry_after = -1};
	upload_finish(upload, upload->error, &none);
}

static void fail_soon(struct upload *upload, int error)
{
	upload->error = error;
	call_init(&upload->call);
	upload->call.task.run = upload_parts_failed_early;
	worker_post(upload->worker, &upload->call.task);
}

void upload_parts_start(struct upload *upload)
{
	struct upload_parts *parts = calloc(1, sizeof(*parts));
	if (!parts) {
		fail_soon(upload, -ENOMEM);
		return;
	}
	struct multipart *m = &parts->multipart;
	int error = parts_plan(
		upload->size, upload->part_size != 0 ? upload->part_size : UPLOAD_PART_SIZE, &m->plan);
	if (error != 0) {
		free(parts);
		fail_soon(upload, error);
		return;
	}
	parts->upload = upload;
	upload->parts = parts;
	m->ops = &upload_part_ops;
	m->account = upload->account;
	m->bucket = upload->bucket;
	m->key = upload->key;
	m->headers = upload->headers;
	m->at_once = UPLOAD_PARTS_AT_ONCE;
	m->create_only = upload->create_only;
	m->if_match = upload->if_match;
	m->create_trait = TRAIT_PUT_CREATE;
	m->look_first = true;
	m->sums_parts = !body_sums_has_md5();
	m->call_flags = upload->call_flags;
	m->user = parts;
	multipart_start(upload->worker, m);
}
