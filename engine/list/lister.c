/*
 * The listing of a prefix as one or several streams; lister_internal.h explains a stream.
 *
 * Invariants: busy + free credits + pages with the caller = the credits ever given; a lister ends when no
 * stream is left or, after an error or a cancel, when none is busy; on_done comes from a task of its own and
 * so never from inside.
 */
#include "engine/list/lister_internal.h"
#include "engine/base/log.h"

#include <errno.h>
#include <stdlib.h>

enum { CREDITS_DEFAULT = 4, TOKEN_MAX = 8192 };

/* After a common prefix, a listing by start-after goes on behind every key that begins with it. */
#define BEHIND_PREFIX "\xf4\x8f\xbf\xbf"

static void stream_done(struct call *call, const struct s3_answer *answer);

struct stream *lister_stream_new(struct lister *lister, struct str after, struct str end)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NULL;
	stream->lister = lister;
	stream->first = true;
	buf_init(&stream->after, LISTER_KEY_MAX);
	buf_init(&stream->end, LISTER_KEY_MAX);
	buf_init(&stream->token, TOKEN_MAX);
	call_init(&stream->call);
	stream->has_after = after.data;
	stream->has_end = end.data;
	if ((stream->has_after && buf_add_str(&stream->after, after) != 0) ||
		(stream->has_end && buf_add_str(&stream->end, end) != 0)) {
		buf_release(&stream->after);
		buf_release(&stream->end);
		free(stream);
		return NULL;
	}
	stream->next = lister->streams;
	lister->streams = stream;
	lister->stream_count++;
	return stream;
}

static void stream_free(struct stream *stream)
{
	struct lister *lister = stream->lister;
	for (struct stream **at = &lister->streams; *at; at = &(*at)->next) {
		if ((*at)->parent == stream)
			(*at)->parent = NULL;
	}
	for (struct stream **at = &lister->streams; *at; at = &(*at)->next) {
		if (*at == stream) {
			*at = stream->next;
			break;
		}
	}
	lister->stream_count--;
	page_free(stream->page);
	buf_release(&stream->after);
	buf_release(&stream->end);
	buf_release(&stream->token);
	free(stream);
}

/* ---- pages ---- */

static struct page *page_take(struct lister *lister)
{
	struct page *page = NULL;
	if (lister->kept_count > 0)
		return lister->kept[--lister->kept_count];
	if (page_new(&page) != 0)
		return NULL;
	page->lenient = true;
	return page;
}

static void page_keep(struct lister *lister, struct page *page)
{
	if (lister->kept_count == LISTER_KEPT_MAX) {
		page_free(page);
		return;
	}
	page_clear(page);
	lister->kept[lister->kept_count++] = page;
}

/* ---- the end ---- */

static void lister_finish(struct task *task, struct worker *worker)
{
	struct lister *lister = (struct lister *)((char *)task - offsetof(struct lister, finish));
	int error = lister->error == 0 && lister->left_out ? -EUCLEAN : lister->error;
	lister->options.on_done(lister->options.user, error, lister->answer);
	while (lister->streams)
		stream_free(lister->streams);
	while (lister->kept_count > 0)
		page_free(lister->kept[--lister->kept_count]);
	buf_release(&lister->texts);
	buf_release(&lister->scout_prefix);
	page_free(lister->points);
	free(lister->answer);
	free(lister);
}

static void lister_check_end(struct lister *lister)
{
	bool over = lister->error != 0 ? lister->busy == 0 : lister->stream_count == 0;
	if (!over || lister->finishing || lister->inside > 0)
		return;
	if (lister->scouting) {
		lister_scout_end(lister);
		return;
	}
	lister->finishing = true;
	lister->finish.run = lister_finish;
	worker_post(lister->worker, &lister->finish);
}

