#include "fs/ops/unchanged.h"

#include <errno.h>
#include <stdio.h>

#include "fs/core/place.h"

static const struct str impossible_etag = {.data = "ferryfs-probe", .len = 13};

static void unchanged_look(struct unchanged *unchanged);

static void unchanged_finish(struct unchanged *unchanged, int error, const struct s3_answer *answer)
{
	unchanged->error = error;
	unchanged->on_done(unchanged, answer);
}

static bool is_gone(const struct call *call, const struct s3_answer *answer)
{
	return call->error == -ENOENT && strcmp(answer->error.code, "NoSuchBucket") != 0;
}

static void ops_unchanged_prepare(struct unchanged *unchanged, enum s3_op op,
	void (*on_done)(struct call *call, const struct s3_answer *answer))
{
	struct call *call = &unchanged->call;

	call_init(call);
	call->request.op = op;
	call->request.bucket = unchanged->bucket;
	call->request.key = unchanged->key;
	call->account = unchanged->account;
	call->on_done = on_done;
	call->user = unchanged;
}

static void unchanged_on_deleted(struct call *call, const struct s3_answer *answer);

/* if_match: STR_NONE: any version. */
static void delete (struct unchanged *unchanged, struct str if_match)
{
	ops_unchanged_prepare(unchanged, S3_DELETE_OBJECT, unchanged_on_deleted);
	unchanged->call.request.if_match = if_match;
	call_start(unchanged->worker, &unchanged->call);
}

static void unchanged_on_probed(
	struct unchanged *unchanged, const struct call *call, const struct s3_answer *answer)
{
	unchanged->probing = false;
	if (call->error == 0) {
		account_learn(unchanged->account, TRAIT_DELETE_IF_MATCH, false);
		unchanged_finish(unchanged, 0, answer);
	} else if (call->error == -ESTALE) {
		account_learn(unchanged->account, TRAIT_DELETE_IF_MATCH, true);
		delete (unchanged, str_of(unchanged->etag));
	} else if (call->error == -EOPNOTSUPP) {
		account_learn(unchanged->account, TRAIT_DELETE_IF_MATCH, false);
		delete (unchanged, STR_NONE);
	} else {
		unchanged_finish(unchanged, is_gone(call, answer) ? 0 : call->error, answer);
	}
}

static void unchanged_on_deleted(struct call *call, const struct s3_answer *answer)
{
	struct unchanged *unchanged = call->user;

	if (unchanged->probing) {
		unchanged_on_probed(unchanged, call, answer);
	} else if (call->error == -ESTALE && !unchanged->refused) {
		unchanged->refused = true;
		unchanged_look(unchanged);
	} else {
		unchanged_finish(unchanged, is_gone(call, answer) ? 0 : call->error, answer);
	}
}

/* Does the HEAD show the version that was taken? */
static bool is_version(const struct unchanged *unchanged, const struct s3_answer *answer)
{
	if (unchanged->version.hash)
		return taken_hash(answer->etag) == unchanged->version.hash;
	return answer->mtime != 0 &&
	       answer->mtime < unchanged->version.before + account_clock_offset(unchanged->account);
}

static void unchanged_on_looked(struct call *call, const struct s3_answer *answer)
{
	struct unchanged *unchanged = call->user;
	enum account_answer enforced = account_trait(unchanged->account, TRAIT_DELETE_IF_MATCH);

	if (call->error < 0) {
		unchanged_finish(unchanged, is_gone(call, answer) ? 0 : call->error, answer);
		return;
	}
	if (!is_version(unchanged, answer)) {
		unchanged_finish(unchanged, -EBUSY, answer);
		return;
	}
	snprintf(unchanged->etag, sizeof(unchanged->etag), "%s", answer->etag);
	if (!unchanged->refused && enforced == TRAIT_YES) {
		delete (unchanged, str_of(unchanged->etag));
	} else if (!unchanged->refused && enforced == TRAIT_UNKNOWN) {
		unchanged->probing = true;
		delete (unchanged, impossible_etag);
	} else if (unchanged->look_only) {
		unchanged->looked = true;
		unchanged_finish(unchanged, 0, answer);
	} else {
		delete (unchanged, STR_NONE);
	}
}

static void unchanged_look(struct unchanged *unchanged)
{
	ops_unchanged_prepare(unchanged, S3_HEAD_OBJECT, unchanged_on_looked);
	call_start(unchanged->worker, &unchanged->call);
}

static void unchanged_run(struct task *task, struct worker *worker)
{
	struct unchanged *unchanged =
		(struct unchanged *)((char *)task - offsetof(struct unchanged, call.task));

	if (unchanged_at_once(unchanged) && !unchanged->refused)
		delete (unchanged, str_of(unchanged->etag));
	else
		unchanged_look(unchanged);
}

bool unchanged_at_once(const struct unchanged *unchanged)
{
	return unchanged->etag[0] && account_trait(unchanged->account, TRAIT_DELETE_IF_MATCH) == TRAIT_YES;
}

void unchanged_post(struct worker *worker, struct unchanged *unchanged)
{
	unchanged->worker = worker;
	call_init(&unchanged->call);
	unchanged->call.task.run = unchanged_run;
	worker_post(worker, &unchanged->call.task);
}

bool unchanged_prepare(struct unchanged *unchanged, struct taken *taken, pid_t pid, const struct node *node,
	const struct place *place)
{
	const struct node_attr *attr = &node->attr;

	if (!taken_find(taken, pid, place, &unchanged->version))
		return false;
	unchanged->account = place->account;
	unchanged->etag[0] = '\0';
	/* The node shows that version, or may show it: else a HEAD tells. */
	if (attr->etag &&
		(unchanged->version.hash ? taken_hash(attr->etag) == unchanged->version.hash
					 : attr->mtime != 0 && attr->mtime < unchanged->version.before +
										     account_clock_offset(
											     place->account)))
		snprintf(unchanged->etag, sizeof(unchanged->etag), "%s", attr->etag);
	return true;
}
