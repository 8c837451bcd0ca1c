/*
 * The copy of one object: CopyObject, or a copy in parts (copy_parts.c) above the threshold.
 *
 *   step       call on the wire      next
 *   SIZE       HEAD of the source    TYPE, OBJECT or parts
 *   TYPE       HEAD of the source    OBJECT: with its headers and another Content-Type, or as ever
 *   BEFORE     HEAD of destination   OBJECT, or done: something is there
 *   OBJECT     CopyObject            done, LOOK after a 412, BEFORE after a 501, or SOURCE
 *   LOOK       HEAD of destination   done: the meaning of a 412, or SOURCE
 *   SOURCE     HEAD of the source    done, or OBJECT once more
 *
 * BEFORE is for look_first: Swift answers 501 to If-None-Match, and Ceph ignores it.
 *
 * A 412 of a copy that has a condition on either side does not say which one failed, and after an attempt
 * without an answer it may be that attempt's own doing.  So the destination is looked at: nothing there, then
 * the source is another one; our own copy there, then it succeeded; anything else there is another client's.
 * Ours is an object that has the source's size, was made since this copy began (by the server's clock), and
 * has its ETag.  The ETag of parts, and of an object encrypted with KMS or a customer's key, is no MD5 of the
 * content and differs from that of a copy: where one of the two is such, size and time have to do.  Two MD5s
 * that differ are two contents.
 *
 * The source itself is looked at where its condition tells nothing: OpenStack Swift refuses the right ETag of
 * an object that was uploaded in parts (then the copy goes without condition, and the source is looked at
 * once more behind it), and Ceph ignores the condition (seen by a copy whose ETag is not the one asked for).
 */
#include "engine/object/copy_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "engine/object/condition.h"
#include "engine/wire/worker.h"

enum {
	ANEW_MAX = 3, /* a source that is written all the time is told */
};

static void object_start(struct copy *copy);
static void copy_ask_size(struct copy *copy);
static void object_done(struct call *call, const struct s3_answer *answer);

static void drop_typed(struct copy *copy)
{
	if (!copy->typed)
		return;
	headers_release(copy->typed);
	free(copy->typed);
	copy->typed = NULL;
}

void copy_finish(struct copy *copy, int error, const struct s3_answer *answer)
{
	copy->error = error;
	if (copy->extra) {
		headers_release(copy->extra);
		free(copy->extra);
		copy->extra = NULL;
	}
	drop_typed(copy);
	copy->on_done(copy, answer);
}

void copy_take_answer(struct copy *copy, const struct s3_answer *answer)
{
	memcpy(copy->etag, answer->etag, sizeof(copy->etag));
	if (strlen(answer->version_id) < sizeof(copy->version_id))
		memcpy(copy->version_id, answer->version_id, strlen(answer->version_id) + 1);
	copy->mtime = answer->mtime;
}

/* For failures before there is a call: its task is free while it is idle. */
static void copy_failed_early(struct task *task, struct worker *worker)
{
	struct copy *copy = (struct copy *)((char *)task - offsetof(struct copy, call.task));
	struct s3_answer none = {.retry_after = -1};
	copy_finish(copy, copy->error, &none);
}

static void copy_fail_soon(struct worker *worker, struct copy *copy, int error)
{
	copy->error = error;
	copy->call.task.run = copy_failed_early;
	worker_post(worker, &copy->call.task);
}

/* ---- headers ---- */

bool copy_class_is_sent(struct str storage_class)
{
	/* A directory bucket gives EXPRESS_ONEZONE by itself and takes it from no request. */
	return storage_class.len > 0 && !str_eq(storage_class, STR("STANDARD")) &&
	       !str_eq(storage_class, STR("EXPRESS_ONEZONE"));
}

/* A header of ours unless the settings have one of that name. */
static int add_own(struct copy *copy, struct str name, struct str value)
{
	const struct headers *given = copy->settings->headers;
	if (given && headers_get(given, name).data)
		return 0;
	if (copy->extra)
		return headers_set(copy->extra, name, value);
	copy->extra = malloc(sizeof(*copy->extra));
	if (!copy->extra)
		return -ENOMEM;
	headers_init(copy->extra);
	int error = given ? headers_add_all(copy->extra, given) : 0;
	return error == 0 ? headers_set(copy->extra, name, value) : error;
}

bool copy_type_follows(const struct copy *copy, const struct headers *source)
{
	struct str type = headers_get(source, STR("content-type"));
	if (!copy->type.data)
		return false;
	return !type.data || str_eq(type, STR("binary/octet-stream")) || str_eq(type, copy->type_from);
}

