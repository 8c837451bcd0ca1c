/*
 * HEAD (headers) -> GET of its tags, if it has some -> GETs of its bytes, one after another -> upload -> end
 */
#include "fs/file/relay.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "fs/core/place.h"
#include "fs/file/content_type.h"
#include "fs/file/draft_internal.h"
#include "fs/core/hub.h"
#include "fs/file/refused_copies.h"
#include "fs/host/staging_file.h"
#include "fs/host/staging_room.h"

enum {
	PIECE = 8 << 20, /* bytes of one GET */
	TAGS_MAX = 16384, /* AWS: 10 tags of 128 + 256 characters, encoded */
};

/* ---- the known refusals ---- */

static struct refused_copies relay_refused = REFUSED_COPIES_INIT;

static struct refused_pair relay_pair(const struct place *from, const struct place *to)
{
	return (struct refused_pair){from->account, to->account, place_bucket(from), place_bucket(to)};
}

bool carry_wanted(const struct place *from, const struct place *to)
{
	const struct refused_pair pair = relay_pair(from, to);

	return refused_copies_has(&relay_refused, &pair, clock_ms());
}

static void relay_remember(const struct place *from, const struct place *to)
{
	const struct refused_pair pair = relay_pair(from, to);

	if (refused_copies_add(&relay_refused, &pair, clock_ms()))
		log_text(LOG_LEVEL_WARNING,
			"copies from bucket %s to bucket %s pass through this machine: the service refuses "
			"the destination's credentials the source",
			from->bucket, to->bucket);
}

/* ---- the steps; worker thread ---- */

static void relay_end(struct carry *carry, int error, const struct s3_answer *answer)
{
	carry->error = error;
	if (carry->fd >= 0)
		close(carry->fd);
	headers_release(&carry->headers);
	buf_release(&carry->tags);
	if (error == 0)
		relay_remember(carry->from, carry->to);
	carry->on_done(carry, answer);
}

static void relay_on_uploaded(struct upload *upload, const struct s3_answer *answer)
{
	struct carry *carry = upload->user;

	memcpy(carry->new_etag, upload->etag, sizeof(carry->new_etag));
	carry->mtime = upload->mtime;
	relay_end(carry, upload->error, answer);
}

/* Sets the type as the service's own copy would (engine/object/copy.h). */
static int follow_type(struct carry *carry)
{
	struct str from = place_key(carry->from), has = headers_get(&carry->headers, STR("content-type"));
	const char *type = content_type_follows(from, place_key(carry->to));

	if (!type || (has.data && !str_eq(has, STR("binary/octet-stream")) &&
			     !str_eq(has, str_of(content_type_of(from)))))
		return 0;
	return headers_set(&carry->headers, STR("content-type"), str_of(type));
}

static void relay_send(struct carry *carry, const struct s3_answer *answer)
{
	int error = draft_kept_headers(&carry->headers, carry->storage_class);

	if (error == 0)
		error = view_add_headers(carry->to->view, &carry->headers);
	if (error == 0)
		error = follow_type(carry);
	if (error == 0 && carry->tags.len > 0)
		error = headers_set(&carry->headers, STR("x-amz-tagging"), buf_str(&carry->tags));
	if (error < 0) {
		relay_end(carry, error, answer);
		return;
	}
	carry->upload = (struct upload){
		.account = carry->to->account,
		.bucket = place_bucket(carry->to),
		.key = place_key(carry->to),
		.fd = carry->fd,
		.size = carry->size,
		.headers = &carry->headers,
		.part_threshold = carry->to->view->part_threshold,
		.part_size = carry->to->view->part_size,
		.create_only = carry->create_only,
		.on_done = relay_on_uploaded,
		.user = carry,
	};
	upload_start(carry->worker, &carry->upload);
}

static int relay_on_data(struct fetch *fetch, const char *data, size_t len)
{
	struct carry *carry = fetch->user;

	int error = staging_write(carry->fd, data, len, carry->at);

	if (error < 0)
		return error;
	carry->at += len;
	return 0;
}

