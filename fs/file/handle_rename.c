#include "fs/file/handle_rename.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/job/job.h"
#include "fs/file/draft.h"
#include "fs/file/handle.h"

struct follow_one {
	struct follow_one *next;
	struct node *node; /* referenced */
	uint64_t size;
	char old[ETAG_MAX + 1], new[ETAG_MAX + 1];
};

/* Returns the node for the rest of a key below a directory; NULL: there is none. */
static struct node *handle_rename_find_below(struct hub *hub, const struct node *directory, struct str rest)
{
	struct node *node = NULL;

	for (;;) {
		const char *slash = rest.len > 0 ? memchr(rest.data, '/', rest.len) : NULL;
		size_t len = slash ? (size_t)(slash - rest.data) : rest.len;

		const struct view *view = node_view(directory);
		struct str name = str_n(rest.data, len);
		struct odd_text buf;

		if (view && view->odd_keys == ODD_KEYS_ESCAPE && !odd_name(name, &buf, &name))
			return NULL;
		node = nodes_child(hub->nodes, directory, name);
		if (!node || !slash)
			return node;
		directory = node;
		rest = str_skip(rest, len + 1);
	}
}

/* hub.lock held. */
static void handle_rename_add(
	struct follow *follow, struct hub *hub, struct node *node, const struct job_event *event)
{
	const struct page_entry *entry = event->entry;
	struct follow_one *one;
	unsigned writers;

	if (!node || node->kind != NODE_FILE || handle_count(hub, node, &writers) == 0)
		return;
	one = calloc(1, sizeof(*one));
	if (!one)
		return; /* reads of the open file get ESTALE */
	one->node = node_ref(node);
	one->size = entry->size;
	snprintf(one->old, sizeof(one->old), "%.*s", (int)entry->etag.len, entry->etag.data);
	snprintf(one->new, sizeof(one->new), "%s", event->etag);
	one->next = follow->first;
	follow->first = one;
}

void follow_copied(struct follow *follow, struct hub *hub, const struct node *directory, size_t prefix_len,
	const struct job_event *event)
{
	const struct page_entry *entry = event->entry;

	if (event->step != JOB_COPIED || event->error < 0 || !event->etag || !event->etag[0] || !entry ||
		entry->etag.len == 0 || entry->etag.len > ETAG_MAX ||
		str_eq(entry->etag, str_of(event->etag)))
		return;
	hub_lock(hub);
	handle_rename_add(follow, hub,
		handle_rename_find_below(hub, directory, str_skip(event->source_key, prefix_len)), event);
	hub_unlock(hub);
}

static void follow_file(struct hub *hub, const struct follow_one *one)
{
	struct node *node = one->node;
	char class[STORAGE_CLASS_MAX + 1];

	if (node->gone)
		return;
	draft_follow(node->draft, one->old, one->new);
	snprintf(class, sizeof(class), "%s", node->attr.storage_class ? node->attr.storage_class : "");
	if (node_set_attr(node, one->size, node->attr.mtime, node->attr.mtime_nsec, str_of(one->new),
		    str_of(class)) < 0)
		return;
	node->attr.fetched_ms = 0; /* its Last-Modified has changed too */
	handle_follow(hub, node, one->old);
}

void follow_moved(struct follow *follow, struct hub *hub)
{
	for (const struct follow_one *one = follow->first; one; one = one->next)
		follow_file(hub, one);
	follow_clear(follow, hub);
}

void follow_clear(struct follow *follow, struct hub *hub)
{
	struct follow_one *one = follow->first;

	follow->first = NULL;
	while (one) {
		struct follow_one *next = one->next;

		node_unref(hub->nodes, one->node);
		free(one);
		one = next;
	}
}
