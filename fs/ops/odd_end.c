#include "fs/ops/odd_end.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "fs/core/place.h"
#include "fs/request/last_reply.h"
#include "fs/request/parked.h"
#include "fs/request/reply.h"

struct ending {
	struct parked parked;
	struct node *directory; /* referenced */
	struct resolve resolve;
};

static void ending_free(struct parked *parked)
{
	struct ending *ending = (struct ending *)parked;
	struct hub *hub = parked->hub;

	hub_lock(hub);
	node_unref(hub->nodes, ending->directory);
	hub_unlock(hub);
	free(ending);
}

static void odd_end_log_refusal(struct hub *hub, const struct node *directory)
{
	struct place place;

	hub_lock(hub);
	int error = node_place(directory, &place);

	hub_unlock(hub);
	if (error == 0 && log_once("odd", place_bucket(&place), place_key(&place)))
		log_call(LOG_LEVEL_ERROR,
			&(struct log_call){
				.what = "list",
				.bucket = place_bucket(&place),
				.key = place_key(&place),
				.error = -EIO,
				.consequence =
					"some keys have no name, so that a copy would be without them: see "
					"odd_keys in ferryfs(1)",
			});
}

static void on_known(struct resolve *resolve)
{
	struct ending *ending = resolve->user;
	struct parked *parked = &ending->parked;
	bool looks = resolve->caller.looks;

	if (resolve->pidfd >= 0)
		close(resolve->pidfd);
	if (!looks)
		odd_end_log_refusal(parked->hub, ending->directory);
	if (parked_take(parked)) {
		if (looks)
			fuse_reply_buf(parked->req, NULL, 0);
		else
			hub_reply_err(parked->req, -EIO);
	}
	parked_drop(parked);
}

static void odd_end_ask(struct hub *hub, fuse_req_t req, struct node *directory)
{
	struct ending *ending = calloc(1, sizeof(*ending));

	if (!ending) {
		hub_reply_err(req, -ENOMEM);
		return;
	}
	hub_lock(hub);
	ending->directory = node_ref(directory);
	hub_unlock(hub);
	parked_init(&ending->parked, req, ending_free);
	ending->resolve = (struct resolve){
		.pid = ending->parked.thread, .pidfd = -1, .on_done = on_known, .user = ending};
	if (!hub->early || ending->resolve.pid <= 0 ||
		resolver_ask(hub->early->resolver, &ending->resolve) < 0)
		on_known(&ending->resolve);
}

bool odd_end(struct hub *hub, fuse_req_t req, const struct dir_stream *stream, struct batch *batch)
{
	struct node *directory = dir_stream_directory(stream);

	if (batch && batch_caller(batch)->tool == CALLER_RM)
		return false;
	hub_lock(hub);
	const struct view *view = node_view(directory);
	bool odd = dir_stream_odd(stream) && view && view->odd_keys != ODD_KEYS_HIDE;

	hub_unlock(hub);
	if (!odd)
		return false;
	if (batch) {
		odd_end_log_refusal(hub, directory);
		last_call_fail(req, batch, -EIO);
	} else {
		odd_end_ask(hub, req, directory);
	}
	return true;
}
