/*
 * Changes a draft's staging file: a caller that finds the draft busy waits in line and looks again.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fs/file/draft_internal.h"
#include "fs/file/handle.h"
#include "fs/host/staging_file.h"

/* Beside 1, 0 and -errno: the caller makes a staging file, without the lock, and calls again. */
enum { EDIT_NEEDS_FILE = 2 };

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
static int edit_load(struct hub *hub, const struct draft_edit *edit, int *file)
{
	struct node *node = edit->node;

	if (*file < 0)
		return EDIT_NEEDS_FILE;
	if (!node->draft) {
		int error = draft_of_object(node, edit->handle);

		if (error < 0)
			return error;
	}
	int result = draft_load(hub, node, edit->keep, *file, draft_settle);

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
		result = edit_load(hub, edit, file);
	else if (draft_edit_step(node->draft) == DRAFT_LOAD)
		result = draft_quiet(node->draft) ? edit_load(hub, edit, file) : 0;
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
		if (result != EDIT_NEEDS_FILE)
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
