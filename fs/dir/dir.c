/*
 * What is known of a directory, as struct dir, made when the first thing is known and freed with the node.
 *
 *   whole  listed   meaning
 *   false  -        nothing is known for sure; `held` children are those of a listing under way
 *   true   moment   every child is a node and is held; believed until `known_ms` + cache_ttl
 *
 * With a tail every child at or after it is a node; those that came since are held.  One that is not, and is
 * freed although it may exist, ends the tail.
 *
 * Invariants: a dir is in hub.dirs exactly when it holds a child, is whole or has a tail; hub.dirs.held is the sum of all
 * dir.held; a node with `held` set is not gone and its parent's dir counts it.  `epoch` rises whenever
 * knowledge, present or in the making, was shaken: a listing that began in another epoch makes nothing whole.
 */
#include "fs/dir/dir.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "fs/core/notify.h"
#include "fs/core/place.h"
#include "fs/dir/dir_tail.h"
#include "fs/core/view.h"

enum {
	MISS_WINDOW_MS = 2000, /* two misses of one process so close together are a habit */
	TAIL_PAUSE_MS = 2000, /* how long a page of names is not asked for again */
	FETCH_PAUSE_MS = 60000, /* how long a directory whose fetch made nothing whole is left alone */
	REMOVED_SLOTS_FIRST = 64, /* a power of two */
};

struct dir {
	struct node *node; /* lent: the directory itself */
	struct dirs *dirs; /* NULL: not in the list */
	struct dir *older, *newer;
	unsigned held;
	unsigned epoch;
	bool whole;
	int8_t marker; /* -1: not known */
	bool marker_plain;
	uint64_t known_ms;
	struct dir_tail tail;
	char *asked_to; /* the last key of the page after a name that was asked for at asked_ms; owned */
	uint64_t asked_ms;
	/* watchers, and the names removed while there are any: hashes, open addressing, 0 is free */
	unsigned watchers;
	uint64_t *removed;
	unsigned removed_count, removed_slots;
	bool removed_lost; /* there were too many: nothing that is not a node already is believed */
	bool too_long; /* more children than may be held: this listing makes nothing whole */
	/* misses */
	pid_t miss_pid;
	uint64_t miss_ms;
	uint64_t fetched_ms; /* when a fetch began that has made nothing whole; 0: none */
};

static struct dir *dir_get(struct node *directory)
{
	struct dir *dir = directory->dir;

	if (dir)
		return dir;
	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return NULL;
	dir->node = directory;
	dir->marker = -1;
	directory->dir = dir;
	return dir;
}

static void list_remove(struct dir *dir)
{
	struct dirs *dirs = dir->dirs;

	if (!dirs)
		return;
	*(dir->older ? &dir->older->newer : &dirs->oldest) = dir->newer;
	*(dir->newer ? &dir->newer->older : &dirs->newest) = dir->older;
	dir->older = dir->newer = NULL;
	dir->dirs = NULL;
}

static void list_append(struct dirs *dirs, struct dir *dir)
{
	list_remove(dir);
	dir->dirs = dirs;
	dir->older = dirs->newest;
	*(dirs->newest ? &dirs->newest->newer : &dirs->oldest) = dir;
	dirs->newest = dir;
}

static uint64_t ttl(const struct node *directory)
{
	const struct view *view = node_view(directory);

	return view ? view->cache_ttl_ms : 0;
}

bool dir_whole(const struct node *directory, uint64_t now_ms)
{
	const struct dir *dir = directory->dir;

	return dir && dir->whole && now_ms < dir->known_ms + ttl(directory);
}

static bool tail_fresh(const struct dir *dir, uint64_t now_ms)
{
	return dir->tail.key && now_ms < dir->tail.asked_ms + ttl(dir->node);
}

bool dir_nothing_at(const struct hub *hub, const struct node *directory, struct str key, uint64_t now_ms)
{
	const struct dir *dir = directory->dir;

	return dir && tail_fresh(dir, now_ms) && dir_tail_covers(&dir->tail, key, hub->dirs.moves);
}

