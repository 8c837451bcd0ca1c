/*
 * lookup: is there a file or a directory of this name?
 *
 * Asked in this order, and the first that knows answers: the node, when this mount is changing it or its
 * attributes are fresh; the directory, when all of it is known; S3, by HEAD of the object and LIST of the
 * keys below, both at once.  A process that asks a second time for something unknown in one directory will
 * ask for more: then the directory's listing is fetched instead, if it is not long.  At the service level a
 * name is a bucket, and HeadBucket knows.
 *
 * rm -f takes its work as done when the directory that it is about to remove is not there, or is no directory
 * any more: another client has moved or removed it, or put a file there.  No rmdir follows then, so the
 * answer waits for all operations promised to rm, and is EIO if one of them failed.  Names that rm removes
 * one by one in a directory which it has open do not count: that directory's own removal is still to come.
 */
#include "engine/base/clock.h"
#include "fs/core/place.h"
#include "fs/ops/ops.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "fs/dir/dir_stream.h"
#include "fs/early/early.h"
#include "fs/request/last_reply.h"
#include "fs/request/parked.h"
#include "fs/dir/probe.h"
#include "fs/dir/dir_answer.h"
#include "fs/request/reply.h"

enum { FETCH_PAGES_MAX = 3 };

struct lookup {
	struct parked parked;
	struct hub *hub;
	struct worker *worker;
	uint64_t parent; /* the directory's inode number */
	struct dir_watch watch; /* of the directory, from before the question; holds its node */
	uint64_t asked_ms;
	struct place place; /* of the name as an object */
	struct probe probe;
	struct call call; /* HeadBucket */
	struct dir_stream *stream;
	struct batch *batch; /* of an rm, referenced, while its promises are waited for */
	struct batch_wait wait;
	struct node *found; /* during that wait; referenced; NULL: nothing was found */
	struct headers headers; /* of the object, where attributes are kept */
	size_t len;
	char name[KEY_NAME_MAX + 1];
};

static struct str lookup_name(const struct lookup *lookup)
{
	return str_n(lookup->name, lookup->len);
}

static void free_lookup(struct parked *parked)
{
	batch_unref(((struct lookup *)parked)->batch);
	headers_release(&((struct lookup *)parked)->headers);
	free(parked);
}

static void lookup_answer(struct lookup *lookup, int error, struct node *node);

static void lookup_on_settled(struct batch_wait *wait, int error)
{
	struct lookup *lookup = wait->user;
	struct node *node = lookup->found;

	if (error < 0 && node) {
		hub_lock(lookup->hub);
		node_unref(lookup->hub->nodes, node);
		hub_unlock(lookup->hub);
	}
	lookup_answer(lookup, error < 0 ? -EIO : 0, error < 0 ? NULL : node);
}

/* Does rm take this answer for the end of its work?  node NULL: nothing was found. */
static bool ends_rm(struct lookup *lookup, struct node *node)
{
	if (node && node_is_dir(node))
		return false;
	struct batch *batch = early_batch_of(lookup->hub, lookup->parked.thread);

	if (batch && batch_caller(batch)->tool == CALLER_RM && !(node && batch_has(batch, lookup->parent))) {
		lookup->batch = batch;
		return true;
	}
	batch_unref(batch);
	return false;
}

/* Takes the ref on node; error 0 with node NULL: there is none. */
static void lookup_finish(struct lookup *lookup, int error, struct node *node)
{
	if ((error < 0 && error != -ENOENT) || !ends_rm(lookup, node)) {
		lookup_answer(lookup, error, node);
		return;
	}
	lookup->found = node;
	lookup->wait = (struct batch_wait){.on_done = lookup_on_settled, .user = lookup};
	batch_wait(lookup->batch, &lookup->wait);
}

