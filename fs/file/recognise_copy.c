/*
 *   step     does                                    next
 *   HASH     a slice of the file after another       found: LOOK, or COPY where the condition is enforced
 *   LOOK     HEAD of the source: still that ETag?    PROBE where enforcement is unknown, else COPY
 *   PROBE    CopyObject with an impossible ETag      412: enforced, COPY; 200: not enforced, CHECK
 *   COPY     the copy with the right ETag            enforced: done; else CHECK
 *   CHECK    was that version copied?                done, or the upload overwrites the copy
 *
 * Any failure, and any doubt, ends with an error: the file is uploaded.
 *
 * CHECK, for a service that ignores the condition.  If the copy has the source's ETag, and this ETag is the
 * MD5 of the bytes, then that version was copied.  Other ETags (of parts, of KMS) do not survive a copy: then
 * the source must have the same ETag and time after the copy as before it, and that time must be in a second
 * before the copy's own.  LOOK makes it unlikely that another version is ever copied; if it was, the
 * destination has it until the upload is done.
 */
#include "fs/file/recognise_copy.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "fs/core/hub.h"

enum {
	SLICE = 4 << 20, /* some 2 ms of the worker's time (measured), 10 without SHA instructions */
	PIECE = 64 << 10, /* of one pread */
};

/* An ETag that no object has. */
static const struct str impossible_etag = {.data = "ferryfs-probe", .len = 13};

static const struct s3_answer no_answer = {.retry_after = -1};

static void recognise_copy_finish(struct recognise_copy *self, int error, const struct s3_answer *answer)
{
	EVP_MD_CTX_free(self->digest);
	self->digest = NULL;
	headers_release(&self->all);
	account_unref(self->found.account);
	self->found.account = NULL;
	self->error = error;
	self->on_done(self, answer);
}

static void log_outcome(const struct recognise_copy *self, int error, const struct s3_answer *answer)
{
	log_call(error == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
		&(struct log_call){
			.what = "copy instead of upload",
			.bucket = self->to.bucket,
			.key = self->to.key,
			.error = error,
			.answer = answer,
			.consequence = error == 0 ? "its bytes were served a moment ago" : "uploaded",
		});
}

/* A source was found, but cannot be used. */
static void give_up(struct recognise_copy *self, int error, const struct s3_answer *answer)
{
	if (error == -EACCES || error == -EOPNOTSUPP)
		recognise_refused(self->table, &self->found, &self->to, clock_ms());
	else if (error == -ESTALE || error == -ENOENT)
		recognise_forget(self->table, &self->found);
	if (error != -ECANCELED)
		log_outcome(self, error, answer);
	recognise_copy_finish(self, error, answer);
}

static void recognise_copy_succeed(struct recognise_copy *self, const struct s3_answer *answer)
{
	log_outcome(self, 0, NULL);
	recognise_copy_finish(self, 0, answer);
}

/* ---- LOOK and CHECK ---- */

static void head_source(
	struct recognise_copy *self, void (*on_done)(struct call *call, const struct s3_answer *answer))
{
	call_init(&self->call);
	self->call.request.op = S3_HEAD_OBJECT;
	self->call.request.bucket = str_of(self->found.bucket);
	self->call.request.key = str_of(self->found.key);
	self->call.account = self->found.account;
	self->call.on_done = on_done;
	self->call.user = self;
	call_start(self->worker, &self->call);
}

static bool is_source(const struct recognise_copy *self, const struct s3_answer *answer)
{
	return strcmp(answer->etag, self->found.etag) == 0 && answer->size == self->to.size;
}

static void checked(struct call *call, const struct s3_answer *answer)
{
	struct recognise_copy *self = call->user;

	if (call->error == 0 && is_source(self, answer) && answer->mtime != 0 &&
		answer->mtime == self->seen_mtime && answer->mtime < self->mtime) {
		recognise_copy_succeed(self, answer);
		return;
	}
	self->disturbed = true;
	give_up(self, call->error == -ECANCELED ? -ECANCELED : -ESTALE, answer);
}

static bool is_md5(const char *etag)
{
	return strlen(etag) == MD5_HEX && strspn(etag, "0123456789abcdefABCDEF") == MD5_HEX;
}

static void recognise_copy_check(struct recognise_copy *self, const struct s3_answer *answer)
{
	if (is_md5(self->etag) && strcmp(self->etag, self->found.etag) == 0)
		recognise_copy_succeed(self, answer);
	else
		head_source(self, checked);
}

/* ---- PROBE and COPY ---- */

static void recognise_copy_start_copy(struct recognise_copy *self);

