/*
 * The transitions of a draft, and its lifetime.  The long activities (draft_load.c, draft_store.c) begin and
 * end here:
 *
 *   from                 by                  to
 *   none                 draft_make_empty    EMPTY  dirty
 *   any, quiet           draft_make_empty    EMPTY  dirty
 *   EMPTY, quiet         draft_copy          COPY   dirty
 *   none                 draft_edit_begin    OBJECT clean, LOADING
 *   COPY, OBJECT, EMPTY  draft_loaded        DATA
 *   DATA                 draft_edit_end      DATA   dirty
 *   any, dirty, quiet    draft_store         STORING, then
 *                        draft_stored        clean: EMPTY and COPY are freed, as S3 has them; DATA stays for
 *                                            writers that go on
 */
#include "fs/file/draft_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "fs/file/handle.h"

struct draft *draft_new(enum draft_content content, bool existed)
{
	struct draft *draft = calloc(1, sizeof(*draft));

	if (!draft)
		return NULL;
	draft->content = content;
	draft->existed = existed;
	draft->fd = -1;
	draft->last = &draft->first;
	headers_init(&draft->kept);
	clock_gettime(CLOCK_REALTIME, &draft->mtime);
	return draft;
}

void draft_check(const struct draft *draft)
{
	assert((draft->content == DRAFT_DATA) == (draft->fd >= 0));
	assert(draft->content == DRAFT_DATA || draft->io == 0);
	assert(draft->content != DRAFT_EMPTY || draft->size == 0);
	assert((draft->content == DRAFT_COPY) == (draft->source.node != NULL));
	assert(draft->content != DRAFT_COPY || draft->size <= draft->source.size);
	assert(draft->content != DRAFT_OBJECT || !draft->dirty);
	assert(draft->activity != DRAFT_LOADING || draft->content == DRAFT_COPY ||
		draft->content == DRAFT_OBJECT);
	assert(draft->activity != DRAFT_STORING || draft->dirty);
	assert(!draft->untold || draft->error < 0);
}

/* ---- the state that other files see ---- */

uint64_t draft_size(const struct draft *draft)
{
	return draft->size;
}

struct timespec draft_mtime(const struct draft *draft)
{
	return draft->mtime;
}

bool draft_dirty(const struct draft *draft)
{
	return draft->dirty && !draft->disowned;
}

bool draft_quiet(const struct draft *draft)
{
	return draft->activity == DRAFT_IDLE && draft->io == 0;
}

bool draft_busy(const struct draft *draft)
{
	return draft->activity != DRAFT_IDLE;
}

void draft_set_mtime(struct draft *draft, const struct timespec *mtime)
{
	draft->mtime = *mtime;
}

bool draft_copy_whole(const struct draft *draft)
{
	return draft->content == DRAFT_COPY && draft->size == draft->source.size;
}

int draft_take_untold(struct draft *draft)
{
	int error = draft->untold ? draft->error : 0;

	draft->untold = false;
	return error;
}

/* ---- the possible next step ---- */

enum draft_step draft_edit_step(const struct draft *draft)
{
	if (draft->activity != DRAFT_IDLE)
		return DRAFT_WAIT;
	return draft->content == DRAFT_DATA ? DRAFT_GO : DRAFT_LOAD;
}

enum draft_step draft_read_step(const struct draft *draft)
{
	if (draft->activity == DRAFT_LOADING)
		return DRAFT_WAIT;
	switch (draft->content) {
	case DRAFT_EMPTY:
	case DRAFT_DATA:
		return DRAFT_GO;
	case DRAFT_OBJECT:
		return DRAFT_LOAD;
	case DRAFT_COPY:
		break;
	}
	if (draft->activity == DRAFT_STORING)
		return DRAFT_WAIT;
	return draft_copy_whole(draft) && draft_dirty(draft) ? DRAFT_STORE : DRAFT_LOAD;
}

enum draft_step draft_flush_step(const struct draft *draft)
{
	if (!draft_dirty(draft))
		return DRAFT_GO;
	if (!draft_quiet(draft))
		return DRAFT_WAIT;
	return draft->content == DRAFT_COPY && !draft_copy_whole(draft) ? DRAFT_LOAD : DRAFT_STORE;
}

/* ---- transitions ---- */

void draft_unstage(struct draft *draft)
{
	if (draft->staged)
		staged_drop(draft->staged);
	draft->staged = NULL;
}

void draft_changed(struct draft *draft)
{
	draft->changed_ms = clock_ms();
	if (!draft->dirty)
		draft->dirty_ms = draft->changed_ms;
	draft->dirty = true;
	draft->error = 0;
	draft->untold = false;
	clock_gettime(CLOCK_REALTIME, &draft->mtime);
	draft_written(draft);
}

void draft_failed(struct draft *draft, int error)
{
	if (draft->dirty)
		draft->error = error;
}

