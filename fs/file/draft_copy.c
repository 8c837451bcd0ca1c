/*
 * Drafts that copy_file_range has marked as copies.
 *
 * A call from offset 0 to offset 0 of an empty draft marks it as a copy of the source's version that was
 * opened.  A call that continues at the end of the last one extends the copy (a kernel's call ends at 4 GiB
 * less a page).  Any other call is no copy, and the kernel reads and writes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/file/draft_internal.h"
#include "fs/file/handle.h"

static void draft_copy_mark(struct hub *hub, struct node *node, const struct draft_range *range)
{
	struct draft *draft = node->draft;

	draft->content = DRAFT_COPY;
	draft->node = node;
	draft->source.node = node_ref(range->source);
	draft->source.thread = range->thread;
	draft->source.size = range->source_size;
	snprintf(draft->source.etag, sizeof(draft->source.etag), "%.*s", (int)range->etag.len,
		range->etag.data);
	snprintf(draft->source.storage_class, sizeof(draft->source.storage_class), "%.*s",
		(int)range->storage_class.len, range->storage_class.len ? range->storage_class.data : "");
	if (draft->size < draft->source.size)
		hub->files->partial++;
	draft->prev = NULL;
	draft->next = hub->files->copies;
	if (draft->next)
		draft->next->prev = draft;
	hub->files->copies = draft;
}

/* Does the range continue at the end of the copy? */
static bool goes_on(const struct draft *draft, const struct draft_range *range)
{
	const struct draft_source *source = &draft->source;

	return draft->content == DRAFT_COPY && source->node == range->source &&
	       source->size == range->source_size && str_eq(str_of(source->etag), range->etag) &&
	       range->from == draft->size;
}

int64_t draft_copy(struct hub *hub, struct node *node, const struct draft_range *range, bool *ret_whole)
{
	struct draft *draft = node->draft;
	uint64_t len = range->len;

	if (!draft || range->from != range->to || range->source == node || range->etag.len == 0 ||
		range->from >= range->source_size || draft->disowned || range->etag.len > ETAG_MAX ||
		range->storage_class.len > STORAGE_CLASS_MAX)
		return -EOPNOTSUPP;
	if (!draft_quiet(draft))
		return -EAGAIN;
	if (draft->content == DRAFT_EMPTY && range->from == 0)
		draft_copy_mark(hub, node, range);
	else if (!goes_on(draft, range))
		return -EOPNOTSUPP;
	if (len > range->source_size - range->from)
		len = range->source_size - range->from;
	draft->size += len;
	draft_changed(draft);
	draft_check(draft);
	*ret_whole = draft_copy_whole(draft);
	if (*ret_whole)
		hub->files->partial--;
	return (int64_t)len;
}

int draft_copy_empty(struct hub *hub, struct node *node, struct handle *handle)
{
	struct node *source = handle->node;
	const struct view *from = node_view(source), *to = node_view(node);
	struct draft *draft = node->draft;

	if (!source->draft)
		handle_version(handle);
	if (source == node || source->draft || source->gone || source->kind != NODE_FILE ||
		handle->size != 0 || !handle->etag[0] || !draft || draft->content != DRAFT_EMPTY ||
		!draft_quiet(draft) || draft->disowned || !from || !to ||
		!account_same_service(from->account, to->account))
		return -EOPNOTSUPP;
	draft_copy_mark(hub, node,
		&(struct draft_range){
			.source = source,
			.thread = handle->thread,
			.etag = str_of(handle->etag),
			.storage_class =
				source->attr.storage_class ? str_of(source->attr.storage_class) : STR_NONE,
		});
	draft_check(draft);
	return 0;
}

bool draft_is_copy(const struct draft *draft)
{
	return draft_copy_whole(draft);
}

void draft_set_bulk(struct draft *draft)
{
	draft->bulk = true;
}

bool draft_is_empty(const struct draft *draft)
{
	return draft->content == DRAFT_EMPTY;
}

bool draft_is_unwritten(const struct draft *draft)
{
	return draft && draft->content == DRAFT_EMPTY && draft->activity == DRAFT_IDLE && draft->error == 0 &&
	       draft_dirty(draft);
}

bool draft_is_emptied(const struct draft *draft)
{
	return draft_is_unwritten(draft) && draft->existed;
}

struct draft *draft_partial_copy(struct hub *hub, const struct node *source)
{
	if (hub->files->partial == 0)
		return NULL;
	for (struct draft *at = hub->files->copies; at; at = at->next) {
		if (at->source.node && node_is_below(at->source.node, source) && draft_quiet(at) &&
			!draft_copy_whole(at))
			return at;
	}
	return NULL;
}
