/*
 * Brings a draft to S3 and ends it: a caller that finds the draft busy waits in line and looks again.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "fs/core/notify.h"
#include "fs/core/place.h"
#include "fs/dir/dir.h"
#include "fs/file/draft_internal.h"
#include "fs/file/draft_keep.h"
#include "fs/file/handle.h"
#include "fs/host/staging_file.h"

enum {
	/* Beside 1, 0 and -errno: the caller makes a staging file, without the lock, and calls again. */
	NEEDS_FILE = 2,
	NO_FILE = INT_MIN, /* no file was made so far; other negative numbers are the error of making one */
};

/* ---- flush ---- */

static void draft_life_finish(struct draft_flush *flush, int error)
{
	struct hub *hub = flush->hub;
	struct node *node = flush->node;

	hub_lock(hub);
	/* An unlinked or overwritten file need not be stored: that is no error. */
	if (node->draft && node->draft->disowned)
		error = 0;
	hub_unlock(hub);
	flush->done(flush, error);
	draft_settle(hub, node);
	hub_lock(hub);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
}

/*
 * The store replaces an object of which copy_file_range has answered copies.  So the answered bytes are
 * fetched first, each copy into its own file, by a claim that stands before the claim of the store.  If such
 * a fetch cannot begin, the close of that copy reports it.  1: there are no such copies left; NEEDS_FILE.
 * hub.lock held.
 */
static int save_copies(struct hub *hub, const struct node *node, int *file)
{
	struct draft *copy;

	while ((copy = draft_partial_copy(hub, node))) {
		if (*file == NO_FILE)
			return NEEDS_FILE;
		if (*file < 0 || draft_load(hub, copy->node, UINT64_MAX, *file, draft_settle) < 0)
			return 1;
		*file = NO_FILE;
	}
	return 1;
}

/* 1: there is nothing to wait for; 0: the flush waits; NEEDS_FILE; -errno.  *file: NO_FILE, or the result
 * of staging_file.  hub.lock held. */
static int try_flush(struct draft_flush *flush, int *file)
{
	struct hub *hub = flush->hub;
	struct draft *draft = flush->node->draft;
	int result = 0;

	if (!draft)
		return 1;
	switch (draft_flush_step(draft)) {
	case DRAFT_GO:
		return 1;
	case DRAFT_WAIT:
		break;
	case DRAFT_LOAD:
		if (*file < 0)
			return *file == NO_FILE ? NEEDS_FILE : *file;
		result = draft_load(hub, flush->node, UINT64_MAX, *file, draft_settle);
		if (result == 0)
			*file = NO_FILE;
		break;
	case DRAFT_STORE:
		if (save_copies(hub, flush->node, file) == NEEDS_FILE)
			return NEEDS_FILE;
		result = draft_store(hub, flush->node, draft_settle);
		break;
	}
	if (result == 0)
		draft_await(draft, &flush->wait);
	return result;
}

/* Neither a load nor a store has begun: they log their own failures. */
static void not_begun(struct draft_flush *flush, int error)
{
	struct hub *hub = flush->hub;
	struct place place;

	hub_lock(hub);
	struct draft *draft = flush->node->draft;
	bool told = !draft || !draft_dirty(draft) || node_place(flush->node, &place) < 0;

	if (draft)
		draft_failed(draft, error);
	hub_unlock(hub);
	if (!told)
		log_call(LOG_LEVEL_ERROR, &(struct log_call){.what = "store",
						  .bucket = place_bucket(&place),
						  .key = place_key(&place),
						  .error = error,
						  .consequence = "not stored"});
}

static void try_again(struct draft_flush *flush)
{
	struct hub *hub = flush->hub;
	int file = NO_FILE, result;

	for (;;) {
		hub_lock(hub);
		result = try_flush(flush, &file);
		hub_unlock(hub);
		if (result != NEEDS_FILE)
			break;
		file = staging_file(hub->staging_dir);
	}
	if (file >= 0)
		close(file);
	if (result < 0)
		not_begun(flush, result);
	if (result != 0)
		draft_life_finish(flush, result < 0 ? result : 0);
}

static void draft_life_woken(struct draft_wait *wait, enum draft_activity ended, int error)
{
	struct draft_flush *flush = (struct draft_flush *)((char *)wait - offsetof(struct draft_flush, wait));

	/* No caller writes during a store, so the store included the content at the time of the call. */
	if (error < 0 || ended == DRAFT_STORING)
		draft_life_finish(flush, error);
	else
		try_again(flush);
}