static void next_piece(struct carry *carry, const struct s3_answer *answer);

static void relay_on_fetched(struct fetch *fetch, const struct s3_answer *answer)
{
	struct carry *carry = fetch->user;
	int error = fetch->error;

	/* The service sent fewer bytes than its own size said. */
	if (error == 0 && fetch->got < fetch->length)
		error = -EIO;
	if (error < 0)
		relay_end(carry, error, answer);
	else
		next_piece(carry, answer);
}

static void next_piece(struct carry *carry, const struct s3_answer *answer)
{
	uint64_t left = carry->size - carry->at;

	if (left == 0) {
		relay_send(carry, answer);
		return;
	}
	carry->fetch = (struct fetch){
		.account = carry->from->account,
		.bucket = place_bucket(carry->from),
		.key = place_key(carry->from),
		.etag = str_of(carry->etag),
		.start = carry->at,
		.length = left < PIECE ? (size_t)left : PIECE,
		.on_data = relay_on_data,
		.on_done = relay_on_fetched,
		.user = carry,
	};
	fetch_start(carry->worker, &carry->fetch);
}

static void relay_on_tags(struct call *call, const struct s3_answer *answer)
{
	struct carry *carry = call->user;
	bool optional = carry->to->view->tags != COPY_TAGS_REQUIRED;

	bool denied = call->error != 0 && optional &&
		      copy_tags_denied(place_bucket(carry->from), place_key(carry->from), answer);

	if (call->error == 0 || denied || call->error == -ENOENT || (call->error == -EOPNOTSUPP && optional))
		next_piece(carry, answer);
	else
		relay_end(carry, call->error, answer);
}

static void relay_ask(
	struct carry *carry, enum s3_op op, void (*on_done)(struct call *, const struct s3_answer *))
{
	call_init(&carry->call);
	carry->call.request.op = op;
	carry->call.request.bucket = place_bucket(carry->from);
	carry->call.request.key = place_key(carry->from);
	carry->call.account = carry->from->account;
	carry->call.on_done = on_done;
	carry->call.user = carry;
}

static void relay_on_head(struct call *call, const struct s3_answer *answer)
{
	struct carry *carry = call->user;
	int error = call->error == -ENOENT ? -ESTALE : call->error;

	if (error == 0 && (answer->size != carry->size || strcmp(answer->etag, carry->etag) != 0))
		error = -ESTALE;
	if (error == 0 && carry->attrs)
		error = attrs_write(carry->attrs, S_IFREG, &carry->headers);
	if (error < 0) {
		relay_end(carry, error, answer);
		return;
	}
	snprintf(carry->storage_class, sizeof(carry->storage_class), "%s", answer->storage_class);
	if (answer->tag_count == 0 || carry->to->view->tags == COPY_TAGS_NO) {
		next_piece(carry, answer);
		return;
	}
	relay_ask(carry, S3_GET_TAGGING, relay_on_tags);
	carry->call.sinks.tags = &carry->tags;
	call_start(carry->worker, &carry->call);
}

static void relay_run(struct task *task, struct worker *worker)
{
	struct carry *carry = (struct carry *)((char *)task - offsetof(struct carry, task));
	const struct s3_answer none = {.retry_after = -1};

	carry->fd = staging_file(carry->staging_dir);
	if (carry->fd < 0) {
		relay_end(carry, carry->fd, &none);
		return;
	}
	relay_ask(carry, S3_HEAD_OBJECT, relay_on_head);
	carry->call.sinks.headers = &carry->headers;
	call_start(worker, &carry->call);
}

void carry_start(struct worker *worker, struct carry *carry)
{
	carry->worker = worker;
	carry->fd = -1;
	headers_init(&carry->headers);
	buf_init(&carry->tags, TAGS_MAX);
	carry->task = (struct task){.run = relay_run};
	worker_post(worker, &carry->task);
}
