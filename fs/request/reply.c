#include "fs/request/reply.h"

#include <errno.h>

#include "engine/base/clock.h"
#include "fs/core/place.h"
#include "fs/file/draft.h"
#include "fs/file/handle.h"
#include "fs/request/node_stat.h"

/* Is an operation under way that will change the attributes that this node shows?  hub.lock held. */
static bool node_busy(struct hub *hub, const struct node *node)
{
	struct place place;

	/* Nearly always there are no claims: then no key is built. */
	if (claims_count(hub->claims) == 0 || node_place(node, &place) < 0)
		return false;
	return claims_busy(hub->claims, place.account, place_bucket(&place), place_key(&place), false);
}

/* Returns how long the kernel may cache the answer for this node: cache_ttl minus the age of the node's
 * attributes, so that no attribute is believed for longer than cache_ttl in total.  hub.lock held. */
static double node_timeout(struct hub *hub, const struct node *node)
{
	const struct view *view = node_view(node);
	uint64_t ttl_ms = view ? view->cache_ttl_ms : 0;

	if (node->gone || node->draft || node_busy(hub, node) || handle_any_outdated(hub, node))
		return 0;
	if (!node_is_dir(node) && !node->local) {
		uint64_t now = clock_ms(), until = node->attr.fetched_ms + ttl_ms;

		if (node->attr.fetched_ms == 0 || now >= until)
			return 0;
		ttl_ms = until - now;
	}
	return (double)ttl_ms / 1000;
}

void hub_entry(struct hub *hub, struct node *node, struct fuse_entry_param *ret)
{
	double timeout = node_timeout(hub, node);
	struct fuse_entry_param entry = {.ino = node->ino, .attr_timeout = timeout, .entry_timeout = timeout};

	/* The name is known, mode and owner are not: a program that needs them causes a GETATTR. */
	if (!node_attrs_known(node, clock_ms()))
		entry.attr_timeout = 0;

	node_stat(node, &entry.attr);
	*ret = entry;
	if (nodes_count(hub->nodes) > NODES_MANY && hub->on_many_nodes)
		hub->on_many_nodes(hub);
}

/* After an entry was sent with this result: takes the lookup back if the kernel never got the entry, and
 * drops the caller's ref. */
static void entry_sent(struct hub *hub, struct node *node, int result)
{
	hub_lock(hub);
	if (result < 0)
		node_forget(hub->nodes, node, 1);
	node_unref(hub->nodes, node);
	hub_unlock(hub);
}

static void entry_prepare(struct hub *hub, struct node *node, struct fuse_entry_param *ret)
{
	hub_lock(hub);
	hub_entry(hub, node, ret);
	node_lookup_add(node);
	hub_unlock(hub);
}

void hub_reply_entry(struct hub *hub, fuse_req_t req, struct node *node)
{
	struct fuse_entry_param entry;

	entry_prepare(hub, node, &entry);
	entry_sent(hub, node, fuse_reply_entry(req, &entry));
}

void hub_reply_attr(struct hub *hub, fuse_req_t req, struct node *node)
{
	struct stat st;

	hub_lock(hub);
	node_stat(node, &st);
	double timeout = node_attrs_known(node, clock_ms()) ? node_timeout(hub, node) : 0;

	hub_unlock(hub);
	fuse_reply_attr(req, &st, timeout);
}

/* Maps the errors of a connection or of an answer to EIO: a file system may not return them (ferryfs.7, ERRORS). */
static int told_errno(int error)
{
	switch (error) {
	case -ECONNRESET:
	case -ECONNREFUSED:
	case -ECONNABORTED:
	case -ENOTCONN:
	case -EPIPE:
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -EADDRNOTAVAIL:
	case -EPROTO:
	case -EBADMSG:
	case -ECANCELED:
	case -EAGAIN:
		return -EIO;
	default:
		return error;
	}
}

void hub_reply_err(fuse_req_t req, int error)
{
	fuse_reply_err(req, -told_errno(error));
}
