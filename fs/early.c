#include "fs/early.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/log.h"
#include "fs/marker.h"

enum { RETAKES_MAX = 16, PRUNE_MAX = 8 };

struct early_dir {
	struct early_dir *next;
	struct batch *batch; /* referenced */
	struct node *node; /* referenced */
	uint64_t source; /* inode number of what it is a copy of; 0: not known */
	bool emptied; /* by rm, rather than made */
};

/* ---- life ---- */

static void hurry(void *user)
{
	struct early *early = user;

	gather_hurry(early->gather);
}

static void settle(void *user, struct batch *batch);

int early_new(struct hub *hub, struct early **ret)
{
	struct early *early = calloc(1, sizeof(*early));
	const struct batches_hooks hooks = {.hurry = hurry, .settle = settle, .user = early};

	if (!early)
		return -ENOMEM;
	early->hub = hub;
	int error = resolver_new("/proc", &early->resolver);

	if (error == 0)
		error = gather_new(engine_worker(hub->engine, 0), &early->gather);
	if (error == 0)
		error = batches_new(early->resolver, &hooks, &early->batches);
	if (error < 0) {
		early_free(early);
		return error;
	}
	*ret = early;
	return 0;
}

void early_settle(struct early *early, unsigned limit_ms)
{
	prefetch_drop(early->hub, &early->prefetches, NULL);
	gather_stop(early->gather);
	if (batches_settle(early->batches, limit_ms) < 0)
		log_text(LOG_LEVEL_ERROR, "ending before everything that was answered early is acknowledged");
}

/* hub.lock held: out of the list, which `at` points into. */
static struct early_dir *take(struct early *early, struct early_dir **at)
{
	struct early_dir *dir = *at;

	*at = dir->next;
	early->dir_count--;
	return dir;
}

/* hub.lock held. */
static void drop(struct early *early, struct early_dir *dir)
{
	batch_unref(dir->batch);
	node_unref(early->hub->nodes, dir->node);
	free(dir);
}

void early_free(struct early *early)
{
	if (!early)
		return;
	resolver_free(early->resolver);
	hub_lock(early->hub);
	while (early->dirs)
		drop(early, take(early, &early->dirs));
	hub_unlock(early->hub);
	batches_free(early->batches);
	gather_free(early->gather);
	free(early);
}

/* ---- who asks ---- */

struct batch *early_batch(struct hub *hub, fuse_req_t req)
{
	pid_t pid = fuse_req_ctx(req)->pid;

	return hub->early && pid > 0 ? batches_find(hub->early->batches, pid) : NULL;
}

static bool has_batch(const struct caller *caller)
{
	if (!caller->plain)
		return false;
	return caller->tool == CALLER_MV ||
	       ((caller->tool == CALLER_CP || caller->tool == CALLER_RM) && caller->recursive);
}

static void on_resolved(struct resolve *resolve)
{
	struct early_ask *ask = resolve->user;
	struct batch *batch = NULL;

	if (resolve->pidfd >= 0 && has_batch(&resolve->caller))
		batch = batches_open(ask->hub->early->batches, &resolve->caller, resolve->pidfd);
	else if (resolve->pidfd >= 0)
		close(resolve->pidfd);
	ask->on_done(ask, batch);
}

void early_ask(struct early_ask *ask, pid_t pid)
{
	struct early *early = ask->hub->early;

	ask->resolve = (struct resolve){.pid = pid, .on_done = on_resolved, .user = ask};
	if (!early || pid <= 0 || resolver_ask(early->resolver, &ask->resolve) < 0)
		ask->on_done(ask, NULL);
}

/* ---- one directory's marker ---- */

struct decision {
	struct hub *hub;
	struct batch *batch; /* referenced, promised */
	struct node *node; /* referenced */
	bool look; /* write it only if nothing is below */
	unsigned retakes;
	struct claim claim;
	struct marker marker;
};