/* Lets the held children go and with them, perhaps, the directory's own node: the caller holds a ref on that.
 */
static void let_go(struct hub *hub, struct dir *dir)
{
	struct node *child = dir->node->children;

	dir->whole = false;
	dir->epoch++;
	dir_tail_drop(&dir->tail);
	while (child && dir->held > 0) {
		struct node *next = child->child_next;

		if (child->held) {
			child->held = false;
			dir->held--;
			hub->dirs.held--;
			node_unref(hub->nodes, child);
		}
		child = next;
	}
	assert(dir->held == 0);
	list_remove(dir);
}

struct node *dir_node(const struct dir *dir)
{
	return dir->node;
}

void dir_doubt(struct hub *hub, struct node *directory)
{
	if (!directory->dir)
		return;
	node_ref(directory);
	let_go(hub, directory->dir);
	node_unref(hub->nodes, directory);
}

/* Gives up knowledge that is no longer fresh, and the oldest while too much is held.  keep stays. */
static void reap(struct hub *hub, const struct dir *keep)
{
	uint64_t now = clock_ms();

	for (;;) {
		struct dir *dir = hub->dirs.oldest;

		if (dir == keep && dir)
			dir = dir->newer;
		if (!dir)
			return;
		bool stale = dir->watchers == 0 && !dir_whole(dir->node, now) && !tail_fresh(dir, now);

		if (!stale && hub->dirs.held < DIR_HELD_MAX)
			return;
		dir_doubt(hub, dir->node);
	}
}

void dirs_reap(struct hub *hub)
{
	reap(hub, NULL);
}

int dir_born(struct hub *hub, struct node *directory)
{
	struct dir *dir = dir_get(directory);

	if (!dir)
		return -ENOMEM;
	dir->whole = true;
	dir->known_ms = clock_ms();
	list_append(&hub->dirs, dir);
	for (struct node *child = directory->children; child; child = child->child_next)
		dir_child_added(hub, child);
	reap(hub, dir);
	return 0;
}

void dir_free(struct node *directory)
{
	struct dir *dir = directory->dir;

	if (!dir)
		return;
	list_remove(dir);
	dir_tail_drop(&dir->tail);
	free(dir->asked_to);
	free(dir->removed);
	free(dir);
	directory->dir = NULL;
}

void dir_child_added(struct hub *hub, struct node *child)
{
	struct node *directory = child->parent;
	struct dir *dir = directory ? directory->dir : NULL;

	if (!dir || child->held || child->gone || dir->too_long)
		return;
	if (!dir->whole && !dir->tail.key && dir->watchers == 0)
		return;
	if (hub->dirs.held >= DIR_HELD_MAX)
		reap(hub, dir);
	if (hub->dirs.held >= DIR_HELD_MAX || dir->held >= DIR_HELD_MAX / 2) {
		/* One directory longer than what may be held: it is never whole. */
		if (dir->held > 0 || dir->whole || dir->tail.key)
			dir_doubt(hub, directory);
		dir->too_long = true;
		return;
	}
	node_ref(child);
	child->held = true;
	if (!dir->dirs)
		list_append(&hub->dirs, dir);
	dir->held++;
	hub->dirs.held++;
}

/* The node is freed, and the directory no longer knows that the name exists. */
static void child_lost(struct dir *dir, const struct node *child)
{
	struct place place;

	dir->whole = false;
	dir->epoch++;
	if (dir->tail.key && (node_place(child, &place) < 0 ||
				     dir_tail_covers(&dir->tail, place_key(&place), dir->tail.moves)))
		dir_tail_drop(&dir->tail);
}

void dir_child_leaves(struct node *child)
{
	struct dir *dir = child->parent ? child->parent->dir : NULL;

	if (child->held) {
		child->held = false;
		assert(child->refs > 1 || child->lookups > 0);
		child->refs--;
		if (dir) {
			dir->held--;
			dir->dirs->held--;
			if (dir->held == 0 && !dir->whole && !dir->tail.key)
				list_remove(dir);
		}
		return;
	}
	if (dir && !child->gone && child->refs == 0 && child->lookups == 0)
		child_lost(dir, child);
}

