/*
 * First the set, in slot 0, then the remaining keys one by one, PURGE_SINGLES at a time.
 *
 * A condition that failed after an attempt without an answer may have failed because that attempt deleted the
 * object: such a key is looked at with HEAD (purge_key.look), and gone means deleted.
 *
 * Where conditions on deletes are known to be ignored the set goes without them.
 *
 * Where the service refuses a set for them that is learnt, and each key goes by itself, with its condition.
 * This is OpenStack Swift: its schema knows no ETag (400 MalformedXML), but DELETE keeps If-Match, and a set
 * is slower (measured: 33 keys a second, 86 by themselves), so that an object overwritten while a set of
 * 1,000 is worked on would be lost half a minute after it was looked at.  For objects uploaded in parts Swift
 * refuses the right ETag, and lists their copies with another one (the MD5) than it shows: after a 412 such a
 * one is compared by HEAD (refused), and deleted without condition (plain).
 */
#include "engine/object/purge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "engine/object/condition.h"
#include "engine/base/log.h"

enum {
	BODY_MAX = 16 << 20, /* 1,000 keys of 1,024 bytes, each byte escaped at worst to six; their tags */
	MTIME_SLACK = 1, /* seconds: Swift lists the time rounded down and shows it rounded up */
};

static void singles_pump(struct purge *purge);

static void key_end(struct purge_key *key, int error, const char *code)
{
	key->error = error;
	key->whole = false;
	snprintf(key->code, sizeof(key->code), "%.*s", PURGE_CODE_MAX, code);
}

static void key_end_whole(struct purge_key *key, int error, const char *code)
{
	key_end(key, error, code);
	key->whole = true;
}

static void note_answer(struct purge *purge, const struct s3_answer *answer)
{
	memcpy(purge->request_id, answer->request_id, sizeof(purge->request_id));
	purge->status = answer->status;
}

static void purge_end(struct purge *purge)
{
	delete_set_free(purge->set);
	purge->set = NULL;
	buf_release(&purge->body);
	purge->on_done(purge);
}

/* Does this key go by itself for its condition? */
static bool goes_alone(const struct purge *purge, const struct purge_key *key)
{
	return account_trait(purge->account, TRAIT_DELETE_SET_MATCH) == TRAIT_NO && etag_is_digest(key->etag);
}

/* ---- one by one ---- */

/* Does a HEAD, after its ETag was refused, show the version that was to be deleted? */
static bool was_meant(const struct purge_key *key, const struct s3_answer *answer)
{
	int64_t apart = answer->mtime - key->mtime;
	if (str_eq(str_of(answer->etag), key->etag))
		return true;
	return key->etag.len == 32 && strlen(answer->etag) > 32 && etag_is_digest(str_of(answer->etag)) &&
	       key->mtime != 0 && apart >= -MTIME_SLACK && apart <= MTIME_SLACK;
}

static void key_again(struct purge *purge, struct purge_key *key)
{
	key->single = true;
	purge->next = 0;
}

/* Cut off while it was on the wire: `count` keys, of which this is the first. */
static void log_unknown(const struct purge *purge, struct str key, unsigned count)
{
	char consequence[96];
	snprintf(consequence, sizeof(consequence), "no answer was waited for: %u object%s may be gone", count,
		count == 1 ? "" : "s");
	log_call(LOG_LEVEL_WARNING, &(struct log_call){.what = "delete",
					    .bucket = purge->bucket,
					    .key = key,
					    .error = -ECANCELED,
					    .consequence = consequence});
}

static bool is_cut_off(const struct call *call)
{
	return call->error == -ECANCELED && call->ambiguous;
}

