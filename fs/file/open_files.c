#include "fs/file/open_files.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "fs/core/place.h"
#include "fs/file/draft.h"
#include "fs/file/handle.h"
#include "fs/file/upkeep.h"

/* Calls `function` for each node, without the lock. */
static void for_each(struct hub *hub, void (*function)(struct hub *hub, struct node *node))
{
	struct node **nodes = NULL;
	size_t count = 0;

	hub_lock(hub);
	int error = handle_dirty_nodes(hub, &nodes, &count);

	hub_unlock(hub);
	if (error < 0) {
		log_text(LOG_LEVEL_ERROR, "out of memory: what is written to open files is lost");
		return;
	}
	for (size_t i = 0; i < count; i++)
		function(hub, nodes[i]);
	hub_lock(hub);
	for (size_t i = 0; i < count; i++)
		node_unref(hub->nodes, nodes[i]);
	hub_unlock(hub);
	free(nodes);
}

static const char emptied[] = "it is open, emptied and not written since: the object is what it was";
static const char lost[] = "it is open, and what was written to it is lost: not stored";
static const char kept[] =
	"it is open, and what was written to it is not stored: `ferryfs recover` does that";

static void log_one(struct hub *hub, struct node *node)
{
	struct place place;
	bool named = upkeep_name(hub, node);

	hub_lock(hub);
	int error = node_place(node, &place);
	bool still = draft_is_emptied(node->draft);

	hub_unlock(hub);
	if (error == 0)
		log_call(LOG_LEVEL_ERROR, &(struct log_call){.what = "ending",
						  .bucket = place_bucket(&place),
						  .key = place_key(&place),
						  .error = -ECANCELED,
						  .consequence = still	 ? emptied
								 : named ? kept
									 : lost});
}

/* If a program has emptied a file and not yet written the new content, the object in S3 stays as it was. */
static void store_one(struct hub *hub, struct node *node)
{
	hub_lock(hub);
	bool wanted = !draft_is_emptied(node->draft);

	hub_unlock(hub);
	if (wanted)
		draft_flush_alone(hub, node);
}

void open_files_store(struct hub *hub)
{
	for_each(hub, store_one);
}

void open_files_log(struct hub *hub)
{
	for_each(hub, log_one);
}
