#include "fs/serve/hub_new.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/core/notify.h"
#include "fs/dir/dir.h"
#include "fs/early/early.h"
#include "fs/file/draft.h"
#include "fs/file/handle.h"
#include "fs/file/recognise.h"
#include "fs/file/taken.h"
#include "fs/file/upkeep.h"
#include "fs/file/xattr_cache.h"
#include "fs/host/staging_dir.h"
#include "fs/serve/hub_journal.h"
#include "fs/serve/pruner.h"

static void hub_node_leaves(void *user, struct node *node)
{
	dir_child_leaves(node);
}

static void hub_node_freed(void *user, struct node *node)
{
	dir_free(node);
	if (node->draft)
		draft_disown(user, node);
}

static void hub_wake_pruner(struct hub *hub)
{
	pruner_wake(hub->pruner);
}

static enum node_kind root_kind(const struct view *view)
{
	if (!view)
		return NODE_HUB;
	if (!view->url.bucket[0])
		return NODE_SERVICE;
	return view->url.key_len ? NODE_DIR : NODE_BUCKET;
}

/* Everything but the staging directory, whose errors have sentences of their own. */
static int make_parts(struct hub *hub)
{
	struct node *root;
	int error = claims_new(&hub->claims);

	if (error == 0)
		error = nodes_new(&hub->nodes);
	if (error < 0)
		return error;
	nodes_set_hooks(hub->nodes,
		&(struct nodes_hooks){.leaves = hub_node_leaves, .freed = hub_node_freed, .user = hub});
	error = nodes_add_root(hub->nodes, root_kind(hub->view), hub->view, &root);
	if (error == 0)
		error = xattr_cache_new(&hub->xattrs);
	if (error == 0)
		error = files_new(&hub->files);
	if (error == 0)
		error = recognise_new(&hub->recognise);
	if (error == 0)
		error = taken_new(TAKEN_MAX, &hub->taken);
	if (error == 0)
		error = early_new(hub, &hub->early);
	if (error == 0)
		error = notifier_new(hub, NULL, &hub->notifier);
	if (error == 0)
		error = pruner_new(hub, &hub->pruner);
	hub->on_many_nodes = hub_wake_pruner;
	return error;
}

int hub_new(struct engine *engine, struct view *view, const char *staging, struct hub **ret, char *why)
{
	struct hub *hub = calloc(1, sizeof(*hub));

	if (!hub) {
		snprintf(why, ACCOUNT_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	pthread_mutex_init(&hub->lock, NULL);
	hub->engine = engine;
	hub->view = view ? view_ref(view) : NULL;
	int error = staging_dir_open(staging, &hub->staging_dir, why);

	if (error == 0) {
		error = make_parts(hub);
		if (error < 0)
			snprintf(why, ACCOUNT_WHY_MAX, "cannot start: %s", strerror(-error));
	}
	if (error < 0) {
		hub_free(hub);
		return error;
	}
	*ret = hub;
	return 0;
}

void hub_free(struct hub *hub)
{
	if (!hub)
		return;
	atomic_store(&hub->stopping, true);
	notifier_free(hub->notifier);
	pruner_free(hub->pruner);
	early_free(hub->early);
	hub->early = NULL;
	hub_lock(hub);
	files_free(hub);
	hub_unlock(hub);
	upkeep_free(hub);
	hub_lock(hub);
	while (hub->dirs.oldest)
		dir_doubt(hub, dir_node(hub->dirs.oldest));
	if (hub->nodes)
		nodes_check(hub->nodes);
	nodes_free(hub->nodes);
	hub->nodes = NULL;
	hub_unlock(hub);
	recognise_free(hub->recognise);
	taken_free(hub->taken);
	xattr_cache_free(hub->xattrs);
	claims_free(hub->claims);
	hub_journal_close(hub);
	staging_dir_close(hub->staging_dir);
	view_unref(hub->view);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}
