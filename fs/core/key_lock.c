/*
 * Keys lie in a hash table by "bucket/key", prefixes in a list: many keys are claimed at once (every copy
 * under way), few prefixes.  A new claim is compared with every item that may conflict; for each claim that
 * stands before it an edge (claim_wait) is hung on that claim, and `blockers` of the new one counts its
 * edges.
 *
 *   entered  is_granted  blockers   edges on it
 *   no       -           -          none          its items are private to the caller
 *   yes      no          > 0        some or none  waits
 *   yes      yes         0          some or none  holds
 *
 * An edge goes from an earlier to a later claim only, so there is no cycle.  Waiters of a key and its earlier
 * holders are connected pairwise and not only in a row, since prior_error is the first error among all of
 * them.
 */
#include "fs/core/key_lock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "engine/account/account.h"

enum {
	SLOTS = 16384
}; /* keys under way at once are bounded by the requests in flight and parked: some thousands */

struct claim_wait {
	struct claim *waiter;
	struct claim *on;
	struct claim_wait *next; /* of those who wait for `on` */
	struct claim_wait *other; /* of those made together */
};

struct claims {
	pthread_mutex_t lock;
	struct claim_item *slots[SLOTS];
	struct claim_item *keys, *prefixes;
	atomic_uint count; /* changed under lock */
};

/* The claims that this thread grants once it holds no lock and is in no `granted`. */
static _Thread_local struct claim *ready_first, **ready_last;
static _Thread_local bool granting;

int claims_new(struct claims **ret)
{
	struct claims *claims = calloc(1, sizeof(*claims));

	if (!claims)
		return -ENOMEM;
	int error = pthread_mutex_init(&claims->lock, NULL);

	if (error) {
		free(claims);
		return -error;
	}
	*ret = claims;
	return 0;
}

void claims_free(struct claims *claims)
{
	if (!claims)
		return;
	assert(atomic_load(&claims->count) == 0);
	pthread_mutex_destroy(&claims->lock);
	free(claims);
}

static uint64_t key_lock_hash_name(struct str name)
{
	uint64_t hash = str_hash(STR_HASH_START, name);

	return hash ^ (hash >> 32);
}

static struct str item_name(const struct claim_item *item)
{
	return str_n(item->name, item->name_len);
}

static int name_make(struct claim_item *item, struct str bucket, struct str key)
{
	size_t len = bucket.len + 1 + key.len;
	char *name = malloc(len + 1);

	if (!name)
		return -ENOMEM;
	memcpy(name, bucket.data, bucket.len);
	name[bucket.len] = '/';
	if (key.len > 0)
		memcpy(name + bucket.len + 1, key.data, key.len);
	name[len] = '\0';
	item->name = name;
	item->name_len = (unsigned)len;
	return 0;
}

int claim_add(struct claim *claim, struct account *account, struct str bucket, struct str key, bool prefix,
	bool exclusive)
{
	if (claim->count == CLAIM_ITEMS_MAX)
		return -E2BIG;
	struct claim_item *item = &claim->items[claim->count];

	*item = (struct claim_item){
		.account = account, .prefix = prefix, .exclusive = exclusive, .claim = claim};
	int error = name_make(item, bucket, key);

	if (error < 0)
		return error;
	item->hash = key_lock_hash_name(item_name(item));
	claim->count++;
	return 0;
}

/* Do they name, as keys or prefixes, anything in common? */
static bool items_meet(const struct claim_item *a, const struct claim_item *b)
{
	if (a->account != b->account && !account_same_service(a->account, b->account))
		return false;
	if (a->prefix && str_has_prefix(item_name(b), item_name(a)))
		return true;
	if (b->prefix && str_has_prefix(item_name(a), item_name(b)))
		return true;
	return a->hash == b->hash && str_eq(item_name(a), item_name(b));
}

/* Calls visit for every entered item that meets this one; ends with what visit returns other than 0.  Lock
 * held. */
static int each_meeting(struct claims *claims, struct claim_item *item,
	int (*visit)(struct claim_item *found, void *user), void *user)
{
	for (struct claim_item *at = claims->prefixes; at; at = at->next) {
		int result = items_meet(at, item) ? visit(at, user) : 0;

		if (result)
			return result;
	}
	struct claim_item *at = item->prefix ? claims->keys : claims->slots[item->hash % SLOTS];

	while (at) {
		int result = items_meet(at, item) ? visit(at, user) : 0;

		if (result)
			return result;
		at = item->prefix ? at->next : at->chain_next;
	}
	return 0;
}

struct entering {
	struct claim *claim;
	bool exclusive; /* the item that is looked at */
	struct claim_wait *made;
};

static int add_wait(struct claim_item *found, void *user)
{
	struct entering *entering = user;
	struct claim *on = found->claim;

	if (!found->exclusive && !entering->exclusive)
		return 0;
	/* All edges of one claim are made in a row, so one that is there already is the newest. */
	if (on->waits && on->waits->waiter == entering->claim)
		return 0;
	struct claim_wait *wait = malloc(sizeof(*wait));

	if (!wait)
		return -ENOMEM;
	*wait = (struct claim_wait){
		.waiter = entering->claim, .on = on, .next = on->waits, .other = entering->made};
	on->waits = wait;
	entering->made = wait;
	entering->claim->blockers++;
	return 0;
}

