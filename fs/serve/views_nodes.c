/* The nodes behind the views. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/core/notify.h"
#include "fs/core/place.h"
#include "fs/dir/dir.h"
#include "fs/serve/views_internal.h"

enum { DEPTH_MAX = KEY_MAX / 2 + 3 }; /* a name and its slash are two bytes; and service, bucket */

static bool hub_has(struct views *views, const char *name)
{
	struct nodes *nodes = views->hub->nodes;

	return nodes_child(nodes, nodes_find(nodes, FUSE_ROOT_ID), str_of(name)) != NULL;
}

/* The key's id is no secret, but may be anything. */
size_t views_account_name(struct account *account, char *ret, size_t size)
{
	const struct endpoint *endpoint = account_endpoint(account);
	const struct credentials *credentials = account_credentials(account);
	char port[16] = "";

	if (endpoint->port)
		snprintf(port, sizeof(port), ":%u", endpoint->port);
	snprintf(ret, size, "%.120s%s-%.32s", endpoint->host, port,
		credentials->anonymous ? "anonymous" : credentials->access_key);
	for (char *at = ret; *at; at++)
		if (*at == '/' || *at <= ' ' || (unsigned char)*at >= 0x7f)
			*at = '_';
	return strlen(ret);
}

static void name_service(struct views *views, struct account *account, char *ret, size_t size)
{
	size_t len = views_account_name(account, ret, size);

	for (unsigned n = 2; hub_has(views, ret); n++)
		snprintf(ret + len, size - len, "-%u", n);
}

int views_node_service(struct views *views, struct service *service)
{
	struct hub *hub = views->hub;
	char name[KEY_NAME_MAX + 1];

	hub_lock(hub);
	name_service(views, service->account, name, sizeof(name));
	int error = nodes_add(
		hub->nodes, nodes_find(hub->nodes, FUSE_ROOT_ID), str_of(name), NODE_SERVICE, &service->node);

	if (error == 0) {
		service->node->pins = 1;
		service->node->view = service->base;
	}
	hub_unlock(hub);
	return error;
}

/* An object has the name of a prefix: the directory is shown, as in any listing.  hub.lock held. */
static int make_way(struct hub *hub, struct node *node)
{
	if (node->draft)
		return -EBUSY;
	node_ref(node);
	notify_entry(hub, node->parent->ino, str_n(node->name, node->name_len));
	nodes_detach(hub->nodes, node);
	node_unref(hub->nodes, node);
	return 0;
}

/* hub.lock held.  One ref on *ret. */
static int views_nodes_step(
	struct hub *hub, struct node *parent, struct str name, enum node_kind kind, struct node **ret)
{
	struct node *node = nodes_child(hub->nodes, parent, name);
	int error = 0;

	if (node && node->kind != kind) {
		error = make_way(hub, node);
		node = NULL;
	}
	if (error < 0)
		return error;
	if (node) {
		*ret = node_ref(node);
		return 0;
	}
	return nodes_add(hub->nodes, parent, name, kind, ret);
}

static int views_nodes_keep(struct shown *shown, struct node *node)
{
	if (shown->count == DEPTH_MAX)
		return -ENAMETOOLONG;
	node->pins++;
	shown->nodes[shown->count++] = node;
	return 0;
}

static int walk(struct hub *hub, struct shown *shown)
{
	const struct s3_url *url = &shown->view->url;
	struct str rest = s3_url_key(url);
	struct node *node = node_ref(shown->service->node);
	int error = views_nodes_keep(shown, node);

	if (error == 0 && url->bucket[0]) {
		error = views_nodes_step(hub, node, str_of(url->bucket), NODE_BUCKET, &node);
		if (error == 0)
			error = views_nodes_keep(shown, node);
	}
	while (error == 0 && rest.len > 0) {
		const char *slash = memchr(rest.data, '/', rest.len);
		size_t len = slash ? (size_t)(slash - rest.data) : rest.len;

		error = views_nodes_step(hub, node, str_n(rest.data, len), NODE_DIR, &node);
		if (error == 0)
			error = views_nodes_keep(shown, node);
		rest = str_skip(rest, len + (slash != NULL));
	}
	return error;
}

int views_pin(struct views *views, struct shown *shown, char *why)
{
	struct hub *hub = views->hub;
	int error = -ENOMEM;

	shown->count = 0;
	shown->nodes = calloc(DEPTH_MAX, sizeof(*shown->nodes));
	if (shown->nodes) {
		hub_lock(hub);
		error = walk(hub, shown);
		hub_unlock(hub);
	}
	if (error == 0)
		return 0;
	snprintf(why, ACCOUNT_WHY_MAX, "%.300s: %s", shown->view->source, strerror(-error));
	views_unpin(views, shown);
	return error;
}

void views_unpin(struct views *views, struct shown *shown)
{
	struct hub *hub = views->hub;

	hub_lock(hub);
	while (shown->count > 0) {
		struct node *node = shown->nodes[--shown->count];

		node->pins--;
		node_unref(hub->nodes, node);
	}
	hub_unlock(hub);
	free(shown->nodes);
	shown->nodes = NULL;
}

static struct view *of_node(const struct shown *shown, const struct node *node, struct view *other)
{
	return shown->nodes[shown->count - 1] == node ? shown->view : other;
}

void views_dress(struct views *views, struct node *node)
{
	struct view *view = NULL;

	for (unsigned i = 0; i < views->service_count; i++)
		if (views->services[i].node == node)
			view = views->services[i].base;
	for (unsigned i = 0; i < views->former_count; i++)
		view = of_node(views->former[i], node, view);
	for (unsigned i = 0; i < views->shown_count; i++)
		view = of_node(views->shown[i], node, view);
	hub_lock(views->hub);
	node->view = view;
	hub_unlock(views->hub);
}

void views_refresh(struct views *views, struct node *node)
{
	struct hub *hub = views->hub;
	struct node *at = node;

	hub_lock(hub);
	while (at) {
		if (at->lookups > 0)
			notify_inode(hub, at->ino);
		if (at->children) {
			at = at->children;
			continue;
		}
		while (at != node && !at->child_next)
			at = at->parent;
		at = at == node ? NULL : at->child_next;
	}
	hub_unlock(hub);
}

bool views_place(const struct views *views, const struct shown *shown, struct place *ret)
{
	const struct node *node = shown->nodes[shown->count - 1];

	ret->bucket[0] = ret->key[0] = '\0';
	ret->bucket_len = ret->key_len = 0;
	hub_lock(views->hub);
	bool there = !node->gone;

	if (there && node->kind != NODE_SERVICE)
		there = node_place(node, ret) == 0;
	hub_unlock(views->hub);
	return there;
}
