/*
 * A copy in parts.  UploadPartCopy keeps nothing of the source but its bytes, so the things that CopyObject
 * would keep are asked for and given to the new upload:
 *
 *   HEAD of the source    ETag (the condition of each part), size, metadata, content headers, storage class
 *   GetObjectTagging      its tags; a 501 means the server has none, a 403 leaves them behind and the log
 *                         names the permission (COPY_TAGS_REQUIRED: fails)
 *   multipart.c           the rest
 *   HEAD of the source    once more, before the parts become an object
 *
 * Not every service keeps a condition on the source of a part (Ceph 16 ignores it), and parts of two versions
 * would make an object that no client ever wrote.  So all parts lie between two looks at the source that show
 * the same ETag: then they are of that version.  If it is another one by then, the upload is aborted, and the
 * destination keeps its object.  A source that changes after the second look changes nothing of that; a
 * caller that goes on to delete it looks for itself.
 *
 * HEAD says how many tags there are (x-amz-tagging-count) on AWS, where there are some and the credentials
 * may read them; tags that it does not count there could not be asked for either.  Other services don't say
 * it, so they are asked once an object unless the settings or the service's trait say no.
 */
#include "engine/object/copy_internal.h"
#include "engine/base/log.h"
#include "engine/object/multipart.h"

#include <errno.h>
#include <stdlib.h>

enum { TAGS_MAX = 16384 }; /* AWS: 10 tags of 128 + 256 characters, encoded */

struct copy_parts {
	struct copy *copy;
	struct multipart multipart;
	struct headers source; /* of the HEAD */
	struct headers headers; /* of the create */
	struct headers part_headers;
	struct buf tags;
	char etag[ETAG_MAX + 1];
	bool multipart_begun;
};

static void parts_end(struct copy_parts *parts, int error, const struct s3_answer *answer)
{
	struct copy *copy = parts->copy;
	/* The answer may lie in the freed memory. */
	struct s3_answer last = *answer;
	headers_release(&parts->source);
	headers_release(&parts->headers);
	headers_release(&parts->part_headers);
	buf_release(&parts->tags);
	free(parts);
	copy->parts = NULL;
	copy_settle(copy, error, &last);
}

/* ---- the parts ---- */

static int copy_parts_part_prepare(struct multipart *multipart, struct multipart_slot *slot)
{
	struct copy_parts *parts = multipart->user;
	struct s3_request *request = &slot->call.request;
	request->op = S3_COPY_PART;
	request->source_bucket = parts->copy->source_bucket;
	request->source_key = parts->copy->source_key;
	request->source_if_match = parts->copy->unconditioned ? STR_NONE : str_of(parts->etag);
	request->range_start = slot->start;
	request->range_length = slot->length;
	slot->call.expect_bytes = slot->length;
	return 0;
}

static void look_prepare(struct multipart *multipart, struct call *call)
{
	const struct copy *copy = ((struct copy_parts *)multipart->user)->copy;
	call->request.bucket = copy->source_bucket;
	call->request.key = copy->source_key;
	call->account = copy->source_account;
}

static int copy_parts_looked(
	struct multipart *multipart, const struct call *call, const struct s3_answer *answer)
{
	const struct copy_parts *parts = multipart->user;
	if (call->error != 0)
		return call->error == -ENOENT ? -ESTALE : call->error;
	return strcmp(answer->etag, parts->etag) == 0 ? 0 : -ESTALE;
}

static void copy_parts_parts_done(struct multipart *multipart, int error, const struct s3_answer *answer)
{
	struct copy_parts *parts = multipart->user;
	parts->copy->ambiguous = error != 0 && multipart->ambiguous;
	if (error == 0)
		copy_take_answer(parts->copy, answer);
	parts_end(parts, error, answer);
}

static int parts_note(struct multipart *multipart, const char *upload_id, const char *etag)
{
	struct copy *copy = ((struct copy_parts *)multipart->user)->copy;
	return copy->on_parts ? copy->on_parts(copy, upload_id, etag) : 0;
}

static const struct multipart_ops copy_part_ops = {
	.what = "copy",
	.note = parts_note,
	.prepare = copy_parts_part_prepare,
	.prepare_look = look_prepare,
	.looked = copy_parts_looked,
	.done = copy_parts_parts_done,
};

/* ---- headers ---- */

static bool settings_replace(const struct headers *given, struct str directive)
{
	return given && str_eq(headers_get(given, directive), STR("REPLACE"));
}