void draft_loaded(struct draft *draft, int error, int fd, uint64_t size)
{
	draft->activity = DRAFT_IDLE;
	if (error < 0) {
		draft_failed(draft, error);
		return;
	}
	assert(fd >= 0 && draft->content != DRAFT_DATA);
	draft->content = DRAFT_DATA;
	draft->error = 0;
	draft->untold = false;
	draft->fd = fd;
	if (size < draft->size)
		draft_changed(draft);
	draft->size = size;
}

void draft_keep(struct draft *draft, struct headers *headers)
{
	headers_release(&draft->kept);
	draft->kept = *headers;
	draft->keeps = true;
	headers_init(headers);
}

void draft_keep_nothing(struct draft *draft)
{
	headers_release(&draft->kept);
	draft->keeps = false;
}

void draft_based(struct draft *draft, const char *etag)
{
	snprintf(draft->base, sizeof(draft->base), "%s", etag);
	draft->create_only = etag[0] == '\0';
}

bool draft_is_conflict(const struct draft *draft, int error)
{
	return (error == -EEXIST && draft->create_only) || (error == -ESTALE && draft->base[0]);
}

void draft_stored(struct draft *draft, int error)
{
	draft->activity = DRAFT_IDLE;
	draft->error = error;
	draft->untold = false;
	if (error < 0)
		return;
	if (draft->staged)
		staged_rest(draft->staged, true);
	draft->dirty = false;
	draft->existed = true;
	draft->create_only = draft->exclusive = draft->conflict = false;
}

void draft_create_only(struct draft *draft, bool exclusive)
{
	draft->create_only = true;
	draft->exclusive = exclusive;
}

void draft_follow(struct draft *draft, const char *old, const char *new)
{
	if (draft && draft->base[0] && strcmp(draft->base, old) == 0)
		snprintf(draft->base, sizeof(draft->base), "%s", new);
}

void draft_await(struct draft *draft, struct draft_wait *wait)
{
	assert(!draft_quiet(draft));
	wait->next = NULL;
	*draft->last = wait;
	draft->last = &wait->next;
}

struct draft_wait *draft_take_waits(struct draft *draft)
{
	struct draft_wait *first = draft->first;

	draft->first = NULL;
	draft->last = &draft->first;
	return first;
}

/* A wait that is run may end an activity that other waits wait for: those run after it, not inside it. */
static _Thread_local struct draft_wait *queue, **queue_last;
static _Thread_local bool queue_runs;

void draft_run_waits(struct draft_wait *first, enum draft_activity ended, int error)
{
	if (!first)
		return;
	*(queue ? queue_last : &queue) = first;
	for (struct draft_wait *wait = first; wait; wait = wait->next) {
		wait->ended = ended;
		wait->error = error;
		queue_last = &wait->next;
	}
	if (queue_runs)
		return;
	queue_runs = true;
	while (queue) {
		struct draft_wait *wait = queue;

		queue = wait->next;
		wait->run(wait, wait->ended, wait->error);
	}
	queue_runs = false;
}

/* ---- its life ---- */

void draft_source_drop(struct hub *hub, struct draft *draft)
{
	struct node *source = draft->source.node;

	draft->source.node = NULL;
	if (!source)
		return;
	if (draft->size < draft->source.size)
		hub->files->partial--;
	if (draft->prev)
		draft->prev->next = draft->next;
	else
		hub->files->copies = draft->next;
	if (draft->next)
		draft->next->prev = draft->prev;
	node_unref(hub->nodes, source);
}

struct draft *draft_detach(struct hub *hub, struct node *node)
{
	struct draft *draft = node->draft;

	assert(draft_quiet(draft) && !draft->first);
	node->draft = NULL;
	hub->files->kept_bytes -= draft->kept_bytes;
	draft_unstage(draft);
	draft_source_drop(hub, draft);
	return draft;
}

void draft_trash(struct draft *draft)
{
	if (!draft)
		return;
	if (draft->fd >= 0)
		close(draft->fd);
	headers_release(&draft->kept);
	free(draft->attrs);
	free(draft);
}

void draft_disown(struct hub *hub, struct node *node)
{
	struct draft *draft = node->draft;

	draft->disowned = true;
	if (hub->files)
		draft_unstage(draft);
	if (hub->files && (node->refs > 0 || node->lookups > 0))
		return;
	/* The node itself is being freed, at the hub's end: so are the nodes of sources. */
	node->draft = NULL;
	draft_trash(draft);
}

int draft_make_empty(struct hub *hub, struct node *node, int *ret_close)
{
	struct draft *draft = node->draft;

	if (!draft) {
		draft = draft_new(DRAFT_EMPTY, !node->local);
		if (!draft)
			return -ENOMEM;
		node->draft = draft;
	}
	assert(draft_quiet(draft));
	draft_unstage(draft);
	*ret_close = draft->fd;
	draft->fd = -1;
	draft_source_drop(hub, draft);
	draft->content = DRAFT_EMPTY;
	draft->size = 0;
	draft->base[0] = '\0';
	draft->create_only = draft->exclusive; /* emptied by the process that made it, or overwritten */
	draft->disowned |= node->gone; /* unlinked, and still open */
	draft_keep_nothing(draft);
	draft_changed(draft);
	draft_check(draft);
	return 0;
}
