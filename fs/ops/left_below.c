#include "fs/ops/left_below.h"

enum { LEFT_BELOW_KEYS = 100 };

static void left_below_on_listed(struct call *call, const struct s3_answer *answer)
{
	struct left_below *left = call->user;

	left->error = call->error;
	for (unsigned i = 0; left->error == 0 && i < left->page->count; i++)
		left->marked |= str_eq(left->page->entries[i].key, left->prefix);
	left->on_done(left, answer);
}

int left_below_post(struct left_below *left, struct worker *worker)
{
	int error = page_new(&left->page);

	if (error < 0)
		return error;
	call_init(&left->call);
	left->call.request.op = S3_LIST_OBJECTS;
	left->call.request.bucket = left->bucket;
	left->call.request.prefix = left->prefix;
	left->call.request.max_keys = LEFT_BELOW_KEYS;
	left->call.account = left->account;
	left->call.sinks.page = left->page;
	left->call.on_done = left_below_on_listed;
	left->call.user = left;
	call_post(worker, &left->call);
	return 0;
}

bool left_below_next(const struct left_below *left, unsigned *at, struct str *ret_key)
{
	while (*at < left->page->count) {
		struct str key = left->page->entries[(*at)++].key;

		if (!str_eq(key, left->prefix)) {
			*ret_key = key;
			return true;
		}
	}
	return false;
}

void left_below_release(struct left_below *left)
{
	page_free(left->page);
	left->page = NULL;
}
