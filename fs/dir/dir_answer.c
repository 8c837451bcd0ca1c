#include "fs/dir/dir_answer.h"

#include <errno.h>

#include "fs/core/notify.h"

/* Is the knowledge of the node newer than a question asked then? */
static bool newer(const struct node *node, uint64_t asked_ms)
{
	return node->local || node->draft || node->pins > 0 ||
	       (node->attr.fetched_ms != 0 && node->attr.fetched_ms >= asked_ms);
}

static void dir_answer_leave(struct hub *hub, struct node *node)
{
	node_ref(node);
	notify_entry(hub, node->parent->ino, str_n(node->name, node->name_len));
	nodes_detach(hub->nodes, node);
	node_unref(hub->nodes, node);
}

static int update(struct hub *hub, struct node *node, const struct seen *seen)
{
	int changed = node_learn(node, &(struct node_said){.size = seen->size,
					       .modified = seen->mtime,
					       .etag = seen->etag,
					       .storage_class = seen->storage_class});

	if (changed == 1 && node->lookups > 0)
		notify_inode(hub, node->ino);
	if (changed >= 0 && seen->headers && node_keeps_attrs(node)) {
		struct attrs attrs;

		attrs_read(&attrs, seen->headers);
		node_set_attrs(node, &attrs); /* without memory: asked for again */
	}
	return changed < 0 ? changed : 0;
}

int seen_apply(struct hub *hub, const struct dir_watch *watch, const struct seen *seen, struct node **ret)
{
	struct node *directory = watch->directory;
	struct node *node = nodes_child(hub->nodes, directory, seen->name);
	int error = 0;

	if (directory->gone)
		return -ENOENT;
	if (node && !newer(node, seen->asked_ms)) {
		if (node->kind != seen->kind) {
			dir_answer_leave(hub, node);
			node = NULL;
		} else {
			error = update(hub, node, seen);
		}
	}
	if (error < 0)
		return error;
	if (node) {
		node_ref(node);
	} else {
		if (dir_watch_removed(watch, seen->name))
			return -ENOENT;
		error = nodes_add(hub->nodes, directory, seen->name, seen->kind, &node);
		if (error < 0)
			return error;
		error = update(hub, node, seen);
		if (error < 0) {
			/* A node without attributes would be believed to be empty. */
			nodes_detach(hub->nodes, node);
			node_unref(hub->nodes, node);
			return error;
		}
		if (!dir_watch_believable(watch))
			node->attr.fetched_ms = 0;
	}
	dir_child_added(hub, node);
	*ret = node;
	return 0;
}

void seen_nothing(struct hub *hub, const struct dir_watch *watch, struct str name, uint64_t asked_ms)
{
	struct node *node = nodes_child(hub->nodes, watch->directory, name);

	if (node && !newer(node, asked_ms) && !node->emptied)
		dir_answer_leave(hub, node);
}
