#include "fs/cmd/bench.h"

int bench_keys_init(struct bench_keys *keys, const struct bench_blocking *bench)
{
	const struct bench_options *options = bench->options;
	int error;

	*keys = (struct bench_keys){
		.engine = bench->engine,
		.account = bench->account,
		.bucket = address_bucket(&options->source),
		.prefix = address_key(&options->source),
		.exclude = address_exclude(&options->source, &options->destination),
	};
	error = page_new(&keys->page);
	return error < 0 ? error : page_new(&keys->spare);
}

void bench_keys_release(struct bench_keys *keys)
{
	page_free(keys->page);
	page_free(keys->spare);
}

/* The old page lends its token, or its last key, to the request that fills the other. */
static int turn_page(struct bench_keys *keys, struct s3_answer *ret_answer)
{
	struct page *old = keys->page;
	struct call call;
	int error;

	call_init(&call);
	call.account = keys->account;
	call.request = (struct s3_request){
		.op = S3_LIST_OBJECTS,
		.bucket = keys->bucket,
		.prefix = keys->prefix,
		.token = keys->started ? old->token : STR_NONE,
		.start_after = keys->started && !old->token.data ? old->last : STR_NONE,
	};
	call.sinks.page = keys->spare;
	call.flags = CALL_BULK;
	error = call_wait(keys->engine, &call, ret_answer);
	if (error < 0)
		return error;
	keys->page = keys->spare;
	keys->spare = old;
	keys->at = 0;
	keys->started = true;
	return 0;
}

static void bench_keys_set_text(char *ret, size_t size, struct str s)
{
	size_t len = s.len < size - 1 ? s.len : size - 1;

	if (len)
		memcpy(ret, s.data, len);
	ret[len] = '\0';
}

static void set_key(struct bench_key *ret, const struct page_entry *entry)
{
	bench_keys_set_text(ret->key, sizeof(ret->key), entry->key);
	ret->key_len = entry->key.len < KEY_MAX ? entry->key.len : KEY_MAX;
	bench_keys_set_text(ret->etag, sizeof(ret->etag), entry->etag);
	bench_keys_set_text(ret->storage_class, sizeof(ret->storage_class), entry->storage_class);
	ret->size = entry->size;
}

int bench_keys_next(struct bench_keys *keys, struct bench_key *ret, struct s3_answer *ret_answer)
{
	int error;

	for (;;) {
		while (keys->at < keys->page->count) {
			const struct page_entry *entry = &keys->page->entries[keys->at++];

			if (keys->exclude.data && str_has_prefix(entry->key, keys->exclude))
				continue;
			set_key(ret, entry);
			return 1;
		}
		if (keys->started && !keys->page->truncated)
			return 0;
		error = turn_page(keys, ret_answer);
		if (error < 0)
			return error;
	}
}