static void decision_end(struct decision *decision, int error)
{
	struct hub *hub = decision->hub;
	struct batch *batch = decision->batch;
	struct node *node = decision->node;

	claim_release(hub->claims, &decision->claim, error);
	hub_lock(hub);
	/* What could not be made is not shown, unless something is in it by now. */
	if (error < 0 && !decision->look && node->local && !node->gone && !node->children) {
		notify_entry(hub, node->parent->ino, str_n(node->name, node->name_len));
		nodes_detach(hub->nodes, node);
	}
	node_unref(hub->nodes, node);
	hub_unlock(hub);
	free(decision);
	batch_keep(batch, error);
	batch_unref(batch);
	hub_unpark(hub);
}

static void on_marked(struct marker *marker, int error, const struct s3_answer *answer)
{
	struct decision *decision = marker->user;

	if (error < 0)
		log_call(LOG_LEVEL_ERROR, &(struct log_call){
						  .what = "mkdir",
						  .bucket = place_bucket(&marker->place),
						  .key = place_key(&marker->place),
						  .error = error,
						  .answer = answer,
						  .consequence = "the directory's marker was not written",
					  });
	decision_end(decision, error);
}

static void granted(struct claim *claim);

/* hub.lock held.  claim_take's answers. */
static int claim_it(struct decision *decision)
{
	const struct place *place = &decision->marker.place;
	int error = node_place(decision->node, &decision->marker.place);

	decision->claim = (struct claim){.granted = granted, .user = decision};
	if (error == 0)
		error = claim_add(
			&decision->claim, place->account, place_bucket(place), place_key(place), false, true);
	return error < 0 ? error : claim_take(decision->hub->claims, &decision->claim);
}

/* Ours, if the directory still is where the claim says. */
static void begin(struct decision *decision)
{
	struct hub *hub = decision->hub;
	struct place place;
	int result = 1;

	while (result == 1) {
		hub_lock(hub);
		struct node *node = decision->node;
		bool wanted = !node->gone && (decision->look || node->local);
		bool there = wanted && node_place(node, &place) == 0 &&
			     str_eq(place_key(&place), place_key(&decision->marker.place)) &&
			     str_eq(place_bucket(&place), place_bucket(&decision->marker.place));

		hub_unlock(hub);
		if (!wanted) {
			decision_end(decision, 0);
			return;
		}
		if (there) {
			if (decision->look)
				marker_ensure(&decision->marker);
			else
				marker_write(&decision->marker);
			return;
		}
		claim_release(hub->claims, &decision->claim, 0);
		hub_lock(hub);
		result = decision->retakes++ < RETAKES_MAX ? claim_it(decision) : -EBUSY;
		hub_unlock(hub);
	}
	if (result < 0)
		decision_end(decision, result);
}

static void granted(struct claim *claim)
{
	begin(claim->user);
}

/* Takes dir, which is out of the list.  No lock. */
static void decide(struct early *early, struct early_dir *dir)
{
	struct hub *hub = early->hub;
	struct decision *decision = calloc(1, sizeof(*decision));

	batch_promise_more(dir->batch);
	if (!decision) {
		batch_keep(dir->batch, -ENOMEM);
		hub_lock(hub);
		drop(early, dir);
		hub_unlock(hub);
		return;
	}
	decision->hub = hub;
	decision->batch = dir->batch;
	decision->node = dir->node;
	decision->look = dir->emptied;
	decision->marker.hub = hub;
	decision->marker.worker = engine_pick(hub->engine);
	decision->marker.directory = dir->node;
	decision->marker.on_done = on_marked;
	decision->marker.user = decision;
	free(dir);
	hub_park(hub);
	hub_lock(hub);
	int result = claim_it(decision);

	hub_unlock(hub);
	if (result < 0)
		decision_end(decision, result);
	else if (result == 1)
		begin(decision);
}

/* ---- the list ---- */

/* hub.lock held: is there nothing to decide any more? */
static bool settled(const struct early_dir *dir)
{
	return dir->node->gone || (!dir->emptied && !dir->node->local);
}

static bool is_below(const struct node *node, const struct node *above)
{
	while (node && node != above)
		node = node->parent;
	return node != NULL;
}

