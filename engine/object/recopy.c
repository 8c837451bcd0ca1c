#include "engine/object/recopy.h"

#include "engine/object/copy_internal.h"

#include <errno.h>
#include <stdio.h>

static void recopy_finish(struct recopy *recopy, int error, const struct s3_answer *answer)
{
	recopy->error = error;
	headers_release(&recopy->headers);
	recopy->on_done(recopy, answer);
}

static void on_copied(struct copy *copy, const struct s3_answer *answer)
{
	struct recopy *recopy = copy->user;

	recopy_finish(recopy, copy->error, answer);
}

static bool is_itself(const struct copy *copy)
{
	return str_eq(copy->source_key, copy->key) && str_eq(copy->source_bucket, copy->bucket) &&
	       account_same(copy->source_account, copy->account);
}

/* As headers_is_encryption has them. */
static const char *const encryption[] = {"x-amz-server-side-encryption",
	"x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-bucket-key-enabled"};

/* The headers of the copy: the caller's settings, which win, and all headers of the object. */
static int settle_headers(struct recopy *recopy)
{
	const struct copy_settings *given = recopy->copy.settings;
	struct str name, value;
	int error = headers_set(&recopy->headers, STR("x-amz-metadata-directive"), STR("REPLACE"));

	/* An encryption that is asked for replaces the object's own, key and all. */
	if (given->headers && headers_get(given->headers, STR("x-amz-server-side-encryption")).data) {
		for (size_t i = 0; i < sizeof(encryption) / sizeof(encryption[0]) && error == 0; i++)
			error = headers_set(&recopy->headers, str_of(encryption[i]), STR_NONE);
	}
	for (size_t at = 0; error == 0 && given->headers && headers_next(given->headers, &at, &name, &value);)
		error = headers_set(&recopy->headers, name, value);
	recopy->settings = *given;
	recopy->settings.headers = &recopy->headers;
	return error;
}

static void on_head(struct call *call, const struct s3_answer *answer)
{
	struct recopy *recopy = call->user;
	struct copy *copy = &recopy->copy;

	if (call->error < 0) {
		recopy_finish(recopy, call->error, answer);
		return;
	}
	recopy->head = *answer;
	int changed = recopy->edit(recopy, &recopy->headers, answer);
	int error = changed < 0 ? changed : 0;

	/* A type that follows the new name goes with the changed headers. */
	if (changed == 0 && copy_type_follows(copy, &recopy->headers)) {
		error = headers_set(&recopy->headers, STR("content-type"), copy->type);
		copy->type = STR_NONE;
	}

	if (error == 0 && changed == 0)
		error = settle_headers(recopy);
	if (error < 0) {
		recopy_finish(recopy, error, answer);
		return;
	}
	snprintf(recopy->etag, sizeof(recopy->etag), "%s", answer->etag);
	snprintf(recopy->class, sizeof(recopy->class), "%s", answer->storage_class);
	if (changed == 1 && is_itself(copy)) {
		recopy->unchanged = true;
		memcpy(copy->etag, recopy->etag, sizeof(copy->etag));
		copy->mtime = answer->mtime;
		recopy_finish(recopy, 0, answer);
		return;
	}
	if (changed == 0)
		copy->settings = &recopy->settings;
	copy->source_etag = str_of(recopy->etag);
	copy->storage_class = recopy->class[0] ? str_of(recopy->class) : STR_NONE;
	copy->size = answer->size;
	if (is_itself(copy))
		copy->if_match = copy->source_etag;
	copy->on_done = on_copied;
	copy->user = recopy;
	copy_start(call->worker, copy);
}

void recopy_start(struct worker *worker, struct recopy *recopy)
{
	struct call *call = &recopy->call;
	const struct copy *copy = &recopy->copy;

	headers_init(&recopy->headers);
	call_init(call);
	call->request.op = S3_HEAD_OBJECT;
	call->request.bucket = copy->source_bucket;
	call->request.key = copy->source_key;
	call->request.if_match = copy->source_etag;
	call->account = copy->source_account;
	call->flags = copy->settings->call_flags;
	call->sinks.headers = &recopy->headers;
	call->sinks.encryption = true;
	call->on_done = on_head;
	call->user = recopy;
	call_start(worker, call);
}