/* The source's headers, sent again with another type. */
static int add_typed(struct copy *copy)
{
	struct str name, value;
	int error = 0;
	for (size_t at = 0; error == 0 && headers_next(copy->typed, &at, &name, &value);)
		error = add_own(copy, name, value);
	if (error == 0)
		error = add_own(copy, STR("content-type"), copy->type);
	return error == 0 ? add_own(copy, STR("x-amz-metadata-directive"), STR("REPLACE")) : error;
}

/* The headers of the request: the settings' own; the storage class, which S3 does not keep; and tags, which
 * it does keep, are left by replacing them by none. */
static int object_headers(struct copy *copy, const struct headers **ret)
{
	int error = copy->typed ? add_typed(copy) : 0;
	if (error == 0 && copy_class_is_sent(copy->storage_class))
		error = add_own(copy, STR("x-amz-storage-class"), copy->storage_class);
	if (error == 0 && copy->settings->tags == COPY_TAGS_NO)
		error = add_own(copy, STR("x-amz-tagging-directive"), STR("REPLACE"));
	*ret = copy->extra ? copy->extra : copy->settings->headers;
	return error;
}

/* Prepares a HEAD of the source, or of the destination. */
static void head_prepare(struct copy *copy, bool source)
{
	struct call *call = &copy->call;
	call_init(call);
	call->request.op = S3_HEAD_OBJECT;
	call->request.bucket = source ? copy->source_bucket : copy->bucket;
	call->request.key = source ? copy->source_key : copy->key;
	call->account = source ? copy->source_account : copy->account;
	call->flags = copy->settings->call_flags;
	call->user = copy;
}

/* ---- the meaning of a 412 ---- */

/* The object at the destination, as far as an attempt without an answer may have made it. */
enum ours { OURS_NOT, OURS, OURS_IF_OPAQUE };

static enum ours judge(const struct copy *copy, const struct s3_answer *answer)
{
	struct str etag = str_of(answer->etag);
	if (!copy->ambiguous || answer->size != copy->size ||
		!condition_is_recent(copy->account, answer->mtime, copy->started_ms))
		return OURS_NOT;
	/* The ETags of parts, or of encrypted objects, tell nothing of the content. */
	if (str_eq(etag, copy->source_etag) || copy->source_etag.len == 0 ||
		!etag_is_md5(copy->source_etag) || !etag_is_md5(etag) || answer->etag_is_opaque)
		return OURS;
	return OURS_IF_OPAQUE;
}

/* ---- the worth of the condition on the source ---- */

static bool wants_parts(const struct copy *copy)
{
	uint64_t threshold = copy->settings->part_threshold;
	if (threshold == 0)
		threshold = COPY_PART_THRESHOLD;
	return copy->size > (threshold < COPY_OBJECT_MAX ? threshold : COPY_OBJECT_MAX);
}

/* Is the source still the version that was asked for?  Swift lists the copy of an object in parts with the
 * MD5 of its content, but shows and compares the ETag of the parts. */
static bool source_is_same(const struct copy *copy, const struct s3_answer *answer)
{
	if (copy->unconditioned)
		return strcmp(answer->etag, copy->seen_etag) == 0;
	if (str_eq(str_of(answer->etag), copy->source_etag))
		return true;
	return !copy->copied && answer->size == copy->size && copy->source_etag.len == 32 &&
	       strlen(answer->etag) > 32;
}

static void copy_source_done(struct call *call, const struct s3_answer *answer)
{
	struct copy *copy = call->user;
	bool same = call->error == 0 && source_is_same(copy, answer);
	if (same && copy->copied) {
		copy->ambiguous = false;
		/* Swift answers with the source's ETag, and HEAD says the same, but lists the copy with
		 * another. */
		if (copy->unconditioned)
			copy->etag[0] = '\0';
		copy_finish(copy, 0, answer);
	} else if (same && copy->cancelled) {
		copy_finish(copy, -ECANCELED, answer);
	} else if (same) {
		copy->unconditioned = true;
		/* A call that did not fail comes with its answer. */
		// NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker)
		memcpy(copy->seen_etag, answer->etag, sizeof(copy->seen_etag));
		if (wants_parts(copy))
			copy_parts_start(copy);
		else
			object_start(copy);
	} else {
		copy->ambiguous |= copy->copied;
		copy_finish(copy, call->error == 0 || call->error == -ENOENT ? -ESTALE : call->error, answer);
	}
}

static void source_look(struct copy *copy)
{
	head_prepare(copy, true);
	copy->call.on_done = copy_source_done;
	call_start(copy->worker, &copy->call);
}

/* The source was refused by its ETag. */
static void source_refused(struct copy *copy, const struct s3_answer *answer)
{
	if (!copy->unconditioned && !copy->cancelled && etag_is_digest(copy->source_etag))
		source_look(copy);
	else
		copy_finish(copy, -ESTALE, answer);
}