static void lister_fail(struct lister *lister, int error, const struct s3_answer *answer)
{
	if (lister->error != 0)
		return;
	lister->error = error;
	if (answer && (answer->status != 0 || answer->error.message[0] != '\0')) {
		lister->answer = malloc(sizeof(*answer));
		if (lister->answer)
			*lister->answer = *answer;
	}
	for (struct stream *s = lister->streams; s; s = s->next)
		call_cancel(&s->call);
	lister_scout_end(lister);
}

/* ---- one page of one stream ---- */

static void stream_ask(struct stream *stream)
{
	struct lister *lister = stream->lister;
	const struct lister_options *options = &lister->options;
	struct page *page = page_take(lister);
	if (!page) {
		lister_fail(lister, -ENOMEM, NULL);
		return;
	}
	stream->page = page;
	call_init(&stream->call);
	struct call *call = &stream->call;
	call->account = options->account;
	call->request.op = S3_LIST_OBJECTS;
	call->request.bucket = options->bucket;
	call->request.prefix = options->prefix;
	call->request.delimiter = options->delimiter;
	call->request.max_keys = options->page_size;
	if (stream->has_token)
		call->request.token = buf_str(&stream->token);
	else if (stream->has_after)
		call->request.start_after = buf_str(&stream->after);
	call->sinks.page = page;
	call->flags = options->bulk ? CALL_BULK : 0;
	call->on_done = stream_done;
	call->user = stream;
	lister->busy++;
	lister->credits--;
	lister->pages++;
	call_start(lister->worker, call);
}

static bool page_is_ordered(const struct page *page)
{
	for (unsigned i = 1; i < page->count; i++) {
		if (str_cmp(page->entries[i - 1].key, page->entries[i].key) >= 0)
			return false;
	}
	return true;
}

/* Keys share their beginning with their neighbours: only bytes past the page's common beginning are looked
 * at, of some of its keys, since it is a guess at which bytes this listing's keys use. */
static void look_at_bytes(struct lister *lister, const struct page *page)
{
	enum { SAMPLES = 32 };
	unsigned step = page->count / SAMPLES + 1;
	for (unsigned i = 0; i < page->count; i += step) {
		struct str key = page->entries[i].key;
		for (size_t at = lister->options.prefix.len; at < key.len; at++)
			lister->seen[(unsigned char)key.data[at]] = true;
	}
}

static size_t common_length(struct str a, struct str b)
{
	size_t len = a.len < b.len ? a.len : b.len, at = 0;
	while (at < len && a.data[at] == b.data[at])
		at++;
	return at;
}

/* Leaves the entries in (after, end]; true when the page reached past end. */
static bool page_trim(const struct stream *stream, struct page *page)
{
	unsigned from = 0, to = page->count;
	while (stream->has_after && from < to &&
		str_cmp(page->entries[from].key, buf_str(&stream->after)) <= 0)
		from++;
	while (stream->has_end && to > from && str_cmp(page->entries[to - 1].key, buf_str(&stream->end)) > 0)
		to--;
	bool past = to < page->count;
	page->count = to - from;
	if (from > 0)
		memmove(page->entries, page->entries + from, page->count * sizeof(*page->entries));
	if (page->count > 0)
		page->last = page->entries[page->count - 1].key;
	return past;
}

static int stream_set_after(struct stream *stream, struct str last, const char *more)
{
	buf_clear(&stream->after);
	buf_add_str(&stream->after, last);
	buf_add_text(&stream->after, more);
	stream->has_after = true;
	return stream->after.error;
}

/* Notes where the stream goes on; -EBADMSG when the server has not moved. */
static int stream_move_on(struct stream *stream, const struct page *page, struct str last)
{
	bool moved = page->token.data && !(stream->has_token && str_eq(page->token, buf_str(&stream->token)));
	stream->has_token = page->token.data;
	buf_clear(&stream->token);
	if (stream->has_token && buf_add_str(&stream->token, page->token) != 0)
		return stream->token.error == -ENOMEM ? -ENOMEM : -EBADMSG;
	if (!last.data || stream->lister->unordered)
		return moved ? 0 : -EBADMSG;
	if (stream->has_after && str_cmp(last, buf_str(&stream->after)) <= 0)
		return -EBADMSG;
	return stream_set_after(stream, last, "");
}