/* Takes those out that are of this batch (or NULL: below this directory): the chain of those to decide. */
static struct early_dir *take_chain(struct early *early, const struct batch *batch, const struct node *below)
{
	struct early_dir *chain = NULL;
	bool over = batch && batch_over(batch);

	hub_lock(early->hub);
	for (struct early_dir **at = &early->dirs; *at;) {
		bool ours = batch ? (*at)->batch == batch : is_below((*at)->node, below);

		if (settled(*at)) {
			drop(early, take(early, at));
		} else if (ours && (!(*at)->emptied || over)) {
			struct early_dir *dir = take(early, at);

			dir->next = chain;
			chain = dir;
		} else {
			at = &(*at)->next;
		}
	}
	hub_unlock(early->hub);
	return chain;
}

static void decide_chain(struct early *early, struct early_dir *chain)
{
	while (chain) {
		struct early_dir *dir = chain;

		chain = dir->next;
		decide(early, dir);
	}
}

static void settle(void *user, struct batch *batch)
{
	struct early *early = user;

	if (batch_over(batch))
		prefetch_drop(early->hub, &early->prefetches, batch);
	decide_chain(user, take_chain(user, batch, NULL));
}

void early_decide_below(struct hub *hub, struct node *directory)
{
	if (hub->early)
		decide_chain(hub->early, take_chain(hub->early, NULL, directory));
}

static struct early_dir *find(
	struct early *early, const struct batch *batch, uint64_t source, struct early_dir ***ret_at)
{
	for (struct early_dir **at = &early->dirs; *at; at = &(*at)->next) {
		if ((*at)->batch != batch || (*at)->emptied || (*at)->source != source)
			continue;
		*ret_at = at;
		return *at;
	}
	return NULL;
}

static bool add(struct hub *hub, struct batch *batch, struct node *node, bool emptied)
{
	struct early *early = hub->early;
	struct early_dir **at = &early->dirs;

	for (unsigned i = 0; *at && i < PRUNE_MAX; i++) {
		if (settled(*at))
			drop(early, take(early, at));
		else
			at = &(*at)->next;
	}
	struct early_dir *dir = early->dir_count < EARLY_DIRS_MAX ? calloc(1, sizeof(*dir)) : NULL;

	if (!dir)
		return false;
	*dir = (struct early_dir){
		.next = early->dirs, .batch = batch_ref(batch), .node = node_ref(node), .emptied = emptied};
	early->dirs = dir;
	early->dir_count++;
	return true;
}

bool early_made(struct hub *hub, struct batch *batch, struct node *directory)
{
	return add(hub, batch, directory, false);
}

void early_opened(struct hub *hub, struct batch *batch, const struct node *directory)
{
	struct early_dir **at, *dir = find(hub->early, batch, 0, &at);

	if (dir)
		dir->source = directory->ino;
}

void early_listed(struct hub *hub, struct batch *batch, const struct node *directory)
{
	struct early_dir **at, *dir;

	hub_lock(hub);
	dir = find(hub->early, batch, directory->ino, &at);
	if (dir && dir_marker(directory) == 1)
		take(hub->early, at);
	else
		dir = NULL;
	hub_unlock(hub);
	if (dir)
		decide(hub->early, dir);
}

void early_emptied(struct hub *hub, struct batch *batch, struct node *directory)
{
	if (directory->kind != NODE_DIR || !directory->parent)
		return;
	if (!hub->early->dirs || hub->early->dirs->node != directory)
		add(hub, batch, directory, true);
}

bool early_is_emptied(const struct hub *hub, const struct node *directory)
{
	if (!hub->early || directory->kind != NODE_DIR)
		return false;
	for (const struct early_dir *dir = hub->early->dirs; dir; dir = dir->next) {
		if (dir->node == directory && dir->emptied)
			return true;
	}
	return false;
}

void early_unemptied(struct hub *hub, const struct node *directory)
{
	for (struct early_dir **at = &hub->early->dirs; *at; at = &(*at)->next) {
		if ((*at)->node == directory && (*at)->emptied) {
			drop(hub->early, take(hub->early, at));
			return;
		}
	}
}
