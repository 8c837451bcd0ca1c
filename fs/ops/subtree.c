#include "fs/ops/subtree.h"

#include "fs/dir/dir.h"
#include "fs/file/draft.h"

bool subtree_dirty(const struct node *node)
{
	const struct node *at = node;

	while (at) {
		if (at->draft && draft_dirty(at->draft))
			return true;
		if (at->children) {
			at = at->children;
			continue;
		}
		while (at != node && !at->child_next)
			at = at->parent;
		at = at == node ? NULL : at->child_next;
	}
	return false;
}

/* As deep as a key has slashes: 512 at most.  A child is held while its own children go, so its siblings
 * stay. */
void subtree_age(struct hub *hub, struct node *node)
{
	if (!node_is_dir(node)) {
		if (!node->draft && !node->local)
			node->attr.fetched_ms = 0;
		return;
	}
	node_ref(node);
	node->attr.fetched_ms = 0;
	for (struct node *child = node->children, *next; child; child = next) {
		node_ref(child);
		subtree_age(hub, child);
		next = child->child_next;
		node_unref(hub->nodes, child);
	}
	dir_doubt(hub, node);
	node_unref(hub->nodes, node);
}
