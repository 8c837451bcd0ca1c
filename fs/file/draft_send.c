/*
 * Sends the content of a draft to S3, once its claims are granted: draft_store.c begins and ends the store.
 *
 *   upload                                                     -> end
 *          -> copy of an object with the same bytes (recognise_copy.h) -> end, or upload -> end
 *   copy                                                       -> end
 *        -> ESTALE -> HEAD -> copy once more, of the same size -> end
 *        -> EACCES, source of another account -> carry.h       -> end
 *        -> EEXIST, likely by its own lost attempt -> copy once more -> end
 *
 * recopy.h makes a copy that must have other attributes than its source's metadata.
 *
 * The worker's thread only; no lock is held.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fs/core/place.h"
#include "fs/file/content_type.h"
#include "fs/file/draft_store_internal.h"

enum {
	CLOCK_SLACK = 2, /* seconds: Last-Modified has whole seconds, and the clock offset is an estimate */
};

static struct store_outcome outcome_of(int error, const char *etag, const struct s3_answer *answer)
{
	return (struct store_outcome){.error = error, .etag = etag, .answer = answer};
}

/* ---- upload ---- */

static void draft_send_on_uploaded(struct upload *upload, const struct s3_answer *answer)
{
	struct store_outcome outcome = outcome_of(upload->error, upload->etag, answer);

	outcome.ambiguous = upload->ambiguous;
	store_finish(upload->user, &outcome);
}

static void upload_now(struct store *store)
{
	const struct view *view = store->place->view;

	store->upload = (struct upload){
		.account = store->place->account,
		.bucket = place_bucket(store->place),
		.key = place_key(store->place),
		.fd = store->fd,
		.size = store->size,
		.headers = &store->headers,
		.part_threshold = view->part_threshold,
		.part_size = view->part_size,
		.create_only = store->create_only,
		.if_match = store->base[0] ? str_of(store->base) : STR_NONE,
		.on_done = draft_send_on_uploaded,
		.user = store,
	};
	upload_start(store->worker, &store->upload);
}

static void on_recognised(struct recognise_copy *done, const struct s3_answer *answer)
{
	struct store *store = done->user;
	struct store_outcome outcome = outcome_of(done->error, done->etag, answer);

	store->disturbed = done->disturbed;
	/* The object at the key may now be that copy. */
	if (done->disturbed)
		store->create_only = false;
	if (done->error == 0 || done->error == -ECANCELED)
		store_finish(store, &outcome);
	else
		upload_now(store);
}

/* Tries a copy of an object with the same bytes in place of an upload; false: no copy was started. */
static bool recognise(struct store *store)
{
	const struct view *view = store->place->view;

	/* A copy cannot have a condition on the version that it replaces. */
	if (!view->recognise || store->base[0])
		return false;
	store->recognise = malloc(sizeof(*store->recognise));
	if (!store->recognise)
		return false;
	*store->recognise = (struct recognise_copy){
		.table = store->hub->recognise,
		.worker = store->worker,
		.to = {.account = store->place->account,
			.bucket = place_bucket(store->place),
			.key = place_key(store->place),
			.size = store->size},
		.fd = store->fd,
		.headers = &store->headers,
		.create_only = store->create_only,
		.settings = view_copy_settings(view),
		.on_done = on_recognised,
		.user = store,
	};
	return recognise_copy_start(store->recognise);
}

static void draft_send_upload(struct store *store)
{
	int error = draft_upload_headers(&store->headers, store->place, store->keeps, store->attrs);

	if (error == 0) {
		struct str class = headers_get(&store->headers, STR("x-amz-storage-class"));

		snprintf(store->storage_class, sizeof(store->storage_class), "%.*s", (int)class.len,
			class.len ? class.data : "");
	}
	if (error < 0) {
		store_fail(store, error);
		return;
	}
	if (!recognise(store))
		upload_now(store);
}

/* ---- copy ---- */

static void draft_send_copy(struct store *store);

static void draft_send_on_looked(struct call *call, const struct s3_answer *answer)
{
	struct store *store = call->user;
	struct store_outcome outcome = {
		.error = call->error == -ENOENT ? -ESTALE : call->error, .answer = answer};

	if (outcome.error == 0 &&
		(answer->size != store->size || strcmp(answer->etag, store->source_etag) == 0))
		outcome.error = -ESTALE;
	if (outcome.error < 0) {
		store_finish(store, &outcome);
		return;
	}
	snprintf(store->source_etag, sizeof(store->source_etag), "%s", answer->etag);
	snprintf(store->storage_class, sizeof(store->storage_class), "%s", answer->storage_class);
	draft_send_copy(store);
}

/* Looks at the source: it is another version by now, or another condition failed. */
static void draft_send_look(struct store *store)
{
	store->looked = true;
	call_init(&store->call);
	store->call.request.op = S3_HEAD_OBJECT;
	store->call.request.bucket = place_bucket(store->from);
	store->call.request.key = place_key(store->from);
	store->call.account = store->from->account;
	store->call.on_done = draft_send_on_looked;
	store->call.user = store;
	call_start(store->worker, &store->call);
}

