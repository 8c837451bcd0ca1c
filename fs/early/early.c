#include "fs/early/early.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "fs/early/new_dir_mark.h"

enum { PRUNE_MAX = 8 };

/* The source of a directory, if its maker made another directory before it opened one here. */
#define ELSEWHERE UINT64_MAX

struct early_dir {
	struct early_dir *next;
	struct batch *batch; /* referenced */
	struct node *node; /* referenced */
	uint64_t source; /* inode number of the directory that it is a copy of; 0: not known */
	bool emptied; /* rm emptied it; false: the process made it */
	bool listed; /* its source was listed, and has no marker */
	bool marked; /* its marker was written before an object below was known: perhaps in vain */
};

/* ---- life ---- */

static void hurry(void *user)
{
	struct early *early = user;

	gather_hurry(early->gather);
}

static void early_early_settle(void *user, struct batch *batch);

int early_new(struct hub *hub, struct early **ret)
{
	struct early *early = calloc(1, sizeof(*early));
	const struct batches_hooks hooks = {.hurry = hurry, .settle = early_early_settle, .user = early};

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

void early_stop(struct early *early)
{
	resolver_stop(early->resolver);
}

/* hub.lock held: takes *at out of the list. */
static struct early_dir *early_take(struct early *early, struct early_dir **at)
{
	struct early_dir *dir = *at;

	*at = dir->next;
	early->dir_count--;
	dir->node->emptied -= dir->emptied;
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
		drop(early, early_take(early, &early->dirs));
	hub_unlock(early->hub);
	batches_free(early->batches);
	gather_free(early->gather);
	free(early);
}

/* ---- the calling process ---- */

struct batch *early_batch(struct hub *hub, fuse_req_t req)
{
	return early_batch_of(hub, fuse_req_ctx(req)->pid);
}

struct batch *early_batch_of(struct hub *hub, pid_t pid)
{
	return hub->early && pid > 0 ? batches_find(hub->early->batches, pid) : NULL;
}

static bool has_batch(const struct caller *caller)
{
	if (!caller->plain)
		return false;
	return caller->tool == CALLER_MV ||
	       ((caller->tool == CALLER_CP || caller->tool == CALLER_RM) && caller->recursive);
}

static void early_on_resolved(struct resolve *resolve)
{
	struct early_ask *ask = resolve->user;
	struct batch *batch = NULL;

	if (resolve->pidfd >= 0 && has_batch(&resolve->caller))
		batch = batches_open(ask->hub->early->batches, &resolve->caller, resolve->pidfd);
	else if (resolve->pidfd >= 0)
		close(resolve->pidfd);
	ask->on_done(ask, batch);
}

void early_ask(struct early_ask *ask, pid_t thread, uid_t uid)
{
	struct early *early = ask->hub->early;

	ask->resolve = (struct resolve){.pid = thread,
		.device = ask->hub->dev,
		.uid = uid,
		.question = CALLER_WHO,
		.on_done = early_on_resolved,
		.user = ask};
	if (!early || thread <= 0 || resolver_ask(early->resolver, &ask->resolve) < 0)
		ask->on_done(ask, NULL);
}

/* ---- the list ---- */

/* hub.lock held: is the marker decided? */
static bool settled(const struct early_dir *dir)
{
	return dir->node->gone || (!dir->emptied && dir->listed && !dir->marked && !dir->node->local);
}

/* hub.lock held: has S3 acknowledged an entry of this directory, as far as is known here? */
static bool has_landed(const struct node *directory)
{
	for (const struct node *child = directory->children; child; child = child->child_next) {
		if (!child->local && !child->draft)
			return true;
	}
	return false;
}

/* One pass over the list of directories. */
struct marker_sweep {
	const struct batch *batch; /* the directories of this batch; NULL: those below a directory */
	const struct node *below;
	bool over; /* the batch's process has ended */
	struct mark *marks;
	struct early_dir *failed; /* no memory */
};

/* Was it made with a marker, and as a copy of no directory here?  Then the marker stays. */
static bool of_its_own(const struct early_dir *dir)
{
	return dir->marked && (dir->source == 0 || dir->source == ELSEWHERE);
}

/* hub.lock held.  Has this directory's marker to be settled now, and by which fate? */
static bool is_due(const struct marker_sweep *sweep, const struct early_dir *dir, enum mark_fate *ret)
{
	if (sweep->batch ? dir->batch != sweep->batch : !node_is_below(dir->node, sweep->below))
		return false;
	if (of_its_own(dir))
		return false;
	if (dir->emptied)
		*ret = MARK_KEEP;
	else
		*ret = dir->marked ? MARK_SPARE : MARK_ALONE;
	if (*ret == MARK_SPARE)
		return sweep->over || (sweep->batch && has_landed(dir->node));
	return *ret == MARK_ALONE || sweep->over;
}

/* hub.lock held.  Settles the directory's marker.  True: the directory stays in the list, as its marker
 * may yet turn out to be in vain. */
static bool sweep_one(
	struct early *early, struct marker_sweep *sweep, struct early_dir **at, enum mark_fate fate)
{
	struct early_dir *dir = *at;
	const struct mark_wish wish = {
		.hub = early->hub, .batch = dir->batch, .node = dir->node, .fate = fate};

	if (!early_mark_take(&wish, &sweep->marks)) {
		early_take(early, at);
		dir->next = sweep->failed;
		sweep->failed = dir;
	} else if (fate == MARK_ALONE && !sweep->over) {
		dir->marked = true;
		return true;
	} else {
		drop(early, early_take(early, at));
	}
	return false;
}

/* No lock. */
static void sweep_fail(struct early *early, struct early_dir *failed)
{
	while (failed) {
		struct early_dir *dir = failed;

		failed = dir->next;
		batch_promise_more(dir->batch);
		batch_keep(dir->batch, -ENOMEM);
		hub_lock(early->hub);
		drop(early, dir);
		hub_unlock(early->hub);
	}
}

static void run_sweep(struct early *early, struct marker_sweep *sweep)
{
	hub_lock(early->hub);
	for (struct early_dir **at = &early->dirs; *at;) {
		enum mark_fate fate;
		bool stays = !settled(*at) && !(sweep->over && of_its_own(*at));

		if (!stays)
			drop(early, early_take(early, at));
		else if (is_due(sweep, *at, &fate))
			stays = sweep_one(early, sweep, at, fate);
		if (stays)
			at = &(*at)->next;
	}
	hub_unlock(early->hub);
	early_marks_go(sweep->marks);
	sweep_fail(early, sweep->failed);
}

static void early_early_settle(void *user, struct batch *batch)
{
	struct early *early = user;
	struct marker_sweep sweep = {.batch = batch, .over = batch_over(batch)};

	if (sweep.over)
		prefetch_drop(early->hub, &early->prefetches, batch);
	run_sweep(early, &sweep);
}

void early_decide_below(struct hub *hub, struct node *directory)
{
	struct marker_sweep sweep = {.below = directory};

	if (hub->early)
		run_sweep(hub->early, &sweep);
}

static struct early_dir *early_find(
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

static bool early_add(struct hub *hub, struct batch *batch, struct node *node, bool emptied)
{
	struct early *early = hub->early;
	struct early_dir **at = &early->dirs;

	for (unsigned i = 0; *at && i < PRUNE_MAX; i++) {
		if (settled(*at))
			drop(early, early_take(early, at));
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
	node->emptied += emptied;
	return true;
}

static bool add_made(struct hub *hub, struct batch *batch, struct node *directory)
{
	struct early_dir **at, *before = early_find(hub->early, batch, 0, &at);

	if (before)
		before->source = ELSEWHERE;
	return early_add(hub, batch, directory, false);
}

bool early_made(struct hub *hub, struct batch *batch, struct node *directory)
{
	return add_made(hub, batch, directory);
}

void early_marked(struct hub *hub, struct batch *batch, struct node *directory)
{
	if (add_made(hub, batch, directory))
		hub->early->dirs->marked = true;
}

bool early_opened(struct hub *hub, struct batch *batch, const struct node *directory)
{
	struct early_dir **at, *dir = early_find(hub->early, batch, 0, &at);

	if (dir)
		dir->source = directory->ino;
	return dir;
}

void early_listed(struct hub *hub, struct batch *batch, struct node *directory)
{
	struct mark *mark = NULL;
	struct early_dir **at, *dir, *failed = NULL;

	hub_lock(hub);
	dir = early_find(hub->early, batch, directory->ino, &at);
	if (dir && dir_marker(directory) == 1) {
		const struct mark_wish wish = {.hub = hub,
			.batch = batch,
			.node = dir->node,
			.source = directory,
			.fate = MARK_COPY};

		early_take(hub->early, at);
		if (early_mark_take(&wish, &mark)) {
			drop(hub->early, dir);
		} else {
			dir->next = NULL;
			failed = dir;
		}
	} else if (dir) {
		dir->listed = true;
	}
	hub_unlock(hub);
	early_marks_go(mark);
	sweep_fail(hub->early, failed);
}

void early_emptied(struct hub *hub, struct batch *batch, struct node *directory)
{
	if (directory->kind != NODE_DIR || !directory->parent)
		return;
	if (!hub->early->dirs || hub->early->dirs->node != directory)
		early_add(hub, batch, directory, true);
}

void early_unemptied(struct hub *hub, const struct node *directory)
{
	for (struct early_dir **at = &hub->early->dirs; *at; at = &(*at)->next) {
		if ((*at)->node == directory && (*at)->emptied) {
			drop(hub->early, early_take(hub->early, at));
			return;
		}
	}
}
