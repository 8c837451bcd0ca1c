#include "s3/page.h"

#include <errno.h>
#include <stdlib.h>

enum { ENTRIES_FIRST = 128 };

int page_new(struct page **ret)
{
	struct page *page = calloc(1, sizeof(*page));
	if (!page)
		return -ENOMEM;
	buf_init(&page->arena, PAGE_BYTES_MAX);
	*ret = page;
	return 0;
}

void page_free(struct page *page)
{
	if (!page)
		return;
	buf_release(&page->arena);
	free(page->entries);
	free(page);
}

void page_clear(struct page *page)
{
	buf_clear(&page->arena);
	page->count = 0;
	page->truncated = false;
	page->token = STR_NONE;
	page->last = STR_NONE;
	page->left_out = 0;
	page->left_out_key = STR_NONE;
}

int page_add(struct page *page, unsigned max, struct page_entry **ret)
{
	if (page->count >= max)
		return -EOVERFLOW;
	if (page->count == page->size) {
		unsigned size = page->size == 0 ? ENTRIES_FIRST : page->size * 2;
		struct page_entry *entries = reallocarray(page->entries, size, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		page->entries = entries;
		page->size = size;
	}
	*ret = &page->entries[page->count++];
	**ret = (struct page_entry){.key = STR_NONE, .etag = STR(""), .storage_class = STR("")};
	return 0;
}

/* Texts outside of the old arena are static ones. */
static void move_str(struct str *s, uintptr_t from, size_t len, const char *to)
{
	uintptr_t at = (uintptr_t)s->data;
	if (s->data && at >= from && at - from < len)
		s->data = to + (at - from);
}

static void page_move_texts(struct page *page, uintptr_t from, size_t len)
{
	const char *to = page->arena.data;
	for (unsigned i = 0; i < page->count; i++) {
		struct page_entry *entry = &page->entries[i];
		move_str(&entry->key, from, len, to);
		move_str(&entry->etag, from, len, to);
		move_str(&entry->storage_class, from, len, to);
	}
	move_str(&page->token, from, len, to);
	move_str(&page->last, from, len, to);
	move_str(&page->left_out_key, from, len, to);
}

int page_text(struct page *page, struct str text, struct str *ret)
{
	if (text.len == 0) {
		*ret = STR("");
		return 0;
	}
	uintptr_t from = (uintptr_t)page->arena.data;
	size_t len = page->arena.len;
	int error = buf_add_str(&page->arena, text);
	if (error != 0)
		return error;
	if (len > 0 && (uintptr_t)page->arena.data != from)
		page_move_texts(page, from, len);
	*ret = str_n(page->arena.data + len, text.len);
	return 0;
}
