/*
 * An upload by one PUT, or what upload_parts.c does above the threshold.
 *
 * A condition on the destination (create only, or replace only one ETag) that fails after an attempt without
 * an answer may have failed because that attempt has stored the object.  So it is looked at: it is ours when
 * size and ETag are those of our bytes, whose MD5 is taken then and not before.
 */
#include "engine/upload_private.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 65536 };

static void put_start(struct upload *upload);

void upload_finish(struct upload *upload, int error, const struct s3_answer *answer)
{
	upload->error = error;
	if (error == 0) {
		memcpy(upload->etag, answer->etag, sizeof(upload->etag));
		upload->mtime = answer->mtime;
	}
	upload->on_done(upload, answer);
}

static int digest_range(EVP_MD_CTX *context, int fd, uint64_t start, uint64_t length)
{
	char chunk[CHUNK];
	while (length > 0) {
		size_t want = length < sizeof(chunk) ? (size_t)length : sizeof(chunk);
		ssize_t n = pread(fd, chunk, want, (off_t)start);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		if (EVP_DigestUpdate(context, chunk, (size_t)n) != 1)
			return -EIO;
		start += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return 0;
}

int upload_digest(int fd, uint64_t start, uint64_t length, const char *name, char *ret)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *md = EVP_get_digestbyname(name);
	if (context == NULL || md == NULL) {
		EVP_MD_CTX_free(context);
		return -ENOMEM;
	}
	int err = EVP_DigestInit_ex(context, md, NULL) == 1 ? 0 : -ENOMEM;
	if (err == 0)
		err = digest_range(context, fd, start, length);
	if (err == 0 && EVP_DigestFinal_ex(context, digest, &len) != 1)
		err = -EIO;
	EVP_MD_CTX_free(context);
	for (unsigned i = 0; err == 0 && i < len && i < SHA256_HEX / 2; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
	return err;
}

static bool looks_like_ours(const struct upload *upload, const struct s3_answer *answer)
{
	char md5[SHA256_HEX + 1];
	return upload->ambiguous && answer->size == upload->size &&
	       upload_digest(upload->fd, 0, upload->size, "MD5", md5) == 0 && strcmp(md5, answer->etag) == 0;
}

static void look_done(struct call *call, const struct s3_answer *answer)
{
	struct upload *upload = call->user;
	if (call->error == 0 && looks_like_ours(upload, answer))
		upload_finish(upload, 0, answer);
	else if (call->error == 0)
		upload_finish(upload, upload->create_only ? -EEXIST : -ESTALE, answer);
	else
		upload_finish(upload, call->error == -ENOENT ? -ESTALE : call->error, answer);
}

static void look_start(struct upload *upload)
{
	struct call *call = &upload->call;
	call_init(call);
	call->request.op = S3_HEAD_OBJECT;
	call->request.bucket = upload->bucket;
	call->request.key = upload->key;
	call->account = upload->account;
	call->flags = upload->call_flags;
	call->on_done = look_done;
	call->user = upload;
	call_start(upload->worker, call);
}

static void put_done(struct call *call, const struct s3_answer *answer)
{
	struct upload *upload = call->user;
	bool conditional = call->request.if_none_match_any;
	upload->ambiguous |= call->ambiguous;
	if (call->error == -EOPNOTSUPP && conditional) {
		account_learn(upload->account, TRAIT_PUT_CREATE, false);
		put_start(upload);
	} else if (call->error == -ESTALE && upload->ambiguous && !upload->cancelled) {
		look_start(upload);
	} else if (call->error == -ESTALE && upload->create_only) {
		if (conditional)
			account_learn(upload->account, TRAIT_PUT_CREATE, true);
		upload_finish(upload, -EEXIST, answer);
	} else {
		upload_finish(upload, call->error, answer);
	}
}

static void failed_early(struct task *task, struct worker *worker)
{
	struct upload *upload = (struct upload *)((char *)task - offsetof(struct upload, call.task));
	struct s3_answer none = {.retry_after = -1};
	upload_finish(upload, upload->error, &none);
}

static void put_start(struct upload *upload)
{
	struct call *call = &upload->call;
	call_init(call);
	int err = upload_digest(upload->fd, 0, upload->size, "SHA256", upload->sha256);
	if (err != 0) {
		/* The call is idle: its task is free. */
		upload->error = err;
		call->task.run = failed_early;
		worker_post(upload->worker, &call->task);
		return;
	}
	call->request.op = S3_PUT_OBJECT;
	call->request.bucket = upload->bucket;
	call->request.key = upload->key;
	call->request.headers = upload->headers;
	call->request.if_match = upload->if_match;
	call->request.if_none_match_any =
		upload->create_only && account_trait(upload->account, TRAIT_PUT_CREATE) != TRAIT_NO;
	call->request.body_length = upload->size;
	call->request.body_sha256 = str_of(upload->sha256);
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
	upload->error = 0;
	upload->ambiguous = upload->cancelled = false;
	upload->parts = NULL;
	if (upload->size > threshold || upload->size > PARTS_MAX_SIZE)
		upload_parts_start(upload);
	else
		put_start(upload);
}

static void run_start(struct task *task, struct worker *worker)
{
	upload_start(worker, (struct upload *)((char *)task - offsetof(struct upload, call.task)));
}

void upload_post(struct worker *worker, struct upload *upload)
{
	call_init(&upload->call);
	upload->call.task.run = run_start;
	worker_post(worker, &upload->call.task);
}

void upload_cancel(struct upload *upload)
{
	upload->cancelled = true;
	if (upload->parts != NULL)
		upload_parts_cancel(upload);
	else
		call_cancel(&upload->call);
}
