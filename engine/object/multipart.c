/*
 * The life of a multipart upload.
 *
 *   step      on the wire              next
 *   CREATE    CreateMultipartUpload    PARTS; after a failure LOST or the end
 *   PARTS     up to at_once parts      SOURCE when all are there; ABORT when none is active after a failure
 *   SOURCE    HEAD of the source       BEFORE; ABORT.  Only where ops has something to look at
 *   BEFORE    HEAD of the object       COMPLETE; ABORT.  Only for a condition that may not be enforced
 *   COMPLETE  CompleteMultipartUpload  the end or LOST; LOOK where its outcome is not clear; ABORT after a
 *                                      failure
 *   LOOK      HEAD of the object       COMPLETE's outcome: the end, or ABORT; or COMPLETE without condition
 *   ABORT     AbortMultipartUpload     LOST or the end
 *   LOST      ListMultipartUploads     the end
 *
 * Invariants: parts are active only in PARTS; upload_id is set from PARTS on; error is set once and decides
 * the end.
 *
 * A completion whose first attempt took effect but lost its answer finds no upload (404) or, with
 * If-None-Match, an object (412) the next time.  Then the object is looked at: it is ours when its ETag is
 * the MD5 of our parts' MD5s with their number, as S3 makes it; or, for the 404, when size and number of
 * parts are right, since no other client completes this upload.
 *
 * A create whose answer was lost may have left an upload with an unknown id.  ListMultipartUploads says
 * key, id and time of an upload, none of which proves that it is ours: another client may have begun one of
 * the same key in the same moment.  An upload left is a cost, another client's upload aborted a loss; so
 * those that may be ours are named in the log.
 */
#include "engine/object/multipart.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "engine/object/condition.h"
#include "engine/base/log.h"
#include "engine/wire/worker.h"
#include "s3/escape.h"

enum {
	ABORT_ROUNDS = 3, /* each with all of a call's own retries */
	LOST_TOLD_MAX = 4, /* upload ids named in the log */
	LOST_TEXT_MAX = 4 * UPLOAD_ID_MAX + 512,
};

static void parts_pump(struct multipart *m);
static void complete_start(struct multipart *m);
static void abort_start(struct multipart *m);
static void lost_start(struct multipart *m);

static void multipart_end(struct multipart *m)
{
	free(m->slots);
	free(m->parts);
	page_free(m->page);
	m->slots = NULL;
	m->parts = NULL;
	m->page = NULL;
	m->ops->done(m, m->error, &m->answer);
}

static void multipart_fail(struct multipart *m, int error, const struct s3_answer *answer)
{
	if (m->error != 0)
		return;
	m->error = error;
	if (answer)
		m->answer = *answer;
}

/* The upload is completed, aborted or never was. */
static void multipart_leave(struct multipart *m)
{
	if (m->create_lost)
		lost_start(m);
	else
		multipart_end(m);
}

static void call_prepare(struct multipart *m, struct call *call, enum s3_op op)
{
	call_init(call);
	call->request.op = op;
	call->request.bucket = m->bucket;
	call->request.key = m->key;
	call->request.headers = m->part_headers;
	call->request.upload_id = str_of(m->upload_id);
	call->account = m->account;
	call->flags = m->call_flags;
	call->user = m;
}

static void multipart_log_left(
	struct multipart *m, int error, const struct s3_answer *answer, const char *consequence)
{
	struct log_call line = {
		.what = m->ops->what,
		.bucket = m->bucket,
		.key = m->key,
		.error = error,
		.answer = answer,
		.consequence = consequence,
	};
	log_call(LOG_LEVEL_WARNING, &line);
}

/* ---- CREATE ---- */

static int parts_prepare(struct multipart *m)
{
	if (m->at_once > m->plan.count)
		m->at_once = m->plan.count;
	m->slots = calloc(m->at_once, sizeof(*m->slots));
	m->parts = calloc(m->plan.count, sizeof(*m->parts));
	if (!m->slots || !m->parts)
		return -ENOMEM;
	for (unsigned i = 0; i < m->at_once; i++)
		m->slots[i].multipart = m;
	m->next_part = 1;
	return 0;
}

static void create_done(struct call *call, const struct s3_answer *answer)
{
	struct multipart *m = call->user;
	m->create_lost = call->ambiguous;
	if (call->error == 0)
		memcpy(m->upload_id, answer->upload_id, sizeof(m->upload_id));
	if (call->error != 0) {
		multipart_fail(m, call->error, answer);
		multipart_leave(m);
		return;
	}
	m->step = MULTIPART_PARTS;
	int error = m->ops->note ? m->ops->note(m, m->upload_id, NULL) : 0;
	if (error != 0)
		multipart_fail(m, error, NULL);
	parts_pump(m);
}