static void list_push(struct claim_item **list, struct claim_item *item)
{
	item->prev = NULL;
	item->next = *list;
	if (*list)
		(*list)->prev = item;
	*list = item;
}

static void item_enter(struct claims *claims, struct claim_item *item)
{
	struct claim_item **slot = &claims->slots[item->hash % SLOTS];

	list_push(item->prefix ? &claims->prefixes : &claims->keys, item);
	if (item->prefix)
		return;
	item->chain_prev = NULL;
	item->chain_next = *slot;
	if (*slot)
		(*slot)->chain_prev = item;
	*slot = item;
}

static void item_leave(struct claims *claims, struct claim_item *item)
{
	if (item->prev)
		item->prev->next = item->next;
	else
		*(item->prefix ? &claims->prefixes : &claims->keys) = item->next;
	if (item->next)
		item->next->prev = item->prev;
	if (item->prefix)
		return;
	if (item->chain_prev)
		item->chain_prev->chain_next = item->chain_next;
	else
		claims->slots[item->hash % SLOTS] = item->chain_next;
	if (item->chain_next)
		item->chain_next->chain_prev = item->chain_prev;
}

static void undo_waits(struct entering *entering)
{
	while (entering->made) {
		struct claim_wait *wait = entering->made;

		assert(wait->on->waits == wait);
		wait->on->waits = wait->next;
		entering->made = wait->other;
		free(wait);
	}
	entering->claim->blockers = 0;
}

int claim_take(struct claims *claims, struct claim *claim)
{
	struct entering entering = {.claim = claim};
	int result = 0;

	assert(!claim->entered && claim->count > 0);
	claim->blockers = 0;
	claim->prior_error = 0;
	claim->waits = NULL;
	pthread_mutex_lock(&claims->lock);
	for (unsigned i = 0; i < claim->count && result == 0; i++) {
		entering.exclusive = claim->items[i].exclusive;
		result = each_meeting(claims, &claim->items[i], add_wait, &entering);
	}
	if (result < 0) {
		undo_waits(&entering);
	} else {
		for (unsigned i = 0; i < claim->count; i++)
			item_enter(claims, &claim->items[i]);
		claim->entered = true;
		claim->is_granted = claim->blockers == 0;
		atomic_fetch_add_explicit(&claims->count, 1, memory_order_relaxed);
		result = claim->is_granted;
	}
	pthread_mutex_unlock(&claims->lock);
	return result;
}

/* Takes the claim's edges away and makes ready who has no other obstacle.  Edges were hung on newest first;
 * the ready are to be called oldest first.  Lock held. */
static struct claim *key_lock_leave(struct claims *claims, struct claim *claim, int error)
{
	struct claim *ready = NULL;

	for (unsigned i = 0; i < claim->count; i++)
		item_leave(claims, &claim->items[i]);
	while (claim->waits) {
		struct claim_wait *wait = claim->waits;
		struct claim *waiter = wait->waiter;

		claim->waits = wait->next;
		free(wait);
		if (error && !waiter->prior_error)
			waiter->prior_error = error;
		assert(waiter->blockers > 0);
		if (--waiter->blockers > 0)
			continue;
		waiter->is_granted = true;
		/* One without a callback may be released and freed by its owner from now on. */
		if (!waiter->granted)
			continue;
		waiter->ready_next = ready;
		ready = waiter;
	}
	atomic_fetch_sub_explicit(&claims->count, 1, memory_order_relaxed);
	return ready;
}

static void grant(struct claim *ready)
{
	if (!ready_first)
		ready_last = &ready_first;
	*ready_last = ready;
	while (*ready_last)
		ready_last = &(*ready_last)->ready_next;
	if (granting)
		return;
	granting = true;
	while (ready_first) {
		struct claim *claim = ready_first;

		ready_first = claim->ready_next;
		if (!ready_first)
			ready_last = &ready_first;
		claim->ready_next = NULL;
		claim->granted(claim);
	}
	granting = false;
}

void claim_release(struct claims *claims, struct claim *claim, int error)
{
	struct claim *ready = NULL;

	if (claim->entered) {
		pthread_mutex_lock(&claims->lock);
		assert(claim->is_granted);
		ready = key_lock_leave(claims, claim, error);
		pthread_mutex_unlock(&claims->lock);
	}
	for (unsigned i = 0; i < claim->count; i++)
		free(claim->items[i].name);
	claim->count = 0;
	claim->entered = claim->is_granted = false;
	grant(ready);
}

bool claim_granted(struct claims *claims, struct claim *claim)
{
	pthread_mutex_lock(&claims->lock);
	bool granted = claim->is_granted;

	pthread_mutex_unlock(&claims->lock);
	return granted;
}

static int is_exclusive(struct claim_item *found, void *user)
{
	return found->exclusive;
}

bool claims_busy(
	struct claims *claims, struct account *account, struct str bucket, struct str key, bool prefix)
{
	struct claim_item item = {.account = account, .prefix = prefix};

	if (claims_count(claims) == 0 || name_make(&item, bucket, key) < 0)
		return false;
	item.hash = key_lock_hash_name(item_name(&item));
	pthread_mutex_lock(&claims->lock);
	bool busy = each_meeting(claims, &item, is_exclusive, NULL) != 0;

	pthread_mutex_unlock(&claims->lock);
	free(item.name);
	return busy;
}

unsigned claims_count(struct claims *claims)
{
	return atomic_load_explicit(&claims->count, memory_order_relaxed);
}