static bool goes_with_parts(struct str name)
{
	return str_eq(name, STR("x-amz-request-payer")) ||
	       str_has_prefix(name, STR("x-amz-server-side-encryption-customer-")) ||
	       str_has_prefix(name, STR("x-amz-copy-source-server-side-encryption-customer-"));
}

static bool goes_with_create(struct str name)
{
	return !str_eq(name, STR("x-amz-metadata-directive")) &&
	       !str_eq(name, STR("x-amz-tagging-directive")) &&
	       !str_has_prefix(name, STR("x-amz-copy-source-"));
}

/* The create's headers: the source's, then the settings', which win. */
static int make_headers(struct copy_parts *parts)
{
	struct copy *copy = parts->copy;
	const struct headers *given = copy->settings->headers;
	struct str name, value;
	int error = 0;
	if (!settings_replace(given, STR("x-amz-metadata-directive")))
		error = headers_add_all(&parts->headers, &parts->source);
	if (error == 0 && parts->headers.count > 0 && copy_type_follows(copy, &parts->source))
		error = headers_set(&parts->headers, STR("content-type"), copy->type);
	if (error == 0 && copy_class_is_sent(copy->storage_class))
		error = headers_set(&parts->headers, STR("x-amz-storage-class"), copy->storage_class);
	if (error == 0 && parts->tags.len > 0)
		error = headers_set(&parts->headers, STR("x-amz-tagging"), buf_str(&parts->tags));
	for (size_t at = 0; error == 0 && given && headers_next(given, &at, &name, &value);) {
		if (goes_with_create(name))
			error = headers_set(&parts->headers, name, value);
		if (error == 0 && goes_with_parts(name))
			error = headers_set(&parts->part_headers, name, value);
	}
	return error;
}

static void parts_begin(struct copy_parts *parts)
{
	struct copy *copy = parts->copy;
	const struct copy_settings *settings = copy->settings;
	struct multipart *m = &parts->multipart;
	struct s3_answer none = {.retry_after = -1};
	int error = make_headers(parts);
	if (error == 0)
		error = parts_plan(copy->size,
			settings->part_size != 0 ? settings->part_size : COPY_PART_SIZE, &m->plan);
	if (error != 0) {
		parts_end(parts, error, &none);
		return;
	}
	m->ops = &copy_part_ops;
	m->account = copy->account;
	m->bucket = copy->bucket;
	m->key = copy->key;
	m->headers = &parts->headers;
	m->part_headers = parts->part_headers.count > 0 ? &parts->part_headers : NULL;
	m->at_once = settings->parts_at_once != 0 ? settings->parts_at_once : COPY_PARTS_AT_ONCE;
	if (m->at_once > MULTIPART_SLOTS_MAX)
		m->at_once = MULTIPART_SLOTS_MAX;
	m->create_only = copy->create_only;
	if (!copy->unconditioned)
		m->if_match = copy->if_match;
	m->create_trait = TRAIT_COPY_CREATE;
	m->look_first = copy->look_first;
	m->call_flags = settings->call_flags;
	m->user = parts;
	parts->multipart_begun = true;
	multipart_start(copy->worker, m);
}

/* ---- tags ---- */

bool copy_tags_denied(struct str bucket, struct str key, const struct s3_answer *answer)
{
	if (strcmp(answer->error.code, "AccessDenied") != 0)
		return false;
	if (log_once("tags denied", bucket, STR("")))
		log_call(LOG_LEVEL_WARNING,
			&(struct log_call){
				.what = "copy tags",
				.bucket = bucket,
				.key = key,
				.error = -EACCES,
				.answer = answer,
				.consequence =
					"copies in parts from this bucket go without tags: grant "
					"s3:GetObjectTagging to have them, or say tags=no (of a command: "
					"--no-tags)",
			});
	return true;
}

static void tags_done(struct call *call, const struct s3_answer *answer)
{
	struct copy *copy = call->user;
	struct copy_parts *parts = copy->parts;
	bool optional = copy->settings->tags != COPY_TAGS_REQUIRED;
	if (call->error == -EOPNOTSUPP && optional) {
		account_learn(copy->source_account, TRAIT_TAGGING, false);
		buf_clear(&parts->tags);
	} else if ((optional && copy_tags_denied(copy->source_bucket, copy->source_key, answer)) ||
		   (call->error == -ENOENT && strcmp(answer->error.code, "NoSuchTagSet") == 0)) {
		buf_clear(&parts->tags);
	} else if (call->error != 0) {
		struct log_call line = {
			.what = "copy tags",
			.bucket = copy->source_bucket,
			.key = copy->source_key,
			.error = call->error,
			.answer = answer,
			.consequence = call->error == -EACCES
					       ? "not copied: grant s3:GetObjectTagging, or leave the tags "
						 "behind with tags=no (of a command: --no-tags)"
					       : "not copied",
		};
		if (call->error != -ECANCELED)
			log_call(LOG_LEVEL_ERROR, &line);
		parts_end(parts, call->error, answer);
		return;
	} else {
		account_learn(copy->source_account, TRAIT_TAGGING, true);
	}
	if (copy->cancelled)
		parts_end(parts, -ECANCELED, answer);
	else
		parts_begin(parts);
}

