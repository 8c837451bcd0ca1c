#include "engine/list/key_check.h"

#include <errno.h>

/* The last code point that XML can carry: what begins with it comes after everything else. */
#define LAST_POINT "\xf4\x8f\xbf\xbd"

/*
 * A start-after that lies before key with (almost) nothing between: the byte before its last one, and what
 * comes after all that begins so.  Where that can't be said in printable ASCII, the key without its last code
 * point: then more is listed, to no harm.
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

static void on_page(void *user, struct page *page)
{
	struct look *look = user;
	for (unsigned i = 0; i < page->count && look->at < look->count; i++) {
		struct str key = str_skip(page->entries[i].key, look->prefix.len);
		int order = -1;
		while (look->at < look->count && (order = str_cmp(look->key(look->user, look->at), key)) < 0)
			look->at++;
		if (look->at < look->count && order == 0)
			look->on_seen(look->user, look->at++, &page->entries[i]);
	}
	look->passed = look->at == look->count;
	if (look->passed) {
		page_free(page);
		lister_cancel(look->lister);
	} else {
		lister_recycle(look->lister, page);
	}
}

static void on_done(void *user, int error, const struct s3_answer *answer)
{
	struct look *look = user;
	if (look->passed)
		error = 0;
	look->on_done(look->user, error, error != 0 ? answer : NULL);
}

int look_start(struct worker *worker, struct look *look)
{
	struct str first = look->key(look->user, 0);
	struct buf after;
	buf_init(&after, KEY_MAX + sizeof(LAST_POINT));
	buf_add_str(&after, look->prefix);
	int err = first.len > 0 ? before(&after, first) : 0;
	struct lister_options options = {
		.account = look->account,
		.bucket = look->bucket,
		.prefix = look->prefix,
		.start_after = first.len > 1 && after.len > 0 ? buf_str(&after) : STR_NONE,
		.streams = 1,
		.credits = 1,
		.bulk = true,
		.on_page = on_page,
		.on_done = on_done,
		.user = look,
	};
	look->at = 0;
	look->passed = false;
	if (err == 0)
		err = lister_start(worker, &options, &look->lister);
	buf_release(&after);
	return err;
}