/* The copy is there; is it one of the version that was asked for? */
static bool copy_needs_look(const struct copy *copy)
{
	if (copy->unconditioned)
		return !wants_parts(copy);
	/* In parts it was looked at before they became an object. */
	return !wants_parts(copy) && etag_is_digest(copy->source_etag) && copy->etag[0] != '\0' &&
	       !str_eq(str_of(copy->etag), copy->source_etag) &&
	       account_trait(copy->source_account, TRAIT_COPY_IF_MATCH) != TRAIT_YES;
}

/* The source became another one between its parts.  A caller without an ETag wants the present version: the
 * new one. */
static bool may_begin_anew(struct copy *copy)
{
	return copy->source_etag.len == 0 && wants_parts(copy) && !copy->cancelled &&
	       copy->begun_anew++ < ANEW_MAX;
}

void copy_settle(struct copy *copy, int error, const struct s3_answer *answer)
{
	copy->copied = error == 0;
	/* Swift lists such a copy with another ETag than it says. */
	if (error == 0 && copy->unconditioned && wants_parts(copy))
		copy->etag[0] = '\0';
	if (error == -ESTALE && may_begin_anew(copy))
		copy_ask_size(copy);
	else if (error == -ESTALE)
		source_refused(copy, answer);
	else if (error == 0 && copy_needs_look(copy))
		source_look(copy);
	else
		copy_finish(copy, error, answer);
}

/* An attempt of ours made the object that is there. */
static void copy_accept(struct copy *copy, const struct s3_answer *answer)
{
	copy->ambiguous = false;
	copy_finish(copy, 0, answer);
}

static void copy_is_foreign(struct copy *copy, const struct s3_answer *answer)
{
	copy->etag[0] = copy->version_id[0] = '\0';
	copy->mtime = 0;
	copy_finish(copy, -EEXIST, answer);
}

static void opaque_done(struct call *call, const struct s3_answer *answer)
{
	struct copy *copy = call->user;
	if (call->error == 0 && answer->etag_is_opaque && str_eq(str_of(answer->etag), copy->source_etag))
		copy_accept(copy, answer);
	else
		copy_is_foreign(copy, answer);
}

/* Both ETags look like MD5s, and differ.  If the source is encrypted, its ETag is no MD5. */
static void opaque_look(struct copy *copy)
{
	head_prepare(copy, true);
	copy->call.on_done = opaque_done;
	call_start(copy->worker, &copy->call);
}

static void copy_look_done(struct call *call, const struct s3_answer *answer)
{
	struct copy *copy = call->user;
	if (call->error == -ENOENT && copy->source_etag.len > 0) {
		source_refused(copy, answer);
	} else if (call->error != 0) {
		copy_finish(copy, call->error == -ENOENT ? -EIO : call->error, answer);
	} else {
		enum ours ours = judge(copy, answer);
		if (ours != OURS_NOT)
			copy_take_answer(copy, answer);
		if (ours == OURS)
			copy_accept(copy, answer);
		else if (ours == OURS_IF_OPAQUE && !copy->cancelled)
			opaque_look(copy);
		else
			copy_is_foreign(copy, answer);
	}
}

static void copy_look(struct copy *copy)
{
	head_prepare(copy, false);
	copy->call.on_done = copy_look_done;
	call_start(copy->worker, &copy->call);
}

/* ---- CopyObject ---- */

static void object_send(struct copy *copy)
{
	struct call *call = &copy->call;
	call_init(call);
	int error = object_headers(copy, &call->request.headers);
	if (error != 0) {
		copy_fail_soon(copy->worker, copy, error);
		return;
	}
	call->request.op = S3_COPY_OBJECT;
	call->request.bucket = copy->bucket;
	call->request.key = copy->key;
	call->request.source_bucket = copy->source_bucket;
	call->request.source_key = copy->source_key;
	call->request.source_if_match = copy->unconditioned ? STR_NONE : copy->source_etag;
	if (!copy->unconditioned && !copy->match_refused)
		call->request.if_match = copy->if_match;
	call->request.if_none_match_any =
		copy->create_only && account_trait(copy->account, TRAIT_COPY_CREATE) != TRAIT_NO;
	call->account = copy->account;
	call->expect_bytes = copy->size;
	call->flags = copy->settings->call_flags;
	call->on_done = object_done;
	call->user = copy;
	call_start(copy->worker, call);
}

static void copy_before_done(struct call *call, const struct s3_answer *answer)
{
	struct copy *copy = call->user;
	int error = condition_check(STR_NONE, call->error, answer);
	if (error == 0 && copy->cancelled)
		error = -ECANCELED;
	if (error != 0)
		copy_finish(copy, error, answer);
	else
		object_send(copy);
}