/* answer: of the HEAD. */
static bool wants_tags(const struct copy *copy, const struct s3_answer *answer)
{
	const struct copy_settings *settings = copy->settings;
	if (settings->tags == COPY_TAGS_NO ||
		settings_replace(settings->headers, STR("x-amz-tagging-directive")))
		return false;
	if (settings->tags == COPY_TAGS_REQUIRED)
		return true;
	if (answer->tag_count == 0 &&
		(answer->tag_count_known || account_endpoint(copy->source_account)->aws))
		return false;
	return account_trait(copy->source_account, TRAIT_TAGGING) != TRAIT_NO;
}

static void source_call(
	struct copy *copy, enum s3_op op, void (*on_done)(struct call *, const struct s3_answer *))
{
	struct call *call = &copy->call;
	call_init(call);
	call->request.op = op;
	call->request.bucket = copy->source_bucket;
	call->request.key = copy->source_key;
	call->account = copy->source_account;
	call->flags = copy->settings->call_flags;
	call->on_done = on_done;
	call->user = copy;
}

static void head_done(struct call *call, const struct s3_answer *answer)
{
	struct copy *copy = call->user;
	struct copy_parts *parts = copy->parts;
	if (call->error != 0 || copy->cancelled) {
		parts_end(parts, call->error != 0 ? call->error : -ECANCELED, answer);
		return;
	}
	if (answer->size == 0 || answer->etag[0] == '\0') {
		parts_end(parts, -ESTALE, answer); /* it was large a moment ago */
		return;
	}
	if (copy->unconditioned && copy->source_etag.len > 0 && strcmp(answer->etag, copy->seen_etag) != 0) {
		parts_end(parts, -ESTALE, answer);
		return;
	}
	/* Refused by the right ETag (Swift, of an object uploaded in parts): the two looks have to do. */
	if (copy->begun_anew > 0 && strcmp(answer->etag, copy->seen_etag) == 0)
		copy->unconditioned = true;
	memcpy(copy->seen_etag, answer->etag, sizeof(copy->seen_etag));
	copy->size = answer->size;
	memcpy(parts->etag, answer->etag, sizeof(parts->etag));
	if (!copy->storage_class.data) {
		memcpy(copy->head_class, answer->storage_class, sizeof(copy->head_class));
		copy->storage_class = str_of(copy->head_class);
	}
	if (!wants_tags(copy, answer)) {
		parts_begin(parts);
		return;
	}
	source_call(copy, S3_GET_TAGGING, tags_done);
	call->sinks.tags = &parts->tags;
	call_start(copy->worker, call);
}

static void no_memory(struct task *task, struct worker *worker)
{
	struct copy *copy = (struct copy *)((char *)task - offsetof(struct copy, call.task));
	struct s3_answer none = {.retry_after = -1};
	copy_finish(copy, -ENOMEM, &none);
}

void copy_parts_start(struct copy *copy)
{
	struct copy_parts *parts = calloc(1, sizeof(*parts));
	if (!parts) {
		copy->call.task.run = no_memory;
		worker_post(copy->worker, &copy->call.task);
		return;
	}
	parts->copy = copy;
	headers_init(&parts->source);
	headers_init(&parts->headers);
	headers_init(&parts->part_headers);
	buf_init(&parts->tags, TAGS_MAX);
	copy->parts = parts;
	source_call(copy, S3_HEAD_OBJECT, head_done);
	copy->call.request.if_match = copy->unconditioned ? STR_NONE : copy->source_etag;
	copy->call.sinks.headers = &parts->source;
	call_start(copy->worker, &copy->call);
}

void copy_parts_cancel(struct copy *copy)
{
	if (copy->parts->multipart_begun)
		multipart_cancel(&copy->parts->multipart);
	else
		call_cancel(&copy->call);
}