void draft_flush(struct hub *hub, struct node *node, struct draft_flush *flush)
{
	hub_lock(hub);
	flush->node = node_ref(node);
	int error =
		flush->tells && node->draft && draft_dirty(node->draft) ? draft_take_untold(node->draft) : 0;

	hub_unlock(hub);
	flush->hub = hub;
	flush->wait.run = draft_life_woken;
	flush->wait.answered = flush->answered;
	if (error < 0)
		draft_life_finish(flush, error);
	else
		try_again(flush);
}

/* ---- sources that are about to be removed ---- */

/* The same, by the parent and the name of the source.  hub.lock held. */
static struct draft *unfinished_copy_of(struct hub *hub, fuse_ino_t parent, const char *name)
{
	const struct node *directory = hub->files->partial ? nodes_find(hub->nodes, parent) : NULL;
	const struct node *source = directory ? nodes_child(hub->nodes, directory, str_of(name)) : NULL;

	return source ? draft_partial_copy(hub, source) : NULL;
}

void draft_save_copies(struct hub *hub, fuse_ino_t parent, const char *name)
{
	int fd = -1, error = 0;

	while (error == 0) {
		hub_lock(hub);
		struct draft *draft = unfinished_copy_of(hub, parent, name);

		if (!draft)
			error = -ENOENT; /* no further copies are fetched */
		else if (fd >= 0)
			error = draft_load(hub, draft->node, UINT64_MAX, fd, draft_settle);
		hub_unlock(hub);
		if (error == 0 && fd < 0) {
			fd = staging_file(hub->staging_dir);
			if (fd < 0)
				return; /* the close of the copy will say that its source is gone */
		} else if (error == 0) {
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
}

/* ---- the end ---- */

/* S3 never had the file and never will: the name goes, or now stands for another client's object. */
static void draft_vanish(struct hub *hub, struct node *node, bool foreign)
{
	struct node *parent = node->parent;

	if (node->gone)
		return;
	notify_entry(hub, parent->ino, str_n(node->name, node->name_len));
	if (!foreign)
		dir_removed(parent, str_n(node->name, node->name_len));
	node_ref(parent);
	nodes_detach(hub->nodes, node);
	if (foreign)
		dir_doubt(hub, parent);
	node_unref(hub->nodes, parent);
}

static void background_done(struct draft_flush *flush, int error)
{
	struct hub *hub = flush->user;

	free(flush);
	hub_unpark(hub); /* a failure is in the log */
}

void draft_flush_alone(struct hub *hub, struct node *node)
{
	struct draft_flush *flush = calloc(1, sizeof(*flush));

	if (!flush) {
		log_text(LOG_LEVEL_ERROR, "out of memory: written data was not stored");
		return;
	}
	flush->done = background_done;
	flush->user = hub;
	hub_park(hub);
	draft_flush(hub, node, flush);
}

/* hub.lock held.  Does an operation keep the content for readers (fs/file/draft_keep.h)? */
static bool draft_is_kept(const struct hub *hub, const struct node *node)
{
	for (const struct draft_keep *at = hub->files->keeps; at; at = at->next)
		if (at->node == node)
			return true;
	return false;
}

void draft_settle(struct hub *hub, struct node *node)
{
	struct draft *old = NULL;
	bool store = false;

	hub_lock(hub);
	struct draft *draft = node->draft;

	if (draft && draft_quiet(draft) && !draft->first) {
		unsigned writers, handles = handle_count(hub, node, &writers);
		bool dirty = draft_dirty(draft);

		bool needed = draft->disowned || writers > 0 || draft_is_kept(hub, node);

		if ((!draft->dirty && !needed) || (!dirty && handles == 0)) {
			old = draft_detach(hub, node);
		} else if (dirty && handles == 0 && draft->error < 0) {
			old = draft_detach(hub, node);
			if (!old->existed)
				draft_vanish(hub, node, old->conflict);
			else
				notify_inode(hub, node->ino);
		} else if (dirty && writers == 0 && draft->error == 0) {
			store = true;
		}
	}
	hub_unlock(hub);
	draft_trash(old);
	/* Reasons: pages of a shared mapping came after the last close, or a close could not wait. */
	if (store)
		draft_flush_alone(hub, node);
}
