/*
 * copy -> end
 *      -> the source is gone -> an ordinary marker is written -> end
 *      -> EACCES, of another account -> HEAD -> carry.h -> end
 */
#include "fs/early/marker_copy.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "fs/core/hub.h"
#include "fs/core/place.h"

static void marker_copy_end(struct marker_copy *copy, int error, const struct s3_answer *answer)
{
	if (error == -ENOENT || error == -ESTALE)
		marker_write(copy->marker);
	else
		marker_end(copy->marker, error, answer);
}

static void marker_copy_on_carried(struct carry *carry, const struct s3_answer *answer)
{
	marker_copy_end(carry->user, carry->error, answer);
}

static void marker_copy_on_head(struct call *call, const struct s3_answer *answer)
{
	struct marker_copy *copy = call->user;

	if (call->error < 0) {
		marker_copy_end(copy, call->error, answer);
		return;
	}
	snprintf(copy->etag, sizeof(copy->etag), "%s", answer->etag);
	copy->carry = (struct carry){
		.from = &copy->from,
		.to = &copy->marker->place,
		.etag = copy->etag,
		.size = answer->size,
		.staging_dir = copy->marker->hub->staging_dir,
		.on_done = marker_copy_on_carried,
		.user = copy,
	};
	carry_start(copy->marker->worker, &copy->carry);
}

/* Copies by way of this machine. */
static void marker_copy_fetch(struct marker_copy *copy)
{
	call_init(&copy->call);
	copy->call.request.op = S3_HEAD_OBJECT;
	copy->call.request.bucket = place_bucket(&copy->from);
	copy->call.request.key = place_key(&copy->from);
	copy->call.account = copy->from.account;
	copy->call.on_done = marker_copy_on_head;
	copy->call.user = copy;
	call_start(copy->marker->worker, &copy->call);
}

static void marker_copy_on_copied(struct copy *done, const struct s3_answer *answer)
{
	struct marker_copy *copy = done->user;

	if (done->error == -EACCES && !account_same(copy->from.account, copy->marker->place.account))
		marker_copy_fetch(copy);
	else
		marker_copy_end(copy, done->error, answer);
}

static void marker_copy_run(struct task *task, struct worker *worker)
{
	struct marker_copy *copy = (struct marker_copy *)((char *)task - offsetof(struct marker_copy, task));
	const struct place *to = &copy->marker->place;

	if (carry_wanted(&copy->from, to)) {
		marker_copy_fetch(copy);
		return;
	}
	copy->settings = view_copy_settings(to->view);
	copy->copy = (struct copy){
		.settings = &copy->settings,
		.source_account = copy->from.account,
		.account = to->account,
		.source_bucket = place_bucket(&copy->from),
		.source_key = place_key(&copy->from),
		.bucket = place_bucket(to),
		.key = place_key(to),
		.size = copy->plain ? 0 : COPY_SIZE_UNKNOWN,
		.on_done = marker_copy_on_copied,
		.user = copy,
	};
	copy_start(worker, &copy->copy);
}

void marker_copy(struct marker_copy *copy, struct marker *marker)
{
	copy->marker = marker;
	copy->task = (struct task){.run = marker_copy_run};
	worker_post(marker->worker, &copy->task);
}