static void single_done(struct call *call, const struct s3_answer *answer)
{
	struct purge_slot *slot = call->user;
	struct purge *purge = slot->purge;
	struct purge_key *key = slot->key;
	bool looked = key->look;
	slot->key = NULL;
	purge->active--;
	if (is_cut_off(call) && !looked)
		log_unknown(purge, key->key, 1);
	if (looked ? call->error == -ENOENT : s3_answer_says_gone(answer)) {
		key_end(key, 0, "");
	} else if (looked && call->error == 0 && key->refused && was_meant(key, answer)) {
		key->look = false;
		key->plain = true;
		key_again(purge, key);
	} else if (looked && call->error == 0) {
		key_end(key, -ESTALE, "PreconditionFailed");
	} else if (call->error == -ESTALE && !looked && (call->ambiguous || goes_alone(purge, key))) {
		key->look = true;
		key->refused = goes_alone(purge, key);
		key_again(purge, key);
	} else {
		key_end(key, call->error, answer->error.code);
		if (call->error != 0)
			note_answer(purge, answer);
	}
	singles_pump(purge);
}

static void single_start(struct purge *purge, struct purge_slot *slot, struct purge_key *key)
{
	struct call *call = &slot->call;
	key->single = false;
	slot->purge = purge;
	slot->key = key;
	call_init(call);
	call->request.op = key->look ? S3_HEAD_OBJECT : S3_DELETE_OBJECT;
	call->request.bucket = purge->bucket;
	call->request.key = key->key;
	if (!key->look && !key->plain &&
		(goes_alone(purge, key) || account_trait(purge->account, TRAIT_DELETE_IF_MATCH) != TRAIT_NO))
		call->request.if_match = key->etag;
	call->request.version_id = key->version;
	call->account = purge->account;
	call->flags = purge->call_flags;
	call->on_done = single_done;
	call->user = slot;
	purge->active++;
	call_start(purge->worker, call);
}

/* The next key that is to go by itself, or NULL; after a cancel all that are left end here. */
static struct purge_key *next_single(struct purge *purge)
{
	for (; purge->next < purge->count; purge->next++) {
		struct purge_key *key = &purge->keys[purge->next];
		if (!key->single)
			continue;
		if (!purge->cancelled)
			return key;
		key->single = false;
		key_end(key, -ECANCELED, "");
	}
	return NULL;
}

static void singles_pump(struct purge *purge)
{
	for (unsigned i = 0; i < PURGE_SINGLES; i++) {
		if (purge->slots[i].key)
			continue;
		struct purge_key *key = next_single(purge);
		if (!key)
			break;
		single_start(purge, &purge->slots[i], key);
	}
	if (purge->active == 0)
		purge_end(purge);
}

/* ---- the set ---- */

static bool is_passing(const char *code)
{
	enum s3_retry retry = s3_code_retry(str_of(code));
	return retry == S3_RETRY_YES || retry == S3_RETRY_SLOWER;
}

static void take_result(struct purge *purge, const struct delete_entry *entry, const struct call *call)
{
	struct purge_key *key = entry->user;
	int error = -EBADMSG;
	if (entry->outcome == DELETE_DONE ||
		(entry->outcome == DELETE_FAILED && strcmp(entry->code, "NoSuchKey") == 0)) {
		key_end(key, 0, "");
		return;
	}
	if (entry->outcome == DELETE_FAILED)
		error = s3_code_errno(str_of(entry->code), 0);
	key->look = error == -ESTALE && call->ambiguous;
	key->single = key->look || is_passing(entry->code);
	key_end(key, error, entry->code);
}

static void purge_begin(struct purge *purge);

/* A caller of a service that is not known to enforce conditions has looked just before, so they may be left
 * out.
 */
static bool set_refused_for_etags(
	const struct purge *purge, const struct call *call, const struct s3_answer *answer)
{
	return call->error != 0 && answer->status == 400 && strcmp(answer->error.code, "MalformedXML") == 0 &&
	       purge->has_etags && account_trait(purge->account, TRAIT_DELETE_IF_MATCH) != TRAIT_YES;
}