static void object_start(struct copy *copy)
{
	if (!copy->create_only || !copy->look_first ||
		account_trait(copy->account, TRAIT_COPY_CREATE) != TRAIT_NO) {
		object_send(copy);
		return;
	}
	head_prepare(copy, false);
	copy->call.on_done = copy_before_done;
	call_start(copy->worker, &copy->call);
}

static void object_done(struct call *call, const struct s3_answer *answer)
{
	struct copy *copy = call->user;
	bool conditional = call->request.if_none_match_any;
	copy->ambiguous |= call->ambiguous;
	if (call->error == 0) {
		copy->ambiguous = false;
		copy_take_answer(copy, answer);
		copy_settle(copy, 0, answer);
	} else if (call->error == -EOPNOTSUPP && call->request.if_match.len > 0) {
		copy->match_refused = true;
		object_start(copy);
	} else if (call->error == -EOPNOTSUPP && conditional) {
		account_learn(copy->account, TRAIT_COPY_CREATE, false);
		object_start(copy);
	} else if (call->error == -ESTALE && conditional && !copy->cancelled) {
		copy_look(copy);
	} else if (conditional && call->error == -ESTALE) {
		copy_finish(copy, -ESTALE, answer);
	} else {
		copy_settle(copy, call->error, answer);
	}
}

/* ---- TYPE ---- */

static void type_done(struct call *call, const struct s3_answer *answer)
{
	struct copy *copy = call->user;
	/* Credentials that may not look may perhaps copy: then the type stays. */
	if (copy->cancelled || (call->error != 0 && call->error != -EACCES)) {
		copy_finish(copy, copy->cancelled ? -ECANCELED : call->error, answer);
		return;
	}
	if (call->error != 0 || !copy_type_follows(copy, copy->typed))
		drop_typed(copy);
	object_start(copy);
}

/* Another type than the source has may be wanted; a copy in parts asks for its headers in any case. */
static bool type_is_asked(struct copy *copy)
{
	const struct headers *given = copy->settings->headers;
	if (!copy->type.data || copy->typed ||
		(given && str_eq(headers_get(given, STR("x-amz-metadata-directive")), STR("REPLACE"))))
		return false;
	copy->typed = malloc(sizeof(*copy->typed));
	if (!copy->typed)
		return false; /* a type is not worth a failure */
	headers_init(copy->typed);
	head_prepare(copy, true);
	copy->call.sinks.headers = copy->typed;
	copy->call.on_done = type_done;
	call_start(copy->worker, &copy->call);
	return true;
}

/* The size is known. */
static void copy_begin(struct copy *copy)
{
	if (wants_parts(copy))
		copy_parts_start(copy);
	else if (!type_is_asked(copy))
		object_start(copy);
}

static void size_done(struct call *call, const struct s3_answer *answer)
{
	struct copy *copy = call->user;
	if (call->error != 0 || copy->cancelled) {
		copy_finish(copy, call->error != 0 ? call->error : -ECANCELED, answer);
		return;
	}
	copy->size = answer->size;
	if (!copy->storage_class.data) {
		memcpy(copy->head_class, answer->storage_class, sizeof(copy->head_class));
		copy->storage_class = str_of(copy->head_class);
	}
	copy_begin(copy);
}

static void copy_ask_size(struct copy *copy)
{
	struct call *call = &copy->call;
	call_init(call);
	call->request.op = S3_HEAD_OBJECT;
	call->request.bucket = copy->source_bucket;
	call->request.key = copy->source_key;
	call->request.if_match = copy->source_etag;
	call->account = copy->source_account;
	call->flags = copy->settings->call_flags;
	call->on_done = size_done;
	call->user = copy;
	call_start(copy->worker, call);
}

void copy_start(struct worker *worker, struct copy *copy)
{
	copy->worker = worker;
	copy->started_ms = condition_clock_ms();
	call_init(&copy->call);
	if (copy->source_key.len > KEY_MAX || copy->key.len > KEY_MAX)
		copy_fail_soon(worker, copy, -ENAMETOOLONG);
	else if (copy->size == COPY_SIZE_UNKNOWN)
		copy_ask_size(copy);
	else
		copy_begin(copy);
}

void copy_cancel(struct copy *copy)
{
	copy->cancelled = true;
	if (copy->parts) {
		copy_parts_cancel(copy);
	} else if (copy->call.state == CALL_ACTIVE && copy->call.request.op == S3_COPY_OBJECT) {
		copy->call.flags |= CALL_ONCE | CALL_LAST;
	} else {
		call_cancel(&copy->call);
	}
}
