#include "fs/file/refresh.h"

#include <errno.h>

#include "engine/base/log.h"
#include "fs/core/notify.h"
#include "fs/core/place.h"

/* The number of renames during the request that are followed. */
enum { REFRESH_AGAIN_MAX = 3 };

int refresh_prepare(struct refresh *refresh)
{
	refresh->again = 0;
	refresh->stamp = node_stamp(refresh->node);
	return node_place(refresh->node, &refresh->place);
}

enum refresh_verdict { KNOWN, FAILED, ASK_AGAIN };

/* A directory without a marker, or with a marker that may not be read, is a directory all the same.
 * hub.lock held. */
static void take_attrs(struct refresh *refresh, int error)
{
	struct attrs attrs = {0};

	if (!node_keeps_attrs(refresh->node))
		return;
	if (error == 0)
		attrs_read(&attrs, &refresh->headers);
	node_set_attrs(refresh->node, &attrs); /* without memory: the attributes are asked for again */
}

/* Updates the node by the answer, if the answer still applies to the node.  hub.lock held. */
static enum refresh_verdict refresh_apply(struct refresh *refresh, const struct s3_answer *answer, int *error)
{
	struct hub *hub = refresh->hub;
	struct node *node = refresh->node;
	struct place now;

	if (node->gone || node->draft || node_stamp(node) != refresh->stamp)
		return KNOWN;
	*error = node_place(node, &now);
	if (*error < 0)
		return FAILED;
	if (!place_same_key(&now, &refresh->place)) {
		refresh->place = now;
		return refresh->again++ < REFRESH_AGAIN_MAX ? ASK_AGAIN : KNOWN;
	}
	*error = refresh->call.error;
	if (node_is_dir(node)) {
		if (*error == -EACCES || *error == -ENOENT)
			*error = 0;
		if (*error == 0)
			take_attrs(refresh, refresh->call.error);
		return *error == 0 ? KNOWN : FAILED;
	}
	if (*error == -ENOENT &&
		claims_busy(hub->claims, now.account, place_bucket(&now), place_key(&now), false)) {
		*error = 0;
		return KNOWN;
	}
	if (*error == 0) {
		int changed = node_learn(node, &(struct node_said){.size = answer->size,
						       .modified = answer->mtime,
						       .etag = str_of(answer->etag),
						       .storage_class = str_of(answer->storage_class)});

		/* The kernel recognises a new version by its time, and this may be equal to the old
		 * version's time. */
		if (changed == 1 && node->lookups > 0)
			notify_inode(hub, node->ino);
		*error = changed < 0 ? changed : 0;
		if (*error == 0)
			take_attrs(refresh, 0);
	}
	if (*error == 0)
		return KNOWN;
	if (*error == -ENOENT) {
		notify_entry(hub, node->parent->ino, str_n(node->name, node->name_len));
		nodes_detach(hub->nodes, node);
	}
	return FAILED;
}

static void refresh_on_head(struct call *call, const struct s3_answer *answer)
{
	struct refresh *refresh = call->user;
	int error = 0;

	hub_lock(refresh->hub);
	enum refresh_verdict verdict = refresh_apply(refresh, answer, &error);

	hub_unlock(refresh->hub);
	headers_release(&refresh->headers);
	if (verdict == ASK_AGAIN && !atomic_load(&refresh->hub->stopping)) {
		refresh_start(refresh);
		return;
	}
	if (verdict == FAILED && error != -ENOENT)
		log_call(LOG_LEVEL_ERROR, &(struct log_call){.what = refresh->what,
						  .bucket = place_bucket(&refresh->place),
						  .key = place_key(&refresh->place),
						  .error = error,
						  .answer = answer});
	refresh->on_done(refresh, verdict == FAILED ? error : 0);
}

void refresh_start(struct refresh *refresh)
{
	call_init(&refresh->call);
	headers_init(&refresh->headers);
	if (refresh->place.view->attrs_meta)
		refresh->call.sinks.headers = &refresh->headers;
	refresh->call.request.op = S3_HEAD_OBJECT;
	refresh->call.request.bucket = place_bucket(&refresh->place);
	refresh->call.request.key = place_key(&refresh->place);
	refresh->call.account = refresh->place.account;
	refresh->call.on_done = refresh_on_head;
	refresh->call.user = refresh;
	call_post(engine_pick(refresh->hub->engine), &refresh->call);
}