void dir_landed(const struct node *child)
{
	struct node *directory = child->parent;

	for (; directory && directory->kind == NODE_DIR && directory->local; directory = directory->parent) {
		directory->local = false;
		/* A listing that was asked for before knows nothing of it. */
		directory->attr.fetched_ms = clock_ms();
	}
}

bool dir_has_other(const struct node *directory, const struct node *child)
{
	uint64_t now = clock_ms();
	bool whole = dir_whole(directory, now);

	for (const struct node *other = directory->children; other; other = other->child_next) {
		if (other == child || other->local || (other->kind == NODE_FILE && other->draft))
			continue;
		if (whole || (other->kind == NODE_FILE && node_attr_fresh(other, now)))
			return true;
	}
	return false;
}

/* ---- watchers ---- */

/* Never 0.  A collision only makes less believed. */
static uint64_t name_hash(struct str name)
{
	uint64_t hash = str_hash(STR_HASH_START, name);

	return hash ? hash : 1;
}

static uint64_t *removed_slot(uint64_t *slots, unsigned count, uint64_t hash)
{
	unsigned at = (unsigned)(hash >> 20) & (count - 1);

	while (slots[at] && slots[at] != hash)
		at = (at + 1) & (count - 1);
	return &slots[at];
}

static bool removed_grow(struct dir *dir)
{
	unsigned slots = dir->removed_slots ? 2 * dir->removed_slots : REMOVED_SLOTS_FIRST;
	uint64_t *grown = dir->removed_count < DIR_REMOVED_MAX ? calloc(slots, sizeof(*grown)) : NULL;

	if (!grown)
		return false;
	for (unsigned i = 0; i < dir->removed_slots; i++) {
		if (dir->removed[i])
			*removed_slot(grown, slots, dir->removed[i]) = dir->removed[i];
	}
	free(dir->removed);
	dir->removed = grown;
	dir->removed_slots = slots;
	return true;
}

void dir_removed(struct node *directory, struct str name)
{
	struct dir *dir = directory->dir;

	if (!dir || dir->watchers == 0)
		return;
	if (2 * (dir->removed_count + 1) > dir->removed_slots && !removed_grow(dir)) {
		dir->removed_lost = true;
		return;
	}
	uint64_t hash = name_hash(name);
	uint64_t *slot = removed_slot(dir->removed, dir->removed_slots, hash);

	if (!*slot)
		dir->removed_count++;
	*slot = hash;
}

void dir_watch_begin(struct hub *hub, struct node *directory, struct dir_watch *ret)
{
	struct dir *dir = dir_get(directory);

	reap(hub, dir);
	*ret = (struct dir_watch){
		.directory = node_ref(directory),
		.started_ms = clock_ms(),
		.epoch = dir ? dir->epoch : 0,
		.doubted = !dir,
	};
	if (dir)
		dir->watchers++;
}

bool dir_watch_believable(const struct dir_watch *watch)
{
	const struct dir *dir = watch->directory->dir;

	return !watch->doubted && dir && !dir->removed_lost;
}

bool dir_watch_removed(const struct dir_watch *watch, struct str name)
{
	const struct dir *dir = watch->directory->dir;

	if (watch->doubted || !dir)
		return false;
	return dir->removed_slots > 0 &&
	       *removed_slot(dir->removed, dir->removed_slots, name_hash(name)) != 0;
}

/* Names that a complete listing did not show, and that no operation here is making, are no more. */
static void dir_vanish(struct hub *hub, struct node *directory, uint64_t started_ms)
{
	struct node *child = directory->children;

	while (child) {
		struct node *next = child->child_next;
		bool seen = child->local || child->draft || child->pins > 0 ||
			    child->attr.fetched_ms >= started_ms;
		struct place place;

		if (!seen && child->emptied)
			seen = true;
		else if (!seen && node_place(child, &place) == 0)
			seen = claims_busy(hub->claims, place.account, place_bucket(&place),
				place_key(&place), child->kind == NODE_DIR);
		if (!seen) {
			node_ref(child);
			notify_entry(hub, directory->ino, str_n(child->name, child->name_len));
			nodes_detach(hub->nodes, child);
			node_unref(hub->nodes, child);
		}
		child = next;
	}
}

