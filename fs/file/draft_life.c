/* Changes a draft's staging file, and brings a draft to S3: a caller that finds the draft busy waits in
 * line and looks again. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "fs/file/draft_internal.h"
#include "fs/file/handle.h"
#include "fs/host/staging_file.h"

enum {
	/* Beside 1, 0 and -errno: the caller makes a staging file, without the lock, and calls again. */
	NEEDS_FILE = 2,
	NO_FILE = INT_MIN, /* no file was made so far; other negative numbers are the error of making one */
};

int draft_of_object(struct node *node, const struct handle *handle)
{
	struct draft *draft = draft_new(DRAFT_OBJECT, !node->local);

	if (!draft)
		return -ENOMEM;
	const char *etag = node->attr.etag ? node->attr.etag : "";

	draft->disowned = node->gone; /* unlinked, and still open */
	draft->size = node->attr.size;
	if (handle && handle->etag[0]) {
		draft->size = handle->size;
		etag = handle->etag;
	}
	/* A shell's redirection first closes a duplicate, and that stores the emptied file: writing on is
	 * no edit. */
	draft->overwrites = handle && (handle->flags & (O_TRUNC | O_EXCL)) && draft->size == 0;
	draft->source.size = draft->size;
	snprintf(draft->source.etag, sizeof(draft->source.etag), "%s", etag);
	node->draft = draft;
	return 0;
}

/* Loads the content into a staging file; takes *file if it uses the file.  hub.lock held. */
static int load(struct hub *hub, const struct draft_edit *edit, int *file)
{
	struct node *node = edit->node;

	if (*file < 0)
		return NEEDS_FILE;
	if (!node->draft) {
		int error = draft_of_object(node, edit->handle);

		if (error < 0)
			return error;
	}
	int result = draft_load(hub, node, edit->keep, *file);

	if (result >= 0)
		*file = -1;
	else if (node->draft->content == DRAFT_OBJECT)
		draft_trash(draft_detach(hub, node)); /* the draft has no file */
	return result;
}

/* hub.lock held. */
static int try_edit(struct hub *hub, const struct draft_edit *edit, int *file, int *ret_fd)
{
	struct node *node = edit->node;
	int result = 1;

	if (!node->draft)
		result = load(hub, edit, file);
	else if (draft_edit_step(node->draft) == DRAFT_LOAD)
		result = draft_quiet(node->draft) ? load(hub, edit, file) : 0;
	else if (draft_edit_step(node->draft) == DRAFT_WAIT)
		result = 0;
	if (result == 0 && edit->wait)
		draft_await(node->draft, edit->wait);
	if (result != 1)
		return result;
	assert(node->draft->content == DRAFT_DATA);
	node->draft->io++;
	*ret_fd = node->draft->fd;
	return 1;
}

int draft_edit_begin(struct hub *hub, const struct draft_edit *edit, int *ret_fd)
{
	int file = -1, result;

	for (;;) {
		hub_lock(hub);
		result = try_edit(hub, edit, &file, ret_fd);
		hub_unlock(hub);
		if (result != NEEDS_FILE)
			break;
		file = staging_file(hub->staging_dir);
		if (file < 0)
			return file;
	}
	if (file >= 0)
		close(file);
	return result;
}

int draft_read_begin(struct draft *draft)
{
	if (draft->content != DRAFT_DATA)
		return -1;
	draft->io++;
	return draft->fd;
}

void draft_edit_end(struct hub *hub, struct node *node, const struct draft_change *change)
{
	struct draft_wait *waits = NULL;

	hub_lock(hub);
	struct draft *draft = node->draft;

	assert(draft->io > 0);
	if (change->changed) {
		if (change->cut || change->size > draft->size)
			draft->size = change->size;
		draft_changed(draft);
	}
	bool last = --draft->io == 0;

	if (last && draft->activity == DRAFT_IDLE)
		waits = draft_take_waits(draft);
	unsigned writers;

	handle_count(hub, node, &writers);
	draft_check(draft);
	hub_unlock(hub);
	draft_run_waits(waits, DRAFT_IDLE, 0);
	/* While a handle may write, its close will settle the draft. */
	if (last && writers == 0)
		draft_settle(hub, node);
}

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
		if (*file < 0 || draft_load(hub, copy->node, UINT64_MAX, *file) < 0)
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
		result = draft_load(hub, flush->node, UINT64_MAX, *file);
		if (result == 0)
			*file = NO_FILE;
		break;
	case DRAFT_STORE:
		if (save_copies(hub, flush->node, file) == NEEDS_FILE)
			return NEEDS_FILE;
		result = draft_store(hub, flush->node);
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
