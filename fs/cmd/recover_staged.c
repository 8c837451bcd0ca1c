#include "fs/cmd/recover_staged.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/object/upload.h"
#include "fs/host/staged.h"
#include "s3/escape.h"

enum {
	BESIDE_MAX = 100, /* names tried */
	MD5_LEN = 16,
	READ_SIZE = 256 << 10,
};

/* ---- one upload, waited for ---- */

struct waited {
	struct upload upload;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool over;
	char code[ANSWER_CODE_MAX + 1];
};

static void recover_staged_on_uploaded(struct upload *upload, const struct s3_answer *answer)
{
	struct waited *waited = upload->user;

	pthread_mutex_lock(&waited->lock);
	if (answer)
		snprintf(waited->code, sizeof(waited->code), "%s", answer->error.code);
	waited->over = true;
	pthread_cond_signal(&waited->done);
	pthread_mutex_unlock(&waited->lock);
}

/* base "": only where nothing is. */
static int recover_staged_upload(struct recover_staged *recover, const struct staged_left *left,
	const char *key, const char *base, char *ret_code)
{
	struct waited waited = {
		.upload = {.account = recover->account,
			.bucket = str_of(left->bucket),
			.key = str_of(key),
			.fd = left->fd,
			.size = left->size,
			.headers = &left->headers,
			.create_only = base[0] == '\0',
			.if_match = base[0] ? str_of(base) : STR_NONE,
			.part_size = left->part_size,
			.part_threshold = left->part_threshold,
			.on_done = recover_staged_on_uploaded,
			.user = &waited},
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.done = PTHREAD_COND_INITIALIZER,
	};

	upload_post(engine_pick(recover->engine), &waited.upload);
	pthread_mutex_lock(&waited.lock);
	while (!waited.over)
		pthread_cond_wait(&waited.done, &waited.lock);
	pthread_mutex_unlock(&waited.lock);
	snprintf(ret_code, ANSWER_CODE_MAX + 1, "%s", waited.code);
	return waited.upload.error;
}

/* ---- was it stored after all? ---- */

/* The MD5 of the content in hexadecimal digits, which is the ETag of most objects that one request stored. */
static bool digest(const struct staged_left *left, char ret[2 * MD5_LEN + 1])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	char *data = malloc(READ_SIZE);
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool good = context && data && EVP_DigestInit_ex(context, EVP_md5(), NULL);
	uint64_t at = 0;

	while (good && at < left->size) {
		ssize_t got = pread(left->fd, data, READ_SIZE, (off_t)at);

		good = got > 0 && EVP_DigestUpdate(context, data, (size_t)got);
		at += got > 0 ? (uint64_t)got : 0;
	}
	good = good && EVP_DigestFinal_ex(context, sum, &len) && len == MD5_LEN;
	for (unsigned i = 0; good && i < MD5_LEN; i++)
		snprintf(ret + 2 * i, 3, "%02x", sum[i]);
	EVP_MD_CTX_free(context);
	free(data);
	return good;
}

static bool is_stored(struct recover_staged *recover, const struct staged_left *left)
{
	char sum[2 * MD5_LEN + 1];
	struct s3_answer answer = {.status = 0};
	struct call call;

	call_init(&call);
	call.account = recover->account;
	call.request = (struct s3_request){
		.op = S3_HEAD_OBJECT, .bucket = str_of(left->bucket), .key = str_of(left->key)};
	return call_wait(recover->engine, &call, &answer) == 0 && answer.size == left->size &&
	       digest(left, sum) && strcmp(sum, answer.etag) == 0;
}

/* ---- lines ---- */

static void put_when(struct buf *text, int64_t when)
{
	time_t seconds = (time_t)when;
	char words[32] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(words, sizeof(words), "%Y-%m-%d %H:%M:%S", &tm);
	buf_add_text(text, words);
}

static void recover_staged_say(
	const char *word, const struct staged_left *left, const char *key, const char *why)
{
	struct buf text;

	buf_init(&text, 16384);
	buf_addf(&text, "%s: s3://", word);
	escape_text(&text, str_of(left->bucket));
	buf_add_char(&text, '/');
	escape_text(&text, str_of(key ? key : left->key));
	buf_addf(&text, " (%llu bytes, written ", (unsigned long long)left->size);
	put_when(&text, left->written);
	buf_add_char(&text, ')');
	if (why && why[0])
		buf_addf(&text, ": %s", why);
	printf("%s\n", buf_text(&text));
	buf_release(&text);
}

