/*
 * An upload by one PUT, or in parts (upload_parts.c) above the threshold.
 *
 *   step     call on the wire     next
 *   BEFORE   HEAD of the object   PUT; the end.  Only for a condition that the service may not enforce
 *   PUT      PutObject            the end; LOOK; PROBE_CREATE
 *   LOOK     HEAD of the object   the end; PUT
 *
 * A condition on the destination (create only, or replace only one ETag) that fails after an attempt without
 * an answer may have failed because that attempt has stored the object.  So it is looked at: it is ours when
 * size and ETag are those of our bytes; where the ETag is no MD5 (encrypted with KMS or a customer's key, or
 * of a service that makes others), when it has the size and was made since.  An ETag that is refused and yet
 * the object's (OpenStack Swift does so with objects in parts) is left out.
 *
 * Whether the service enforces conditions is learnt on the first PUTs that have them:
 *
 *   PROBE_MATCH    the PUT is sent with an ETag that no object has.  Refused: enforced, and it is sent again
 *                  with the right one.  Stored: not enforced, and the upload has been done.
 *   PROBE_CREATE   the object just created is sent once more with If-None-Match: *.  Refused: enforced.
 *                  Stored, the same onto the same: not enforced.  Small ones only.
 */
#include "engine/object/upload_internal.h"

#include <errno.h>

#include "engine/object/condition.h"

enum {
	PROBE_CREATE_MAX = 65536, /* bytes sent twice, once an account */
};

/* An ETag that no object has. */
static const struct str impossible_etag = {.data = "ferryfs-probe", .len = 13};

static void put_start(struct upload *upload);

static enum account_trait upload_trait_of(const struct upload *upload)
{
	return upload->create_only ? TRAIT_PUT_CREATE : TRAIT_PUT_MATCH;
}

static bool is_conditional(const struct upload *upload)
{
	return upload->create_only || upload->if_match.len > 0;
}

void upload_finish(struct upload *upload, int error, const struct s3_answer *answer)
{
	upload->error = error;
	if (error == 0) {
		memcpy(upload->etag, answer->etag, sizeof(upload->etag));
		upload->mtime = answer->mtime;
	}
	upload->on_done(upload, answer);
}

static bool upload_looks_like_ours(const struct upload *upload, const struct s3_answer *answer)
{
	bool told = upload->sums.md5_hex[0] && etag_is_md5(str_of(answer->etag)) && !answer->etag_is_opaque;

	if (!upload->ambiguous || answer->size != upload->size)
		return false;
	if (told)
		return strcmp(upload->sums.md5_hex, answer->etag) == 0;
	/* The version to be replaced is not the one that is there. */
	return !str_eq(str_of(answer->etag), upload->if_match) &&
	       condition_is_recent(upload->account, answer->mtime, upload->started_ms);
}

static void head_start(
	struct upload *upload, void (*on_done)(struct call *call, const struct s3_answer *answer))
{
	struct call *call = &upload->call;
	call_init(call);
	call->request.op = S3_HEAD_OBJECT;
	call->request.bucket = upload->bucket;
	call->request.key = upload->key;
	call->account = upload->account;
	call->flags = upload->call_flags;
	call->on_done = on_done;
	call->user = upload;
	call_start(upload->worker, call);
}

static void upload_before_done(struct call *call, const struct s3_answer *answer)
{
	struct upload *upload = call->user;
	int error = condition_check(upload->if_match, call->error, answer);
	if (error != 0)
		upload_finish(upload, error, answer);
	else
		put_start(upload);
}

static void upload_look_done(struct call *call, const struct s3_answer *answer)
{
	struct upload *upload = call->user;
	bool there = call->error == 0;
	if (there && upload_looks_like_ours(upload, answer)) {
		upload->ambiguous = false;
		upload_finish(upload, 0, answer);
	} else if (there && upload->create_only) {
		upload_finish(upload, -EEXIST, answer);
	} else if (there && !upload->unconditioned && str_eq(str_of(answer->etag), upload->if_match)) {
		upload->unconditioned = true;
		put_start(upload);
	} else {
		upload_finish(upload, there || call->error == -ENOENT ? -ESTALE : call->error, answer);
	}
}

/* The object that the PUT before stored; the answer of the probe tells of the service only. */
static void probe_create_done(struct upload *upload, int error, const struct s3_answer *answer)
{
	if (error == 0 || error == -ESTALE)
		account_learn(upload->account, TRAIT_PUT_CREATE, error == -ESTALE);
	upload->error = 0;
	upload->ambiguous = false;
	upload->on_done(upload, answer);
}

