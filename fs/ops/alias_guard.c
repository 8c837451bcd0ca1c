#include "fs/ops/alias_guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "fs/core/place.h"
#include "fs/early/early.h"
#include "fs/file/taken.h"

/* The question: the place, and the thread that must have read the file; thread 0: any thread. */
struct guard_wish {
	const struct place *place;
	pid_t thread;
};

/* ---- FIND; hub.lock held ---- */

/* The file of this key below a bucket's node, if the kernel or a listing has asked for it. */
static const struct node *file_below(struct hub *hub, const struct node *bucket, struct str key)
{
	const struct node *at = bucket;

	while (at && key.len > 0) {
		const char *slash = memchr(key.data, '/', key.len);
		size_t len = slash ? (size_t)(slash - key.data) : key.len;

		at = nodes_child(hub->nodes, at, str_n(key.data, len));
		key = str_skip(key, len + (slash != NULL));
	}
	return at && at->kind == NODE_FILE && !at->gone ? at : NULL;
}

/* Does this bucket have a file of this key, under another bucket name that may mean the same bucket? */
static bool is_concerned(
	struct hub *hub, const struct node *bucket, const struct guard_wish *wish, struct place *ret)
{
	const struct place *place = wish->place;
	struct taken_version version;
	const struct node *file = file_below(hub, bucket, place_key(place));

	if (!file || node_place(file, ret) < 0)
		return false;
	const struct twins_name ours = {place->account, place_bucket(place)};
	const struct twins_name theirs = {ret->account, place_bucket(ret)};

	/* The same name: the same node. */
	if (str_eq(ours.bucket, theirs.bucket) &&
		(ours.account == theirs.account || account_same_service(ours.account, theirs.account)))
		return false;
	if (wish->thread > 0 && !taken_find(hub->taken, wish->thread, ret, &version))
		return false;
	return twins_known(&ours, &theirs) != TWINS_NO;
}

static bool alias_guard_find_below(
	struct hub *hub, const struct node *above, const struct guard_wish *wish, struct place *ret)
{
	for (const struct node *child = above->children; child; child = child->child_next) {
		if (child->kind == NODE_SERVICE
				? alias_guard_find_below(hub, child, wish, ret)
				: child->kind == NODE_BUCKET && is_concerned(hub, child, wish, ret))
			return true;
	}
	return false;
}

static bool alias_guard_find(struct hub *hub, const struct guard_wish *wish, struct place *ret)
{
	const struct node *root = nodes_find(hub->nodes, FUSE_ROOT_ID);

	return root && (root->kind == NODE_HUB || root->kind == NODE_SERVICE) &&
	       alias_guard_find_below(hub, root, wish, ret);
}

bool guard_wanted(struct hub *hub, const struct place *place)
{
	struct place other;

	return alias_guard_find(hub, &(struct guard_wish){.place = place}, &other);
}

bool guard_wanted_by(struct hub *hub, const struct place *place, pid_t thread)
{
	struct place other;

	return thread > 0 &&
	       alias_guard_find(hub, &(struct guard_wish){.place = place, .thread = thread}, &other);
}

/* ---- the steps ---- */

static bool find_next(struct guard *guard)
{
	const struct guard_wish wish = {.place = guard->place, .thread = guard->replaces ? guard->thread : 0};
	struct place other;

	hub_lock(guard->hub);
	bool found = alias_guard_find(guard->hub, &wish, &other);

	if (found) {
		snprintf(guard->bucket, sizeof(guard->bucket), "%s", other.bucket);
		guard->other = (struct twins_name){other.account, str_of(guard->bucket)};
	}
	hub_unlock(guard->hub);
	return found;
}

static const char *alias_guard_consequence(const struct guard *guard, bool known)
{
	if (guard->replaces)
		return known ? "not replaced: the program has read it under another name of its bucket or "
			       "service"
			     : "not replaced: the program may have read it under another name of its bucket "
			       "or "
			       "service, which could not be found out";
	return known ? "not removed: it is shown under another name of its bucket or service as well, and "
		       "may be "
		       "about to be read there; rm removes it"
		     : "not removed: it may be shown under another name of its bucket or service as well, "
		       "which "
		       "could not be found out; rm removes it";
}

static void alias_guard_refuse(struct guard *guard)
{
	bool known = guard->twins.verdict == TWINS_YES;

	log_call(LOG_LEVEL_ERROR,
		&(struct log_call){
			.what = guard->what,
			.bucket = place_bucket(guard->place),
			.key = place_key(guard->place),
			.error = -EBUSY,
			.answer = !known && guard->twins.answer.status ? &guard->twins.answer : NULL,
			.consequence = alias_guard_consequence(guard, known),
		});
	guard->on_done(guard, -EBUSY);
}

static void alias_guard_settle(struct guard *guard);

static void alias_guard_on_settled(struct twins *twins)
{
	struct guard *guard = twins->user;

	if (twins->verdict != TWINS_NO)
		alias_guard_refuse(guard);
	else if (find_next(guard))
		alias_guard_settle(guard);
	else
		guard->on_done(guard, 0);
}

static void alias_guard_settle(struct guard *guard)
{
	guard->twins = (struct twins){
		.a = {guard->place->account, place_bucket(guard->place)},
		.b = guard->other,
		.key = place_key(guard->place),
		.on_done = alias_guard_on_settled,
		.user = guard,
	};
	twins_start(guard->worker, &guard->twins);
}

static void alias_guard_on_resolved(struct resolve *resolve)
{
	struct guard *guard = resolve->user;

	if (resolve->pidfd >= 0)
		close(resolve->pidfd);
	if (resolve->caller.tool == CALLER_RM)
		guard->on_done(guard, 0);
	else
		alias_guard_settle(guard);
}

static void guard_start(struct guard *guard)
{
	struct early *early = guard->hub->early;

	if (!find_next(guard)) {
		guard->on_done(guard, 0);
		return;
	}
	guard->resolve = (struct resolve){.pid = guard->thread,
		.uid = guard->uid,
		.question = CALLER_WHO,
		.on_done = alias_guard_on_resolved,
		.user = guard};
	if (guard->replaces || !early || guard->thread <= 0 ||
		resolver_ask(early->resolver, &guard->resolve) < 0)
		alias_guard_settle(guard);
}

int guard_begin(const struct parked *parked, const struct guard *given, struct guard **ret)
{
	struct guard *guard = malloc(sizeof(*guard));

	if (!guard)
		return -ENOMEM;
	*guard = *given;
	guard->hub = parked->hub;
	guard->worker = engine_pick(parked->hub->engine);
	guard->thread = parked->thread;
	guard->uid = parked->uid;
	*ret = guard;
	guard_start(guard);
	return 0;
}