static void multipart_failed_early(struct task *task, struct worker *worker)
{
	multipart_end((struct multipart *)((char *)task - offsetof(struct multipart, task)));
}

void multipart_start(struct worker *worker, struct multipart *m)
{
	m->worker = worker;
	m->step = MULTIPART_CREATE;
	m->started_ms = condition_clock_ms();
	m->answer.retry_after = -1;
	int error = parts_prepare(m);
	if (error != 0) {
		multipart_fail(m, error, NULL);
		m->task.run = multipart_failed_early;
		worker_post(worker, &m->task);
		return;
	}
	call_prepare(m, &m->call, S3_CREATE_UPLOAD);
	m->call.request.headers = m->headers;
	m->call.request.sum_sha256 = m->sums_parts;
	m->call.on_done = create_done;
	call_start(worker, &m->call);
}

/* ---- PARTS ---- */

static void part_done(struct call *call, const struct s3_answer *answer)
{
	struct multipart_slot *slot = call->user;
	struct multipart *m = slot->multipart;
	struct s3_part *part = &m->parts[slot->number - 1];
	if (call->error != 0) {
		multipart_fail(m, call->error, answer);
	} else {
		part->number = slot->number;
		memcpy(part->etag, answer->etag, sizeof(part->etag));
		if (m->sums_parts)
			sign_sha256_base64(slot->sums.sha256, part->sha256);
	}
	slot->number = 0;
	m->active--;
	parts_pump(m);
}

static void part_start(struct multipart *m, struct multipart_slot *slot)
{
	slot->number = m->next_part++;
	parts_range(&m->plan, slot->number, &slot->start, &slot->length);
	call_prepare(m, &slot->call, S3_UPLOAD_PART);
	slot->call.request.part_number = slot->number;
	slot->call.on_done = part_done;
	slot->call.user = slot;
	int error = m->ops->prepare(m, slot);
	if (error != 0) {
		slot->number = 0;
		multipart_fail(m, error, NULL);
		return;
	}
	m->active++;
	call_start(m->worker, &slot->call);
}

static void multipart_source_done(struct call *call, const struct s3_answer *answer)
{
	struct multipart *m = call->user;
	int error = m->ops->looked(m, call, answer);
	if (error != 0)
		multipart_fail(m, error, answer);
	if (m->error != 0)
		abort_start(m);
	else
		complete_start(m);
}

static void source_start(struct multipart *m)
{
	m->step = MULTIPART_SOURCE;
	call_prepare(m, &m->call, S3_HEAD_OBJECT);
	m->call.request.headers = NULL;
	m->call.request.upload_id = STR_NONE;
	m->ops->prepare_look(m, &m->call);
	m->call.on_done = multipart_source_done;
	call_start(m->worker, &m->call);
}

static void parts_pump(struct multipart *m)
{
	for (unsigned i = 0; i < m->at_once && m->error == 0 && m->next_part <= m->plan.count; i++) {
		if (m->slots[i].number == 0)
			part_start(m, &m->slots[i]);
	}
	if (m->active > 0)
		return;
	if (m->error != 0)
		abort_start(m);
	else if (m->ops->prepare_look)
		source_start(m);
	else
		complete_start(m);
}

/* ---- COMPLETE ---- */

static enum account_trait multipart_trait_of(const struct multipart *m)
{
	return m->create_only ? m->create_trait : TRAIT_PUT_MATCH;
}

static bool hex_nibble(char c, unsigned *ret)
{
	if (c >= '0' && c <= '9')
		*ret = (unsigned)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*ret = (unsigned)(c - 'a') + 10;
	else
		return false;
	return true;
}

