#include "fs/request/last_reply.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/request/reply.h"

struct last_call {
	struct parked parked; /* the call's own, where `of` is NULL */
	struct parked *of;
	struct batch *batch; /* referenced */
	struct batch_wait wait;
	int error; /* of the call itself; 0: the end of a listing */
};

static void last_call_free(struct last_call *call)
{
	batch_unref(call->batch);
	free(call);
}

static void free_parked(struct parked *parked)
{
	last_call_free((struct last_call *)parked);
}

/* cp takes EIO here for a directory that could not be read, and ends with 1.  cp has nothing more to do,
 * so it loses nothing by that. */
static void answer_end(struct parked *parked, int error)
{
	if (parked_take(parked)) {
		if (error < 0)
			hub_reply_err(parked->req, -EIO);
		else
			fuse_reply_buf(parked->req, NULL, 0);
	}
	parked_drop(parked);
}

static void last_reply_on_settled(struct batch_wait *wait, int error)
{
	struct last_call *call = wait->user;
	struct parked *of = call->of;

	if (call->error == 0) {
		/* Only removals failed: the process reads a directory to remove it, and its rmdir will
		 * report the error.  Or there is evidence of a later call by now: the evidence may have
		 * been missing only while the mounts were read once more. */
		if (error < 0 && (!wait->lacking || batch_coming(call->batch))) {
			batch_put_error(call->batch, wait, error);
			error = 0;
		}
		answer_end(&call->parked, error);
		return;
	}
	/* This error was not reported yet. */
	if (error < 0)
		batch_put_error(call->batch, wait, error);
	batch_refused(call->batch);
	parked_fail(of ? of : &call->parked, call->error);
	if (of)
		last_call_free(call);
}

/* NULL: no memory. */
static struct last_call *last_call_new(struct batch *batch, int error)
{
	struct last_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->batch = batch_ref(batch);
	call->error = error;
	call->wait.on_done = last_reply_on_settled;
	call->wait.user = call;
	return call;
}

static void last_reply_wait_for_all(fuse_req_t req, struct batch *batch, int error)
{
	struct last_call *call = last_call_new(batch, error);

	if (!call) {
		hub_reply_err(req, error < 0 ? error : -ENOMEM);
		return;
	}
	parked_init(&call->parked, req, free_parked);
	batch_wait(batch, &call->wait);
}

void last_call_end(fuse_req_t req, struct batch *batch)
{
	last_reply_wait_for_all(req, batch, 0);
}

void last_call_fail(fuse_req_t req, struct batch *batch, int error)
{
	if (batch)
		last_reply_wait_for_all(req, batch, error);
	else
		hub_reply_err(req, error);
}

void last_call_fail_parked(struct parked *parked, int error)
{
	struct batch *batch = early_batch_of(parked->hub, parked->thread);
	struct last_call *call = batch ? last_call_new(batch, error) : NULL;

	batch_unref(batch);
	if (!call) {
		parked_fail(parked, error);
		return;
	}
	call->of = parked;
	batch_wait(call->batch, &call->wait);
}