/* Created, by a service of which it is not known whether it would have refused. */
static bool probe_create_start(struct upload *upload, const struct s3_answer *answer)
{
	if (!upload->create_only || upload->size > PROBE_CREATE_MAX ||
		account_trait(upload->account, TRAIT_PUT_CREATE) != TRAIT_UNKNOWN)
		return false;
	memcpy(upload->etag, answer->etag, sizeof(upload->etag));
	upload->mtime = answer->mtime != 0 ? answer->mtime : answer->date;
	upload->probe = UPLOAD_PROBE_CREATE;
	put_start(upload);
	return true;
}

static void put_refused(struct upload *upload, const struct s3_answer *answer)
{
	if (upload->create_only && !upload->ambiguous) {
		account_learn(upload->account, TRAIT_PUT_CREATE, true);
		upload_finish(upload, -EEXIST, answer);
	} else {
		head_start(upload, upload_look_done);
	}
}

static void put_done(struct call *call, const struct s3_answer *answer)
{
	struct upload *upload = call->user;
	bool sent = call->request.if_none_match_any || call->request.if_match.len > 0;
	bool probing = upload->probe == UPLOAD_PROBE_MATCH;
	if (upload->probe == UPLOAD_PROBE_CREATE) {
		probe_create_done(upload, call->error, answer);
		return;
	}
	upload->probe = UPLOAD_NO_PROBE;
	if (call->error == -EOPNOTSUPP && sent) {
		account_learn(upload->account, upload_trait_of(upload), false);
		put_start(upload);
	} else if (probing && call->error == -ESTALE) {
		account_learn(upload->account, TRAIT_PUT_MATCH, true);
		put_start(upload);
	} else if (call->error == 0) {
		if (probing)
			account_learn(upload->account, TRAIT_PUT_MATCH, false);
		upload->ambiguous = false;
		if (!probe_create_start(upload, answer))
			upload_finish(upload, 0, answer);
	} else {
		upload->ambiguous |= call->ambiguous;
		if (sent && (call->error == -ESTALE ||
				    condition_object_gone(upload->if_match, call->error, answer)))
			put_refused(upload, answer);
		else
			upload_finish(upload, call->error, answer);
	}
}

static void upload_failed_early(struct task *task, struct worker *worker)
{
	struct upload *upload = (struct upload *)((char *)task - offsetof(struct upload, call.task));
	struct s3_answer none = {.retry_after = -1};
	upload_finish(upload, upload->error, &none);
}

/* The condition of this attempt, as far as the service is known to understand it. */
static void set_condition(struct upload *upload, struct s3_request *request)
{
	enum account_answer enforced = account_trait(upload->account, upload_trait_of(upload));
	if (enforced == TRAIT_NO)
		return;
	request->if_none_match_any = upload->create_only;
	if (upload->create_only || upload->if_match.len == 0 || upload->unconditioned)
		return;
	request->if_match = upload->if_match;
	if (enforced == TRAIT_YES)
		return;
	request->if_match = impossible_etag;
	upload->probe = UPLOAD_PROBE_MATCH;
}

static void put_start(struct upload *upload)
{
	struct call *call = &upload->call;
	call_init(call);
	int error = body_sums_take(&upload->sums, upload->fd, 0, upload->size);
	if (error != 0) {
		/* The call is idle: its task is free. */
		upload->error = error;
		call->task.run = upload_failed_early;
		worker_post(upload->worker, &call->task);
		return;
	}
	call->request.op = S3_PUT_OBJECT;
	call->request.bucket = upload->bucket;
	call->request.key = upload->key;
	call->request.headers = upload->headers;
	set_condition(upload, &call->request);
	call->request.body_length = upload->size;
	upload_sums_set(&call->request, &upload->sums);
	call->body_fd = upload->fd;
	call->account = upload->account;
	call->expect_bytes = upload->size;
	call->flags = upload->call_flags;
	call->on_done = put_done;
	call->user = upload;
	call_start(upload->worker, call);
}

void upload_start(struct worker *worker, struct upload *upload)
{
	uint64_t threshold = upload->part_threshold != 0 ? upload->part_threshold : UPLOAD_PART_THRESHOLD;
	upload->worker = worker;
	upload->started_ms = condition_clock_ms();
	upload->error = 0;
	upload->ambiguous = upload->unconditioned = false;
	upload->probe = UPLOAD_NO_PROBE;
	upload->parts = NULL;
	if (upload->size > threshold || upload->size > PARTS_MAX_SIZE)
		upload_parts_start(upload);
	else if (is_conditional(upload) &&
		 account_trait(upload->account, upload_trait_of(upload)) != TRAIT_YES)
		head_start(upload, upload_before_done);
	else
		put_start(upload);
}

static void upload_run_start(struct task *task, struct worker *worker)
{
	upload_start(worker, (struct upload *)((char *)task - offsetof(struct upload, call.task)));
}

void upload_post(struct worker *worker, struct upload *upload)
{
	call_init(&upload->call);
	upload->call.task.run = upload_run_start;
	worker_post(worker, &upload->call.task);
}