static bool etag_digest(const char *etag, unsigned char ret[16])
{
	if (strlen(etag) != 32)
		return false;
	for (unsigned i = 0; i < 16; i++) {
		unsigned high, low;
		if (!hex_nibble(etag[2 * i], &high) || !hex_nibble(etag[2 * i + 1], &low))
			return false;
		ret[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* "MD5 of the parts' MD5s - count" (AWS, "Checking object integrity"); false where the parts' ETags are no
 * MD5s. */
static bool expected_etag(const struct multipart *m, char ret[ETAG_MAX + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md5 = EVP_MD_CTX_new();
	bool ok = md5 && EVP_DigestInit_ex(md5, EVP_md5(), NULL) == 1;
	for (unsigned i = 0; ok && i < m->plan.count; i++)
		ok = etag_digest(m->parts[i].etag, digest) && EVP_DigestUpdate(md5, digest, 16) == 1;
	ok = ok && EVP_DigestFinal_ex(md5, digest, NULL) == 1;
	EVP_MD_CTX_free(md5);
	for (unsigned i = 0; ok && i < 16; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
	if (ok)
		snprintf(ret + 32, ETAG_MAX + 1 - 32, "-%u", m->plan.count);
	return ok;
}

/* Made since this upload began? */
static bool is_recent(const struct multipart *m, int64_t mtime)
{
	return condition_is_recent(m->account, mtime, m->started_ms);
}

static bool multipart_looks_like_ours(const struct multipart *m, const struct s3_answer *answer)
{
	char etag[ETAG_MAX + 1], count[16];
	bool foretold = expected_etag(m, etag);
	if (answer->size != m->plan.size)
		return false;
	if (foretold && strcmp(etag, answer->etag) == 0)
		return true;
	/* The ETags of encrypted parts are no MD5s, and do not follow from those of the parts. */
	snprintf(count, sizeof(count), "-%u", m->plan.count);
	return (m->error == -ENOENT || !foretold || answer->etag_is_opaque) &&
	       str_has_suffix(str_of(answer->etag), str_of(count)) && is_recent(m, answer->mtime);
}

/* m->error has the completion's error. */
static void multipart_look_done(struct call *call, const struct s3_answer *answer)
{
	struct multipart *m = call->user;
	if (call->error == 0 && m->ambiguous && multipart_looks_like_ours(m, answer)) {
		m->error = 0;
		m->ambiguous = false;
		m->answer = *answer;
		multipart_leave(m);
		return;
	}
	/* Refused by the right ETag. */
	if (call->error == 0 && m->error == -ESTALE && !m->unconditioned && m->if_match.len > 0 &&
		str_eq(str_of(answer->etag), m->if_match)) {
		m->error = 0;
		m->unconditioned = true;
		complete_start(m);
		return;
	}
	if (m->error == -ESTALE && m->create_only && call->error == 0)
		m->error = -EEXIST;
	abort_start(m);
}

static void look_start(struct multipart *m)
{
	m->step = MULTIPART_LOOK;
	call_prepare(m, &m->call, S3_HEAD_OBJECT);
	m->call.on_done = multipart_look_done;
	call_start(m->worker, &m->call);
}

static void complete_done(struct call *call, const struct s3_answer *answer)
{
	struct multipart *m = call->user;
	bool conditional = call->request.if_none_match_any || call->request.if_match.len > 0;
	bool gone = condition_object_gone(call->request.if_match, call->error, answer);
	m->ambiguous |= call->ambiguous;
	if (call->error == 0) {
		m->ambiguous = false;
		m->completed = true;
		m->answer = *answer;
		/* Ceph leaves it empty. */
		if (m->answer.etag[0] == '\0' && !expected_etag(m, m->answer.etag))
			m->answer.etag[0] = '\0';
		m->error = 0;
		multipart_leave(m);
	} else if (call->error == -EOPNOTSUPP && conditional) {
		account_learn(m->account, multipart_trait_of(m), false);
		complete_start(m);
	} else {
		bool unclear = (call->error == -ENOENT && m->ambiguous) || call->error == -ESTALE;
		if (call->error == -ESTALE && m->create_only && !m->ambiguous)
			account_learn(m->account, m->create_trait, true);
		m->error = 0; /* a cancel that came meanwhile is older news */
		multipart_fail(m, gone ? -ESTALE : call->error, answer);
		if (unclear)
			look_start(m);
		else
			abort_start(m);
	}
}

static void multipart_before_done(struct call *call, const struct s3_answer *answer)
{
	struct multipart *m = call->user;
	int error = condition_check(m->if_match, call->error, answer);
	if (error != 0)
		multipart_fail(m, error, answer);
	if (m->error != 0)
		abort_start(m);
	else
		complete_start(m);
}

static void before_start(struct multipart *m)
{
	m->step = MULTIPART_BEFORE;
	m->looked_first = true;
	call_prepare(m, &m->call, S3_HEAD_OBJECT);
	m->call.on_done = multipart_before_done;
	call_start(m->worker, &m->call);
}

static bool wants_look(const struct multipart *m)
{
	return m->look_first && !m->looked_first && (m->create_only || m->if_match.len > 0) &&
	       account_trait(m->account, multipart_trait_of(m)) != TRAIT_YES;
}

static void complete_start(struct multipart *m)
{
	if (wants_look(m)) {
		before_start(m);
		return;
	}
	char etag[ETAG_MAX + 1];
	int error = m->ops->note && expected_etag(m, etag) ? m->ops->note(m, NULL, etag) : 0;
	if (error != 0) {
		multipart_fail(m, error, NULL);
		abort_start(m);
		return;
	}
	m->step = MULTIPART_COMPLETE;
	call_prepare(m, &m->call, S3_COMPLETE_UPLOAD);
	m->call.request.parts = m->parts;
	m->call.request.part_count = m->plan.count;
	if (account_trait(m->account, multipart_trait_of(m)) != TRAIT_NO) {
		m->call.request.if_match = m->unconditioned ? STR_NONE : m->if_match;
		m->call.request.if_none_match_any = m->create_only;
	}
	m->call.expect_bytes = m->plan.size;
	m->call.on_done = complete_done;
	call_start(m->worker, &m->call);
}

/* ---- ABORT, LOST ---- */

static void abort_done(struct call *call, const struct s3_answer *answer)
{
	struct multipart *m = call->user;
	if (call->error != 0 && call->error != -ENOENT) {
		if (call->error != -ECANCELED && ++m->abort_rounds < ABORT_ROUNDS) {
			abort_start(m);
			return;
		}
		multipart_log_left(
			m, call->error, answer, "an unfinished multipart upload is left, its abort failed");
	}
	multipart_leave(m);
}

static void abort_start(struct multipart *m)
{
	m->step = MULTIPART_ABORT;
	call_prepare(m, &m->call, S3_ABORT_UPLOAD);
	/* Not in the queue that a service taken for dead ends without an attempt: parts that stay are paid
	 * for. */
	m->call.flags &= ~(unsigned)CALL_BULK;
	m->call.on_done = abort_done;
	call_start(m->worker, &m->call);
}

static bool may_be_ours(const struct multipart *m, const struct page_entry *entry)
{
	return str_eq(entry->key, m->key) && !str_eq(entry->etag, str_of(m->upload_id)) &&
	       (entry->mtime == 0 || is_recent(m, entry->mtime));
}

/* The text: an upload id comes from outside. */
static int lost_text(struct buf *text, struct str upload_id)
{
	int error = buf_add_text(text, "its creation was not answered: the unfinished upload ");
	if (error == 0)
		error = escape_text(text, upload_id);
	if (error == 0)
		error = buf_add_text(text,
			" may be of it, or another client's, and is not aborted.  If it is nobody's, "
			"abort it, or let a lifecycle rule do so");
	return error;
}

static void log_lost(struct multipart *m)
{
	struct buf text;
	unsigned told = 0;
	buf_init(&text, LOST_TEXT_MAX);
	for (unsigned i = 0; i < m->page->count && told < LOST_TOLD_MAX; i++) {
		const struct page_entry *entry = &m->page->entries[i];
		if (!may_be_ours(m, entry))
			continue;
		buf_clear(&text);
		if (lost_text(&text, entry->etag) == 0)
			multipart_log_left(m, 0, NULL, buf_text(&text));
		told++;
	}
	buf_release(&text);
	if (m->page->truncated)
		multipart_log_left(
			m, 0, NULL, "a multipart upload whose creation was not answered may be left");
}

static void lost_done(struct call *call, const struct s3_answer *answer)
{
	struct multipart *m = call->user;
	if (call->error != 0)
		multipart_log_left(m, call->error, answer,
			"a multipart upload whose creation was not answered may be left");
	else
		log_lost(m);
	multipart_end(m);
}

static void lost_start(struct multipart *m)
{
	m->step = MULTIPART_LOST;
	if (page_new(&m->page) != 0) {
		multipart_end(m);
		return;
	}
	call_prepare(m, &m->call, S3_LIST_UPLOADS);
	m->call.request.headers = NULL;
	m->call.request.key = STR_NONE;
	m->call.request.upload_id = STR_NONE;
	m->call.request.prefix = m->key;
	m->call.sinks.page = m->page;
	m->call.on_done = lost_done;
	call_start(m->worker, &m->call);
}

/* ---- cancel ---- */

void multipart_cancel(struct multipart *m)
{
	if (m->step == MULTIPART_CREATE || m->step == MULTIPART_PARTS || m->step == MULTIPART_SOURCE ||
		m->step == MULTIPART_BEFORE)
		multipart_fail(m, -ECANCELED, NULL);
	if ((m->step == MULTIPART_CREATE || m->step == MULTIPART_COMPLETE) && m->call.state != CALL_ACTIVE)
		call_cancel(&m->call);
	for (unsigned i = 0; m->step == MULTIPART_PARTS && i < m->at_once; i++) {
		struct multipart_slot *slot = &m->slots[i];
		if (slot->number == 0)
			continue;
		if (slot->call.state != CALL_ACTIVE)
			call_cancel(&slot->call);
		else
			slot->call.flags |= CALL_ONCE | CALL_LAST;
	}
}