static void lookup_answer(struct lookup *lookup, int error, struct node *node)
{
	struct hub *hub = lookup->hub;

	bool failed = error < 0 && error != -ENOENT;
	bool wanted = !failed && parked_take(&lookup->parked);

	hub_lock(hub);
	dir_watch_end(hub, &lookup->watch);
	if (node && !wanted)
		node_unref(hub->nodes, node);
	hub_unlock(hub);
	if (failed) {
		last_call_fail_parked(&lookup->parked, error);
		return;
	}
	if (wanted && error == 0 && node)
		hub_reply_entry(hub, lookup->parked.req, node);
	else if (wanted)
		hub_reply_err(lookup->parked.req, -ENOENT);
	parked_drop(&lookup->parked);
}

/* Can the node be believed without asking S3?  hub.lock held. */
static bool believed(struct hub *hub, const struct node *node, uint64_t now)
{
	const struct view *view = node_view(node);
	struct place place;

	if (node->local || node->draft || node->pins > 0)
		return true;
	if (node->attr.fetched_ms != 0 && view && now < node->attr.fetched_ms + view->cache_ttl_ms)
		return true;
	if (node_is_dir(node) && dir_whole(node->parent, now))
		return true;
	if (node->emptied)
		return true;
	/* A name that is being made or removed is shown as it was until that is settled. */
	return claims_count(hub->claims) > 0 && node_place(node, &place) == 0 &&
	       claims_busy(hub->claims, place.account, place_bucket(&place), place_key(&place),
		       node_is_dir(node));
}

/* hub.lock held.  1: *ret_node (with a ref) or its absence (NULL) is known; 0: it is not. */
static int known(const struct lookup *lookup, struct node *directory, struct node **ret_node)
{
	struct hub *hub = lookup->hub;
	struct node *node = nodes_child(hub->nodes, directory, lookup_name(lookup));
	uint64_t now = clock_ms();

	if (node && believed(hub, node, now)) {
		*ret_node = node_ref(node);
		return 1;
	}
	if (!node && (dir_whole(directory, now) ||
			     dir_nothing_at(hub, directory, place_key(&lookup->place), now))) {
		*ret_node = NULL;
		return 1;
	}
	return 0;
}

static void lookup_log_refusal(const struct lookup *lookup, int error, const struct s3_answer *answer)
{
	log_call(LOG_LEVEL_ERROR, &(struct log_call){
					  .what = "lookup",
					  .bucket = place_bucket(&lookup->place),
					  .key = place_key(&lookup->place),
					  .error = error,
					  .answer = answer,
				  });
}

/* S3 has answered: makes the result known and answers the kernel. */
static void lookup_settle(struct lookup *lookup, const struct seen *seen)
{
	struct hub *hub = lookup->hub;
	struct node *node = NULL;
	int error = 0;

	hub_lock(hub);
	if (seen) {
		error = seen_apply(hub, &lookup->watch, seen, &node);
	} else {
		seen_nothing(hub, &lookup->watch, lookup_name(lookup), lookup->asked_ms);
		/* Was the name made here while S3 was asked? */
		node = nodes_child(hub->nodes, lookup->watch.directory, lookup_name(lookup));
		if (node)
			node_ref(node);
	}
	if (node && seen && seen->kind == NODE_DIR && node->kind == NODE_DIR && !lookup->probe.only_file)
		dir_set_marker(node, lookup->probe.marker);
	hub_unlock(hub);
	lookup_finish(lookup, error, node);
}

/* The keys listed after the name make the files of the kernel's next questions fresh, and the names between
 * those keys are known to be free.  A file that another client has made a directory is asked for again.
 * hub.lock held. */