static void set_done(struct call *call, const struct s3_answer *answer)
{
	struct purge_slot *slot = call->user;
	struct purge *purge = slot->purge;
	slot->key = NULL;
	if (set_refused_for_etags(purge, call, answer)) {
		account_learn(purge->account, TRAIT_DELETE_SET_MATCH, false);
		account_learn(purge->account, TRAIT_DELETE_IF_MATCH, false);
		purge_begin(purge);
		return;
	}
	if (is_cut_off(call))
		log_unknown(purge, purge->keys[0].key, purge->set->count);
	if (call->error != 0)
		note_answer(purge, answer);
	else
		memcpy(purge->request_id, answer->request_id, sizeof(purge->request_id));
	for (unsigned i = 0; i < purge->set->count; i++) {
		struct delete_entry *entry = &purge->set->entries[i];
		struct purge_key *key = entry->user;
		if (call->error == -EOPNOTSUPP)
			key->single = true;
		else if (call->error != 0)
			key_end_whole(key, call->error, answer->error.code);
		else
			take_result(purge, entry, call);
	}
	singles_pump(purge);
}

static int set_fill(struct purge *purge)
{
	bool conditional = account_trait(purge->account, TRAIT_DELETE_IF_MATCH) != TRAIT_NO;
	int error = 0;
	if (purge->set)
		delete_set_clear(purge->set);
	else
		error = delete_set_new(&purge->set);
	purge->has_etags = false;
	for (unsigned i = 0; i < purge->count && error == 0; i++) {
		struct purge_key *key = &purge->keys[i];
		key->single = key->version.data || goes_alone(purge, key);
		if (key->single)
			continue;
		error = delete_set_add(purge->set, key->key, conditional ? key->etag : STR_NONE, key);
		purge->has_etags |= conditional && key->etag.data;
		if (error == -EINVAL || error == -EEXIST) {
			key->single = true;
			error = 0;
		}
	}
	buf_release(&purge->body);
	buf_init(&purge->body, BODY_MAX);
	if (error == 0 && purge->set->count > 0)
		error = delete_set_body(purge->set, &purge->body);
	return error;
}

static void set_start(struct purge *purge)
{
	struct purge_slot *slot = &purge->slots[0];
	struct call *call = &slot->call;
	slot->purge = purge;
	slot->key = &purge->keys[0];
	call_init(call);
	call->request.op = S3_DELETE_OBJECTS;
	call->request.bucket = purge->bucket;
	call->request.body = buf_str(&purge->body);
	call->account = purge->account;
	call->sinks.deletes = purge->set;
	call->expect_keys = purge->set->count;
	call->flags = purge->call_flags;
	call->on_done = set_done;
	call->user = slot;
	call_start(purge->worker, call);
}

static void begin_singles(struct task *task, struct worker *worker)
{
	singles_pump((struct purge *)((char *)task - offsetof(struct purge, task)));
}

static void purge_begin(struct purge *purge)
{
	int error = set_fill(purge);
	if (error != 0) {
		for (unsigned i = 0; i < purge->count; i++) {
			purge->keys[i].single = false;
			key_end_whole(&purge->keys[i], error, "");
		}
	}
	if (error == 0 && purge->set->count > 0) {
		set_start(purge);
		return;
	}
	purge->task.run = begin_singles;
	worker_post(purge->worker, &purge->task);
}

void purge_start(struct worker *worker, struct purge *purge)
{
	purge->worker = worker;
	purge_begin(purge);
}

void purge_cancel(struct purge *purge)
{
	purge->cancelled = true;
	for (unsigned i = 0; i < PURGE_SINGLES; i++) {
		struct purge_slot *slot = &purge->slots[i];
		if (!slot->key)
			continue;
		if (slot->call.state == CALL_ACTIVE)
			slot->call.flags |= CALL_ONCE | CALL_LAST;
		else
			call_cancel(&slot->call);
	}
}