/* With a delimiter there is one stream; keys and common prefixes come each in their own order. */
static int stream_take_delimited(struct stream *stream, struct page *page, bool *ret_over)
{
	struct str delimiter = stream->lister->options.delimiter;
	struct str after = buf_str(&stream->after);
	unsigned kept = 0;
	for (unsigned i = 0; i < page->count; i++) {
		if (!stream->behind || str_cmp(page->entries[i].key, after) > 0)
			page->entries[kept++] = page->entries[i];
	}
	page->count = kept;
	*ret_over = !page->truncated;
	if (*ret_over)
		return 0;
	bool moved = page->token.data && !(stream->has_token && str_eq(page->token, buf_str(&stream->token)));
	stream->has_token = page->token.data;
	buf_clear(&stream->token);
	if (stream->has_token)
		return !moved ? -EBADMSG : buf_add_str(&stream->token, page->token);
	if (kept == 0 || !page->last.data)
		return -EBADMSG;
	stream->behind = str_has_suffix(page->last, delimiter);
	return stream_set_after(stream, page->last, stream->behind ? BEHIND_PREFIX : "");
}

/* Keys out of order: fine while there is one stream that follows tokens, otherwise the ranges mean nothing.
 */
static int check_order(struct stream *stream, const struct page *page)
{
	struct lister *lister = stream->lister;
	if (lister->unordered || page_is_ordered(page))
		return 0;
	if (lister->stream_count > 1 || stream->has_end || (page->truncated && !page->token.data))
		return -EBADMSG;
	lister->unordered = true;
	return 0;
}

static int stream_take(struct stream *stream, struct page *page, bool *ret_over)
{
	struct lister *lister = stream->lister;
	if (lister->options.delimiter.data)
		return stream_take_delimited(stream, page, ret_over);
	int error = check_order(stream, page);
	if (error != 0)
		return error;
	struct str last = page->count > 0 ? page->entries[page->count - 1].key : page->last;
	bool past = !lister->unordered && page_trim(stream, page);
	*ret_over = past || !page->truncated;
	if (stream->first && stream->cut && page->count == 0) {
		lister->wasted++;
		if (stream->parent)
			stream->parent->pages = 1;
	} else if (stream->first && stream->cut && stream->cut_at < lister->hit_at) {
		lister->hit_at = stream->cut_at;
	}
	stream->first = false;
	stream->parent = NULL;
	if (*ret_over)
		return 0;
	error = stream_move_on(stream, page, last);
	if (error != 0)
		return error;
	if (page->count > 0 && lister->options.streams > 1) {
		stream->pages++;
		lister_scout(lister);
		stream->common = common_length(page->entries[0].key, last);
		look_at_bytes(lister, page);
	}
	return 0;
}

/* An entry that is left out is never lost in silence: the line names it, and the listing ends with an
 * error. */
static void tell_left_out(struct lister *lister, const struct page *page)
{
	const struct lister_options *options = &lister->options;
	struct str key = page->left_out_key.data ? page->left_out_key : options->prefix;
	lister->left_out = true;
	if (log_once("list", options->bucket, key))
		log_call(
			LOG_LEVEL_WARNING, &(struct log_call){
						   .what = "list",
						   .bucket = options->bucket,
						   .key = key,
						   .error = -EUCLEAN,
						   .consequence = "left out, as is whatever else on its page "
								  "has no usable key, size or ETag",
					   });
}