static void see_ahead(struct lookup *lookup)
{
	struct hub *hub = lookup->hub;
	const struct page *page = lookup->probe.ahead;
	size_t above = lookup->place.key_len;

	while (above > 0 && lookup->place.key[above - 1] != '/')
		above--;

	for (unsigned i = 0; i < page->count; i++) {
		const struct page_entry *entry = &page->entries[i];
		struct str name = str_n(entry->key.data + above, entry->key.len - above - entry->is_prefix);
		struct node *node = key_name_ok(name) && name.data[0] != '%'
					    ? nodes_child(hub->nodes, lookup->watch.directory, name)
					    : NULL;

		if (!node || node->kind != NODE_FILE)
			continue;
		if (entry->is_prefix) {
			node->attr.fetched_ms = 0;
			continue;
		}
		struct seen seen = {
			.name = name,
			.kind = NODE_FILE,
			.size = entry->size,
			.mtime = entry->mtime,
			.etag = entry->etag,
			.storage_class = entry->storage_class,
			.asked_ms = lookup->asked_ms,
		};
		if (seen_apply(hub, &lookup->watch, &seen, &node) == 0)
			node_unref(hub->nodes, node);
	}
	/* The keys that the page had to leave out lie somewhere between. */
	if (page->left_out == 0)
		dir_watch_tail(hub, &lookup->watch, place_key(&lookup->place),
			page->count > 0 ? page->last : STR_NONE);
}

static void lookup_on_probed(struct probe *probe)
{
	struct lookup *lookup = probe->user;

	if (probe->ahead) {
		hub_lock(lookup->hub);
		if (probe->ahead->count > 0 || probe->kind == PROBE_NONE)
			see_ahead(lookup);
		hub_unlock(lookup->hub);
		page_free(probe->ahead);
		probe->ahead = NULL;
	}
	if (probe->error < 0) {
		lookup_log_refusal(lookup, probe->error, probe->refusal.status ? &probe->refusal : NULL);
		lookup_finish(lookup, probe->error == -ENOENT ? -EIO : probe->error, NULL);
		return;
	}
	if (probe->kind == PROBE_NONE) {
		lookup_settle(lookup, NULL);
		return;
	}
	bool dir = probe->kind == PROBE_DIR;

	lookup_settle(lookup, &(struct seen){
				      .name = lookup_name(lookup),
				      .kind = dir ? NODE_DIR : NODE_FILE,
				      .size = dir ? 0 : probe->size,
				      .mtime = dir ? 0 : probe->mtime,
				      .etag = dir ? STR_NONE : str_of(probe->etag),
				      .storage_class = dir ? STR_NONE : str_of(probe->storage_class),
				      .headers = dir ? NULL : probe->headers,
				      .asked_ms = lookup->asked_ms,
			      });
}

static void probe(struct lookup *lookup)
{
	lookup->asked_ms = clock_ms();
	lookup->probe.account = lookup->place.account;
	lookup->probe.bucket = place_bucket(&lookup->place);
	lookup->probe.key = place_key(&lookup->place);
	if (lookup->place.view->attrs_meta)
		lookup->probe.headers = &lookup->headers;
	lookup->probe.on_done = lookup_on_probed;
	lookup->probe.user = lookup;
	probe_start(lookup->worker, &lookup->probe);
}

/* ---- buckets ---- */

static void on_bucket(struct call *call, const struct s3_answer *answer)
{
	struct lookup *lookup = call->user;

	if (call->error == -ENOENT) {
		lookup_settle(lookup, NULL);
	} else if (call->error < 0) {
		lookup_log_refusal(lookup, call->error, answer);
		lookup_finish(lookup, call->error, NULL);
	} else {
		lookup->probe.only_file = true;
		lookup_settle(lookup, &(struct seen){
					      .name = lookup_name(lookup),
					      .kind = NODE_BUCKET,
					      .asked_ms = lookup->asked_ms,
				      });
	}
}

static void ask_bucket(struct lookup *lookup, const struct view *view)
{
	if (!view || !endpoint_bucket_ok(lookup_name(lookup))) {
		lookup_finish(lookup, -ENOENT, NULL);
		return;
	}
	/* For the log alone; a bucket's name is shorter than any file's may be. */
	memcpy(lookup->place.bucket, lookup->name, lookup->len + 1);
	lookup->place.bucket_len = lookup->len;
	lookup->asked_ms = clock_ms();
	call_init(&lookup->call);
	lookup->call.request.op = S3_HEAD_BUCKET;
	lookup->call.request.bucket = lookup_name(lookup);
	lookup->call.account = view->account;
	lookup->call.on_done = on_bucket;
	lookup->call.user = lookup;
	call_post(lookup->worker, &lookup->call);
}

