#include "engine/object/compare.h"

#include <errno.h>
#include "engine/object/condition.h"

static void compare_ask(struct compare *compare);

bool compare_is_needed(struct str one, struct str other)
{
	return etag_is_md5(one) && etag_is_md5(other) && !str_eq(one, other);
}

static void compare_end(
	struct compare *compare, enum compare_verdict verdict, int error, const struct s3_answer *answer)
{
	compare->verdict = verdict;
	compare->error = error;
	compare->on_done(compare, answer);
}

static void compare_done(struct call *call, const struct s3_answer *answer)
{
	struct compare *compare = call->user;
	const struct compare_side *side = compare->at_second ? &compare->second : &compare->first;

	bool gone = call->error == -ENOENT || (call->error == 0 && !str_eq(str_of(answer->etag), side->etag));

	if (call->error != 0 && !gone)
		compare_end(compare, COMPARE_DENIED, call->error == -EACCES ? 0 : call->error, answer);
	else if (!gone && answer->etag_is_opaque)
		compare_end(compare, COMPARE_OPAQUE, 0, answer);
	else if (gone || compare->at_second)
		compare_end(compare, COMPARE_DIFFER, 0, answer);
	else {
		compare->at_second = true;
		compare_ask(compare);
	}
}

static void compare_ask(struct compare *compare)
{
	const struct compare_side *side = compare->at_second ? &compare->second : &compare->first;
	struct call *call = &compare->call;

	call_init(call);
	call->account = side->account;
	call->request = (struct s3_request){.op = S3_HEAD_OBJECT, .bucket = side->bucket, .key = side->key};
	call->flags = compare->call_flags;
	call->on_done = compare_done;
	call->user = compare;
	call_start(compare->worker, call);
}

void compare_start(struct worker *worker, struct compare *compare)
{
	compare->worker = worker;
	compare->at_second = false;
	compare_ask(compare);
}

void compare_cancel(struct compare *compare)
{
	call_cancel(&compare->call);
}