static void draft_send_on_carried(struct carry *done, const struct s3_answer *answer)
{
	struct store *store = done->user;
	struct store_outcome outcome = outcome_of(done->error, done->new_etag, answer);

	if (done->error == -ESTALE && !store->looked)
		draft_send_look(store);
	else
		store_finish(store, &outcome);
}

/* The source belongs to another account, and the service will not copy it with the destination's
 * credentials. */
static void carry(struct store *store)
{
	free(store->carry); /* of the former version */
	store->carry = malloc(sizeof(*store->carry));
	if (!store->carry) {
		store_fail(store, -ENOMEM);
		return;
	}
	*store->carry = (struct carry){
		.from = store->from,
		.to = store->place,
		.etag = store->source_etag,
		.size = store->size,
		.create_only = store->create_only,
		.attrs = store->attrs && store->attrs->replace ? &store->attrs->set : NULL,
		.staging_dir = store->hub->staging_dir,
		.on_done = draft_send_on_carried,
		.user = store,
	};
	carry_start(store->worker, store->carry);
}

/*
 * True: S3 refused the copy since an object is at the key, after an attempt that had no answer, and that
 * object has our size and is not older than the attempt.  The object is then likely the copy of that attempt.
 * Its ETag cannot prove this if the source was uploaded in parts or KMS encrypts.  Copying again writes the
 * same bytes onto the same bytes.
 */
static bool is_likely_ours(const struct store *store, const struct copy *done, const struct s3_answer *answer)
{
	return done->error == -EEXIST && done->ambiguous && store->create_only &&
	       answer->size == store->size && answer->mtime + CLOCK_SLACK >= store->began;
}

static void copied(struct store *store, const struct copy *done, const struct s3_answer *answer)
{
	struct store_outcome outcome = outcome_of(done->error, done->etag, answer);

	outcome.ambiguous = done->ambiguous;
	if (is_likely_ours(store, done, answer)) {
		store->create_only = false;
		draft_send_copy(store);
		return;
	}
	if (done->error == -ESTALE && !store->looked)
		draft_send_look(store);
	else if (done->error == -EACCES && !account_same(store->from->account, store->place->account))
		carry(store);
	else
		store_finish(store, &outcome);
}

static void draft_send_on_copied(struct copy *done, const struct s3_answer *answer)
{
	copied(done->user, done, answer);
}

/* ---- copy with other attributes than the source's ---- */

static int draft_send_edit(struct recopy *recopy, struct headers *headers, const struct s3_answer *head)
{
	struct store *store = recopy->user;
	struct store_attrs *attrs = store->attrs;
	int error = attrs_write(&attrs->set, S_IFREG, headers);

	/* The attributes in the source's other metadata are known now, too. */
	attrs_read(&attrs->all, headers);
	attrs->known = true;
	return error;
}

static void draft_send_on_recopied(struct recopy *done, const struct s3_answer *answer)
{
	done->copy.error = done->error;
	copied(done->user, &done->copy, answer);
}

static void recopy(struct store *store, const struct copy *copy)
{
	free(store->recopy); /* of the former version */
	store->recopy = calloc(1, sizeof(*store->recopy));
	if (!store->recopy) {
		store_fail(store, -ENOMEM);
		return;
	}
	*store->recopy = (struct recopy){
		.copy = *copy, .edit = draft_send_edit, .on_done = draft_send_on_recopied, .user = store};
	store->recopy->copy.on_done = NULL;
	recopy_start(store->worker, store->recopy);
}

static void draft_send_copy(struct store *store)
{
	if (carry_wanted(store->from, store->place)) {
		carry(store);
		return;
	}
	if (store->began == 0)
		store->began = account_server_now(store->place->account);
	const char *type = content_type_follows(place_key(store->from), place_key(store->place));

	store->settings = view_copy_settings(store->place->view);
	if (store->bulk)
		store->settings.call_flags |= CALL_BULK;
	store->copy = (struct copy){
		.type = type ? str_of(type) : STR_NONE,
		.type_from = str_of(content_type_of(place_key(store->from))),
		.settings = &store->settings,
		.source_account = store->from->account,
		.account = store->place->account,
		.source_bucket = place_bucket(store->from),
		.source_key = place_key(store->from),
		.bucket = place_bucket(store->place),
		.key = place_key(store->place),
		.source_etag = str_of(store->source_etag),
		.storage_class = store->storage_class[0] ? str_of(store->storage_class) : STR_NONE,
		.size = store->size,
		.create_only = store->create_only,
		.on_done = draft_send_on_copied,
		.user = store,
	};
	if (store->attrs && store->attrs->replace)
		recopy(store, &store->copy);
	else
		copy_start(store->worker, &store->copy);
}

void store_send(struct store *store)
{
	if (store->source)
		draft_send_copy(store);
	else
		draft_send_upload(store);
}
