#include "engine/list/key_check.h"

#include <errno.h>

/* The last code point that XML can carry: keys that begin with it come after all others. */
#define LAST_POINT "\xf4\x8f\xbf\xbd"

/*
 * A start-after that lies before key with (almost) nothing between: the byte before its last one, and a
 * suffix that comes after all keys that begin so.  Where that can't be said in printable ASCII, the key
 * without its last code point: then more is listed, to no harm.
 */
static int before(struct buf *ret, struct str key)
{
	unsigned char last = (unsigned char)key.data[key.len - 1];
	size_t keep = key.len - 1;
	if (last > 0x20 && last < 0x7f) {
		char lower = (char)(last - 1);
		buf_add(ret, key.data, keep);
		buf_add_char(ret, lower);
		return buf_add_text(ret, LAST_POINT);
	}
	while (keep > 0 && ((unsigned char)key.data[keep] & 0xc0) == 0x80)
		keep--;
	return buf_add(ret, key.data, keep);
}

/* Sets look->after to just before the key that is looked for next; empty: from the beginning. */
static int look_aim(struct look *look)
{
	struct str key = look->key(look->user, look->at);
	buf_clear(&look->after);
	if (key.len < 2)
		return 0;
	int error = buf_add_str(&look->after, look->prefix);
	return error != 0 ? error : before(&look->after, key);
}

/* None of the page's keys was looked for.  Does a listing that begins before the next one leave others
 * out? */
static bool look_should_jump(struct look *look, const struct page *page)
{
	if (page->count == 0 || look_aim(look) != 0 || look->after.len == 0)
		return false;
	return str_cmp(buf_str(&look->after), page->entries[page->count - 1].key) > 0;
}

static void key_check_on_page(void *user, struct page *page)
{
	struct look *look = user;
	bool found = false;
	for (unsigned i = 0; i < page->count && look->at < look->count; i++) {
		struct str key = str_skip(page->entries[i].key, look->prefix.len);
		int order = -1;
		while (look->at < look->count && (order = str_cmp(look->key(look->user, look->at), key)) < 0)
			look->at++;
		if (look->at < look->count && order == 0) {
			found = true;
			look->on_seen(look->user, look->at++, &page->entries[i]);
		}
	}
	look->passed = look->at == look->count;
	look->jumping = !look->passed && !found && look_should_jump(look, page);
	if (look->passed || look->jumping) {
		page_free(page);
		lister_cancel(look->lister);
	} else {
		lister_recycle(look->lister, page);
	}
}

static int look_list(struct look *look);

static void on_done(void *user, int error, const struct s3_answer *answer)
{
	struct look *look = user;
	if (look->jumping) {
		look->jumping = false;
		answer = NULL;
		error = look_list(look);
		if (error == 0)
			return;
	}
	if (look->passed)
		error = 0;
	buf_release(&look->after);
	look->on_done(look->user, error, error != 0 ? answer : NULL);
}

static int look_list(struct look *look)
{
	const struct lister_options options = {
		.account = look->account,
		.bucket = look->bucket,
		.prefix = look->prefix,
		.start_after = look->after.len > 0 ? buf_str(&look->after) : STR_NONE,
		.streams = 1,
		.credits = 1,
		.bulk = true,
		.on_page = key_check_on_page,
		.on_done = on_done,
		.user = look,
	};
	return lister_start(look->worker, &options, &look->lister);
}

int look_start(struct worker *worker, struct look *look)
{
	look->worker = worker;
	look->at = 0;
	look->passed = look->jumping = false;
	buf_init(&look->after, KEY_MAX + sizeof(LAST_POINT));
	int error = look_aim(look);
	if (error == 0)
		error = look_list(look);
	if (error != 0)
		buf_release(&look->after);
	return error;
}
