#include "fs/file/draft_keep.h"

#include <unistd.h>

#include "engine/base/log.h"
#include "fs/core/place.h"
#include "fs/file/draft_internal.h"
#include "fs/file/handle.h"
#include "fs/host/staging_file.h"

enum wish {
	KEEP_NOTHING, /* it is not open, or can be read anyway */
	KEEP_IT,
	KEEP_NOT, /* it is open, and cannot be kept */
};

/* hub.lock held. */
static enum wish wish_of(struct hub *hub, const struct node *node)
{
	const struct view *view = node_view(node);
	unsigned writers;

	if (!view || node->kind != NODE_FILE || node->draft || node->local || node->attr.size == 0 ||
		handle_count(hub, node, &writers) == 0)
		return KEEP_NOTHING;
	uint64_t bound = view->keep_open * DRAFT_KEEP_TIMES;

	/* A handle that was opened on another version must not read this one. */
	if (node->attr.size > view->keep_open || hub->files->kept_bytes + node->attr.size > bound ||
		!node->attr.etag || handle_any_outdated(hub, node))
		return KEEP_NOT;
	return KEEP_IT;
}

/* Takes *file if it uses the file.  hub.lock held. */
static bool keep_it(struct hub *hub, struct node *node, int *file, struct draft_keep *keep)
{
	if (draft_of_object(node, NULL) < 0)
		return false;
	struct draft *draft = node->draft;

	draft->mtime = (struct timespec){.tv_sec = node->attr.mtime, .tv_nsec = node->attr.mtime_nsec};
	draft->kept_bytes = draft->size;
	hub->files->kept_bytes += draft->size;
	if (draft_load(hub, node, UINT64_MAX, *file, draft_settle) < 0) {
		draft_trash(draft_detach(hub, node)); /* the draft has no file */
		return false;
	}
	*file = -1;
	keep->node = node_ref(node);
	keep->prev = NULL;
	keep->next = hub->files->keeps;
	if (keep->next)
		keep->next->prev = keep;
	hub->files->keeps = keep;
	return true;
}

static void draft_keep_tell(const struct place *place)
{
	log_call(LOG_LEVEL_WARNING, &(struct log_call){.what = "keep open",
					    .bucket = place_bucket(place),
					    .key = place_key(place),
					    .error = 0,
					    .consequence = "it is removed or replaced while it is open, and "
							   "larger than keep_open or changed meanwhile: "
							   "who reads on is told ESTALE"});
}

void draft_keep_begin(struct hub *hub, fuse_ino_t parent, const char *name, struct draft_keep *keep)
{
	enum wish wish = KEEP_NOTHING;
	struct place place;
	int file = -1;

	for (unsigned tries = 0; tries < 2; tries++) {
		hub_lock(hub);
		const struct node *directory = nodes_find(hub->nodes, parent);
		struct node *node = directory ? nodes_child(hub->nodes, directory, str_of(name)) : NULL;

		wish = node ? wish_of(hub, node) : KEEP_NOTHING;
		if (wish != KEEP_NOTHING && node_place(node, &place) < 0)
			wish = KEEP_NOTHING;
		if (wish == KEEP_IT && file >= 0 && !keep_it(hub, node, &file, keep))
			wish = KEEP_NOT;
		hub_unlock(hub);
		if (wish != KEEP_IT || keep->node)
			break;
		file = staging_file(hub->staging_dir);
		if (file < 0) {
			wish = KEEP_NOT;
			break;
		}
	}
	if (file >= 0)
		close(file);
	if (wish == KEEP_NOT)
		draft_keep_tell(&place);
}

void draft_keep_end(struct hub *hub, struct draft_keep *keep)
{
	struct node *node = keep->node;

	if (!node)
		return;
	hub_lock(hub);
	if (keep->prev)
		keep->prev->next = keep->next;
	else
		hub->files->keeps = keep->next;
	if (keep->next)
		keep->next->prev = keep->prev;
	keep->node = NULL;
	hub_unlock(hub);
	draft_settle(hub, node);
	hub_lock(hub);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
}