void dir_watch_listed(struct hub *hub, struct dir_watch *watch)
{
	struct node *directory = watch->directory;
	struct dir *dir = directory->dir;

	if (!dir_watch_believable(watch) || dir->too_long || dir->epoch != watch->epoch || directory->gone)
		return;
	dir_vanish(hub, directory, watch->started_ms);
	for (struct node *child = directory->children; child && dir->epoch == watch->epoch;
		child = child->child_next)
		dir_child_added(hub, child);
	if (dir->epoch != watch->epoch)
		return;
	dir->whole = true;
	dir->known_ms = watch->started_ms;
	dir->fetched_ms = 0;
	list_append(&hub->dirs, dir);
}

void dir_watch_tail(struct hub *hub, struct dir_watch *watch, struct str key, struct str to)
{
	struct node *directory = watch->directory;
	struct dir *dir = directory->dir;

	if (!dir || directory->gone)
		return;
	if (to.data) {
		free(dir->asked_to);
		dir->asked_to = str_dup(to);
		dir->asked_ms = watch->started_ms;
		return;
	}
	if (!dir_watch_believable(watch) || dir->too_long || dir->epoch != watch->epoch)
		return;
	if (dir_whole(directory, clock_ms()))
		return;
	/* The knowledge has aged. */
	if (dir->whole || (dir->tail.key && !tail_fresh(dir, clock_ms())))
		dir_doubt(hub, directory);
	dir_tail_set(&dir->tail, key, watch->started_ms, hub->dirs.moves);
	if (dir->tail.key)
		list_append(&hub->dirs, dir);
}

void dir_watch_end(struct hub *hub, struct dir_watch *watch)
{
	struct node *directory = watch->directory;

	if (!directory)
		return;
	struct dir *dir = directory->dir;

	if (!watch->doubted && dir && --dir->watchers == 0) {
		free(dir->removed);
		dir->removed = NULL;
		dir->removed_count = dir->removed_slots = 0;
		dir->removed_lost = dir->too_long = false;
		if (!dir->whole && !dir->tail.key && dir->held > 0)
			let_go(hub, dir);
	}
	watch->directory = NULL;
	node_unref(hub->nodes, directory);
}

/* ---- misses ---- */

/* Was this key in a page that was asked for a moment ago? */
static bool asked_already(const struct dir *dir, struct str key, uint64_t now_ms)
{
	return dir->asked_to && now_ms - dir->asked_ms < TAIL_PAUSE_MS &&
	       str_cmp(key, str_of(dir->asked_to)) <= 0;
}

enum dir_question dir_miss(struct node *directory, pid_t pid, struct str key, uint64_t now_ms)
{
	struct dir *dir = dir_get(directory);

	if (!dir || pid == 0)
		return DIR_ASK_NAME;
	bool again = dir->miss_pid == pid && now_ms - dir->miss_ms < MISS_WINDOW_MS;
	bool rest = dir->fetched_ms != 0 && now_ms - dir->fetched_ms < FETCH_PAUSE_MS;

	dir->miss_pid = pid;
	dir->miss_ms = now_ms;
	if (!again)
		return DIR_ASK_NAME;
	if (rest)
		return asked_already(dir, key, now_ms) ? DIR_ASK_NAME : DIR_ASK_TAIL;
	dir->fetched_ms = now_ms ? now_ms : 1;
	return DIR_ASK_LISTING;
}

/* ---- marker ---- */

int dir_marker(const struct node *directory)
{
	return directory->dir ? directory->dir->marker : -1;
}

void dir_set_marker(struct node *directory, bool exists)
{
	struct dir *dir = dir_get(directory);

	if (dir) {
		dir->marker = exists;
		dir->marker_plain = false;
	}
}

bool dir_marker_plain(const struct node *directory)
{
	return directory->dir && directory->dir->marker_plain;
}

void dir_set_marker_plain(struct node *directory)
{
	if (directory->dir)
		directory->dir->marker_plain = true;
}