static void recognise_copy_on_copied(struct copy *copy, const struct s3_answer *answer)
{
	struct recognise_copy *self = copy->user;
	int error = copy->error;

	if (error == -ESTALE && self->probing) {
		account_learn(self->to.account, TRAIT_COPY_IF_MATCH, true);
		recognise_copy_start_copy(self);
		return;
	}
	if (error < 0) {
		/* An attempt without an answer may still have copied, and copy.c also looks at the source
		 * only afterwards. */
		self->disturbed = copy->ambiguous;
		give_up(self, error, answer);
		return;
	}
	memcpy(self->etag, copy->etag, sizeof(self->etag));
	self->mtime = copy->mtime;
	if (self->probing)
		account_learn(self->to.account, TRAIT_COPY_IF_MATCH, false);
	if (account_trait(self->to.account, TRAIT_COPY_IF_MATCH) == TRAIT_YES)
		recognise_copy_succeed(self, answer);
	else
		recognise_copy_check(self, answer);
}

static void recognise_copy_start_copy(struct recognise_copy *self)
{
	enum account_answer enforced = account_trait(self->to.account, TRAIT_COPY_IF_MATCH);

	struct copy_settings *settings = &self->settings;

	settings->headers = &self->all;
	self->probing = enforced == TRAIT_UNKNOWN;
	/* A copy in parts can be neither probed nor checked. */
	settings->part_threshold = enforced == TRAIT_YES ? self->part_threshold : COPY_OBJECT_MAX;
	self->copy = (struct copy){
		.settings = settings,
		.source_account = self->found.account,
		.account = self->to.account,
		.source_bucket = str_of(self->found.bucket),
		.source_key = str_of(self->found.key),
		.bucket = self->to.bucket,
		.key = self->to.key,
		.source_etag = self->probing ? impossible_etag : str_of(self->found.etag),
		.storage_class = STR(""),
		.size = self->to.size,
		.create_only = self->create_only,
		.on_done = recognise_copy_on_copied,
		.user = self,
	};
	copy_start(self->worker, &self->copy);
}

static void looked(struct call *call, const struct s3_answer *answer)
{
	struct recognise_copy *self = call->user;

	if (call->error == 0 && is_source(self, answer)) {
		self->seen_mtime = answer->mtime;
		recognise_copy_start_copy(self);
	} else {
		give_up(self, call->error < 0 ? call->error : -ESTALE, answer);
	}
}

/* Makes the headers that the upload would have sent, without any of the source's. */
static int make_headers(struct recognise_copy *self)
{
	int error = self->headers ? headers_add_all(&self->all, self->headers) : 0;

	if (error == 0)
		error = headers_add(&self->all, STR("x-amz-metadata-directive"), STR("REPLACE"));
	if (error == 0)
		error = headers_add(&self->all, STR("x-amz-tagging-directive"), STR("REPLACE"));
	return error;
}

static void recognise_copy_begin(struct recognise_copy *self)
{
	int error = make_headers(self);

	if (error < 0)
		give_up(self, error, &no_answer);
	else if (account_trait(self->to.account, TRAIT_COPY_IF_MATCH) == TRAIT_YES)
		recognise_copy_start_copy(self);
	else
		head_source(self, looked);
}

/* ---- HASH ---- */

static int hash_slice(struct recognise_copy *self)
{
	char piece[PIECE];
	uint64_t until = self->hashed + SLICE < self->to.size ? self->hashed + SLICE : self->to.size;

	while (self->hashed < until) {
		uint64_t left = until - self->hashed;
		ssize_t got =
			pread(self->fd, piece, left < PIECE ? (size_t)left : PIECE, (off_t)self->hashed);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		if (EVP_DigestUpdate(self->digest, piece, (size_t)got) != 1)
			return -EIO;
		self->hashed += (uint64_t)got;
	}
	return 0;
}

static void recognise_copy_run(struct task *task, struct worker *worker)
{
	struct recognise_copy *self =
		(struct recognise_copy *)((char *)task - offsetof(struct recognise_copy, task));
	unsigned char sha256[RECOGNISE_SHA256];
	int error = hash_slice(self);

	if (error == 0 && self->hashed < self->to.size) {
		worker_post(worker, task);
		return;
	}
	if (error == 0 && EVP_DigestFinal_ex(self->digest, sha256, NULL) != 1)
		error = -EIO;
	if (error == 0 && !recognise_find(self->table, &self->to, sha256, clock_ms(), &self->found))
		error = -ENOENT;
	if (error < 0)
		recognise_copy_finish(self, error, &no_answer);
	else
		recognise_copy_begin(self);
}

/* A file too large for one CopyObject needs a copy in parts, and that needs an enforced condition. */
static bool is_possible(const struct recognise_copy *self)
{
	return self->to.size > 0 &&
	       (self->to.size <= COPY_OBJECT_MAX ||
		       account_trait(self->to.account, TRAIT_COPY_IF_MATCH) == TRAIT_YES) &&
	       recognise_perhaps(self->table, self->to.size);
}

bool recognise_copy_start(struct recognise_copy *self)
{
	if (!is_possible(self))
		return false;
	self->digest = EVP_MD_CTX_new();
	if (!self->digest || EVP_DigestInit_ex(self->digest, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(self->digest);
		return false;
	}
	self->part_threshold = self->settings.part_threshold;
	headers_init(&self->all);
	self->task = (struct task){.run = recognise_copy_run};
	worker_post(self->worker, &self->task);
	return true;
}