/* ---- the whole directory instead ---- */

static void lookup_on_fetched(void *user)
{
	struct lookup *lookup = user;
	struct hub *hub = lookup->hub;
	struct node *node = NULL;

	hub_lock(hub);
	bool ended = dir_stream_ended(lookup->stream);
	int is_known = ended ? known(lookup, lookup->watch.directory, &node) : 0;

	hub_unlock(hub);
	if (!ended)
		return;
	dir_stream_close(lookup->stream);
	if (is_known)
		lookup_finish(lookup, 0, node);
	else
		probe(lookup);
}

static bool lookup_fetch(struct lookup *lookup)
{
	struct dir_stream_options options = {
		.hub = lookup->hub,
		.directory = lookup->watch.directory,
		.pages_max = FETCH_PAGES_MAX,
		.on_change = lookup_on_fetched,
		.user = lookup,
	};

	if (dir_stream_new(&options, &lookup->stream) < 0)
		return false;
	dir_stream_start(lookup->stream);
	return true;
}

/* hub.lock held.  -ENOENT for a name that no key can stand for. */
static int lookup_begin(struct lookup *lookup, struct node *directory, struct str name)
{
	if (name.len > KEY_NAME_MAX)
		return -ENAMETOOLONG;
	if (!key_name_ok(name) || !node_is_dir(directory) || directory->gone)
		return -ENOENT;
	memcpy(lookup->name, name.data, name.len);
	lookup->len = name.len;
	if (directory->kind == NODE_HUB || directory->kind == NODE_SERVICE)
		return 0;
	const struct view *view = node_view(directory);
	bool escapes = view && view->odd_keys == ODD_KEYS_ESCAPE;

	lookup->probe.escapes = escapes;
	lookup->probe.beside = escapes && odd_is_file(name);
	bool empty = escapes && odd_is_dir(name);
	int error = node_child_place(directory, name, empty, &lookup->place);

	/* The key of the name without its "/", as of any other. */
	if (error == 0 && empty)
		lookup->place.key[--lookup->place.key_len] = '\0';
	lookup->probe.only_dir =
		empty || nodes_beside(lookup->hub->nodes, directory, name, &(struct odd_text){0}, &name);
	return error == -EPERM || error == -EINVAL ? -ENOENT : error;
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct hub *hub = hub_of(req);
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	struct node *node = NULL;
	int is_known = 0;

	if (!lookup) {
		hub_reply_err(req, -ENOMEM);
		return;
	}
	parked_init(&lookup->parked, req, free_lookup);
	headers_init(&lookup->headers);
	lookup->hub = hub;
	lookup->parent = parent;
	lookup->worker = engine_pick(hub->engine);
	hub_lock(hub);
	struct node *directory = nodes_find(hub->nodes, parent);
	int error = directory ? lookup_begin(lookup, directory, str_of(name)) : -ENOENT;
	bool service = directory && directory->kind == NODE_SERVICE;
	enum dir_question question = DIR_ASK_NAME;
	const struct view *view = directory ? node_view(directory) : NULL;

	if (error == 0) {
		is_known = known(lookup, directory, &node);
		/* The list of buckets holds only those of this account: others may be asked for by name. */
		if (is_known && !node && service)
			is_known = 0;
		/* Above the views there are only the directories that lead to them. */
		if (!is_known && (!view || view->hidden))
			error = -ENOENT;
	}
	if (error == 0 && !is_known) {
		if (!service)
			question = dir_miss(
				directory, fuse_req_ctx(req)->pid, place_key(&lookup->place), clock_ms());
		lookup->probe.ask_tail = question == DIR_ASK_TAIL;
		dir_watch_begin(hub, directory, &lookup->watch);
	}
	hub_unlock(hub);
	if (error < 0 || is_known)
		lookup_finish(lookup, error, node);
	else if (service)
		ask_bucket(lookup, view);
	else if (question != DIR_ASK_LISTING || !lookup_fetch(lookup))
		probe(lookup);
}