static void stream_done(struct call *call, const struct s3_answer *answer)
{
	struct stream *stream = call->user;
	struct lister *lister = stream->lister;
	struct page *page = stream->page;
	bool over = false;
	stream->page = NULL;
	lister->busy--;
	int error = call->error;
	if (error == 0 && lister->error == 0) {
		if (page->left_out > 0)
			tell_left_out(lister, page);
		error = stream_take(stream, page, &over);
		answer = NULL;
	}
	if (error != 0)
		lister_fail(lister, error, answer);
	if (over)
		stream_free(stream);
	if (error == 0 && lister->error == 0 && page->count > 0) {
		lister->inside++;
		lister->options.on_page(lister->options.user, page);
		lister->inside--;
	} else {
		lister->credits++;
		page_keep(lister, page);
	}
	lister_pump(lister);
}

void lister_pump(struct lister *lister)
{
	if (lister->inside > 0 || lister->finishing)
		return;
	while (lister->error == 0 && lister->credits > 0) {
		struct stream *stream = lister->streams;
		while (stream && stream->page)
			stream = stream->next;
		if (!stream)
			stream = lister_split(lister);
		if (!stream)
			break;
		stream_ask(stream);
	}
	lister_check_end(lister);
}

/* ---- the caller's side ---- */

static int keep_text(struct lister *lister, struct str *text)
{
	struct str copy = *text;
	if (!copy.data)
		return 0;
	int error = buf_add_str(&lister->texts, copy);
	if (error == 0)
		*text = str_n(NULL, copy.len); /* placed when the buffer no longer moves */
	return error;
}

static void place_text(struct str *text, bool present, const char **at)
{
	if (!present)
		return;
	*text = str_n(*at, text->len);
	*at += text->len;
}

static int lister_keep_texts(struct lister *lister)
{
	struct lister_options *o = &lister->options;
	struct str *texts[] = {&o->bucket, &o->prefix, &o->delimiter, &o->start_after};
	bool present[sizeof(texts) / sizeof(texts[0])];
	if (!o->prefix.data)
		o->prefix = STR("");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		present[i] = texts[i]->data;
		int error = keep_text(lister, texts[i]);
		if (error != 0)
			return error;
	}
	const char *at = buf_text(&lister->texts);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		place_text(texts[i], present[i], &at);
	return 0;
}

int lister_start(struct worker *worker, const struct lister_options *options, struct lister **ret)
{
	if (!options->bucket.data || !options->on_page || !options->on_done)
		return -EINVAL;
	struct lister *lister = calloc(1, sizeof(*lister));
	if (!lister)
		return -ENOMEM;
	lister->worker = worker;
	lister->hit_at = SIZE_MAX;
	lister->options = *options;
	lister->credits = options->credits != 0 ? options->credits : CREDITS_DEFAULT;
	if (lister->options.streams == 0 || options->delimiter.data)
		lister->options.streams = 1;
	if (lister->options.streams > LISTER_STREAMS_MAX)
		lister->options.streams = LISTER_STREAMS_MAX;
	buf_init(&lister->texts, BUCKET_MAX + 4 * KEY_MAX);
	buf_init(&lister->scout_prefix, LISTER_KEY_MAX);
	int error = lister_keep_texts(lister);
	if (error == 0 && !lister_stream_new(lister, lister->options.start_after, STR_NONE))
		error = -ENOMEM;
	if (error != 0) {
		buf_release(&lister->texts);
		free(lister);
		return error == -EOVERFLOW ? -EINVAL : error;
	}
	*ret = lister;
	if (lister->options.scout_early)
		lister_scout(lister);
	lister_pump(lister);
	return 0;
}

void lister_credit(struct lister *lister, unsigned pages)
{
	lister->credits += pages;
	lister_pump(lister);
}

void lister_recycle(struct lister *lister, struct page *page)
{
	page_keep(lister, page);
	lister_credit(lister, 1);
}

void lister_cancel(struct lister *lister)
{
	lister_fail(lister, -ECANCELED, NULL);
	lister_check_end(lister);
}
