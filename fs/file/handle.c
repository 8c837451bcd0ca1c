#include "fs/file/handle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/checks.h"
#include "fs/file/draft.h"
#include "fs/file/recognise.h"

int files_new(struct files **ret)
{
	struct files *files = calloc(1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	*ret = files;
	return 0;
}

void files_free(struct hub *hub)
{
	if (!hub->files)
		return;
	for (unsigned i = 0; i < HANDLE_SLOTS; i++) {
		for (struct handle *handle = hub->files->slots[i], *next; handle; handle = next) {
			next = handle->next;
			chunks_drop(hub, handle);
			served_free(handle->served);
			free(handle);
		}
	}
	free(hub->files);
	hub->files = NULL;
}

static struct handle **handle_slot_of(struct hub *hub, const struct node *node)
{
	return &hub->files->slots[node->ino % HANDLE_SLOTS];
}

/* Checks the handles of a slot against the rules of handle.h. */
static void handle_check(struct hub *hub, const struct node *node)
{
	const struct handle *prev = NULL;

	if (!CHECKS_TABLES)
		return;
	for (const struct handle *at = *handle_slot_of(hub, node); at; prev = at, at = at->next) {
		assert(at->prev == prev && at->refs > 0 && !at->closed);
		assert(handle_slot_of(hub, at->node) == handle_slot_of(hub, node));
		assert(at->node->refs > 0 && !node_is_dir(at->node));
		assert(at->writes || !handle_flags_write(at->flags));
		assert(at->writes == at->counted);
	}
}

bool handle_flags_write(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

void handle_version(struct handle *handle)
{
	const struct node *node = handle->node;

	if (handle->etag[0])
		return;
	handle->size = node->attr.size;
	if (node->attr.etag)
		snprintf(handle->etag, sizeof(handle->etag), "%s", node->attr.etag);
}

void handle_will_write(struct hub *hub, struct handle *handle)
{
	handle->writes = true;
	if (handle->counted)
		return;
	handle->counted = true;
	if (hub->files->writers++ == 0 && hub->files->on_writer)
		hub->files->on_writer(hub);
}

int handle_open(struct hub *hub, struct node *node, int flags, struct handle **ret)
{
	struct handle *handle = calloc(1, sizeof(*handle));
	struct handle **slot = handle_slot_of(hub, node);

	if (!handle)
		return -ENOMEM;
	handle->node = node_ref(node);
	handle->flags = flags;
	handle->writes = handle_flags_write(flags);
	handle->refs = 1;
	if (!node->draft)
		handle_version(handle);
	handle->next = *slot;
	if (*slot)
		(*slot)->prev = handle;
	*slot = handle;
	if (handle->writes)
		handle_will_write(hub, handle);
	handle_check(hub, node);
	*ret = handle;
	return 0;
}

struct handle *handle_ref(struct handle *handle)
{
	handle->refs++;
	return handle;
}

void handle_unref(struct hub *hub, struct handle *handle)
{
	if (!handle || --handle->refs > 0)
		return;
	node_unref(hub->nodes, handle->node);
	served_free(handle->served);
	free(handle);
}

void handle_close(struct hub *hub, struct handle *handle)
{
	handle->closed = true;
	hub->files->writers -= handle->counted;
	if (handle->prev)
		handle->prev->next = handle->next;
	else
		*handle_slot_of(hub, handle->node) = handle->next;
	if (handle->next)
		handle->next->prev = handle->prev;
	chunks_drop(hub, handle);
	handle_check(hub, handle->node);
	handle_unref(hub, handle);
}

struct handle *handle_only_read(struct hub *hub, pid_t thread)
{
	struct handle *found = NULL;

	for (unsigned i = 0; i < HANDLE_SLOTS; i++) {
		for (struct handle *at = hub->files->slots[i]; at; at = at->next) {
			if (at->writes || at->thread != thread)
				continue;
			if (found)
				return NULL;
			found = at;
		}
	}
	return found;
}

bool handle_copies(struct hub *hub, uint64_t source, pid_t thread)
{
	for (unsigned i = 0; i < HANDLE_SLOTS; i++) {
		for (const struct handle *at = hub->files->slots[i]; at; at = at->next) {
			if (!at->writes || at->thread != thread)
				continue;
			if (at->source == source ||
				(at->source == 0 && at->node->draft && draft_size(at->node->draft) == 0))
				return true;
		}
	}
	return false;
}

unsigned handle_count(struct hub *hub, const struct node *node, unsigned *ret_writers)
{
	unsigned count = 0, writers = 0;

	for (const struct handle *at = *handle_slot_of(hub, node); at; at = at->next) {
		if (at->node != node)
			continue;
		count++;
		writers += at->writes;
	}
	*ret_writers = writers;
	return count;
}

bool handle_only_appends(struct hub *hub, const struct node *node)
{
	bool appends = false;

	for (const struct handle *at = *handle_slot_of(hub, node); at; at = at->next) {
		if (at->node != node || !at->writes)
			continue;
		if (!(at->flags & O_APPEND))
			return false;
		appends = true;
	}
	return appends;
}

/* Is `handle` the first of its node in the slot? */
static bool is_first(const struct handle *first, const struct handle *handle)
{
	while (first->node != handle->node)
		first = first->next;
	return first == handle;
}

int handle_dirty_nodes(struct hub *hub, struct node ***ret, size_t *ret_count)
{
	struct node **nodes = NULL;
	size_t count = 0, room = 0;

	for (unsigned i = 0; i < HANDLE_SLOTS; i++) {
		struct handle *first = hub->files->slots[i];

		for (struct handle *at = first; at; at = at->next) {
			if (!at->node->draft || !draft_dirty(at->node->draft) || !is_first(first, at))
				continue;
			if (count == room) {
				room = room ? 2 * room : 64;
				struct node **more = realloc(nodes, room * sizeof(struct node *));

				if (!more)
					goto no_memory;
				nodes = more;
			}
			nodes[count++] = node_ref(at->node);
		}
	}
	*ret = nodes;
	*ret_count = count;
	return 0;
no_memory:
	while (count > 0)
		node_unref(hub->nodes, nodes[--count]);
	free(nodes);
	return -ENOMEM;
}

/* Never 0. */
static uint64_t version_hash(const char *etag)
{
	uint64_t hash = str_hash(STR_HASH_START, str_of(etag));

	return hash ? hash : 1;
}

static void handle_remember(struct hub *hub, const struct node *node)
{
	unsigned at = (unsigned)(node->ino % HANDLE_CACHED);

	hub->files->cached[at].ino = node->ino;
	hub->files->cached[at].version = node->attr.etag ? version_hash(node->attr.etag) : 0;
}

bool handle_keeps_cache(struct hub *hub, const struct node *node)
{
	unsigned at = (unsigned)(node->ino % HANDLE_CACHED);
	bool same = hub->files->cached[at].ino == node->ino && node->attr.etag &&
		    hub->files->cached[at].version == version_hash(node->attr.etag);

	/* While a draft is written the kernel writes its pages through: they are right as well. */
	if (node->draft)
		return true;
	handle_remember(hub, node);
	return same;
}

bool handle_outdated(const struct handle *handle)
{
	const struct node *node = handle->node;

	return !node->draft && !node->gone && handle->etag[0] && node->attr.etag &&
	       strcmp(handle->etag, node->attr.etag) != 0;
}

bool handle_any_made(struct hub *hub, const struct node *node)
{
	for (const struct handle *at = *handle_slot_of(hub, node); at; at = at->next) {
		if (at->node == node && (at->flags & O_CREAT))
			return true;
	}
	return false;
}

bool handle_any_outdated(struct hub *hub, const struct node *node)
{
	for (const struct handle *at = *handle_slot_of(hub, node); at; at = at->next) {
		if (at->node == node && handle_outdated(at))
			return true;
	}
	return false;
}

void handle_follow(struct hub *hub, struct node *node, const char *etag)
{
	for (struct handle *at = *handle_slot_of(hub, node); at; at = at->next) {
		if (at->node != node || (etag && strcmp(at->etag, etag) != 0))
			continue;
		chunks_drop(hub, at);
		at->etag[0] = '\0';
		at->size = node->attr.size;
		if (node->attr.etag)
			snprintf(at->etag, sizeof(at->etag), "%s", node->attr.etag);
	}
	handle_check(hub, node);
	handle_remember(hub, node);
}