static void recover_staged_done(struct recover_staged *recover, const char *word,
	const struct staged_left *left, const char *key, const char *why)
{
	int error = staged_discard(recover->dir, left);

	if (!recover->quiet)
		recover_staged_say(word, left, key, why);
	if (error < 0) {
		recover_staged_say("failed", left, key, strerror(-error));
		recover->left++;
	}
}

/* ---- storing ---- */

static int store_beside(struct recover_staged *recover, const struct staged_left *left, char *ret_code)
{
	time_t written = (time_t)left->written;
	char words[32], *key = NULL;
	struct tm tm;
	int error = gmtime_r(&written, &tm) ? -EEXIST : -EINVAL;

	if (error == -EEXIST)
		strftime(words, sizeof(words), "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned i = 0; error == -EEXIST && i < BESIDE_MAX; i++) {
		char again[16] = "";

		if (i > 0)
			snprintf(again, sizeof(again), "-%u", i);
		free(key);
		if (asprintf(&key, "%s.recovered-%s%s", left->key, words, again) < 0) {
			key = NULL;
			error = -ENOMEM;
		} else {
			error = strlen(key) > KEY_MAX
					? -ENAMETOOLONG
					: recover_staged_upload(recover, left, key, "", ret_code);
		}
	}
	if (error == 0)
		recover_staged_done(
			recover, "stored beside", left, key, "that name has another object by now");
	free(key);
	return error;
}

static void recover_staged_store(struct recover_staged *recover, const struct staged_left *left)
{
	char code[ANSWER_CODE_MAX + 1] = "";
	int error = recover_staged_upload(recover, left, left->key, left->base, code);

	if (error == 0) {
		recover_staged_done(recover, "stored", left, NULL, NULL);
		return;
	}
	/* Another object is there than the one it was made of, or that one is gone. */
	if (error == -EEXIST || error == -ESTALE) {
		if (is_stored(recover, left)) {
			recover_staged_done(recover, "stored before", left, NULL, NULL);
			return;
		}
		error = store_beside(recover, left, code);
		if (error == 0)
			return;
	}
	recover->left++;
	recover_staged_say("failed", left, NULL, code[0] ? code : strerror(-error));
}

static void recover_staged_one(struct recover_staged *recover, const struct staged_left *left)
{
	if (staged_is_stored(left)) {
		if (!recover->dry_run)
			staged_discard(recover->dir, left);
	} else if (!staged_is_ours(left, recover->account)) {
		recover->left++;
		recover_staged_say("left alone", left, NULL, "of another service or machine");
	} else if (recover->dry_run) {
		recover->left++;
		recover_staged_say(recover->discard ? "would discard"
				   : left->fd < 0   ? "would give up"
						    : "would store",
			left, NULL, left->fd < 0 ? "its content is gone" : NULL);
	} else if (recover->discard) {
		recover_staged_done(recover, "discarded", left, NULL, NULL);
	} else if (left->fd < 0) {
		recover_staged_done(recover, "given up", left, NULL, "its content is gone");
		recover->left++;
	} else {
		recover_staged_store(recover, left);
	}
}

int recover_staged(struct recover_staged *recover)
{
	char **names = NULL;
	int error = journal_dir_names_of(recover->dir, STAGED_SUFFIX, &names);

	for (char **name = names; error == 0 && *name; name++) {
		struct staged_left *left = NULL;
		int opened = staged_open(recover->dir, *name, &left);

		if (opened == 0) {
			recover_staged_one(recover, left);
		} else if (opened != -EBUSY && opened != -ENOENT) {
			recover->left++;
			printf("unusable: %s: %s\n", *name,
				opened == -EBADMSG ? "the record is damaged: what was written may still be "
						     "in the staging "
						     "directory; look there, then remove the record"
						   : strerror(-opened));
		}
		staged_close(left);
	}
	journal_names_free(names);
	return error;
}
