#include "fs/dir/dir_merge.h"

#include <errno.h>
#include <stdlib.h>

struct merge_held {
	struct merge_held *below; /* a shorter name */
	struct page_entry entry; /* its texts lie in text */
	size_t name_len;
	char text[];
};

static void emit(struct dir_merge *merge, struct str name, const struct page_entry *entry)
{
	merge->emit(merge->user, key_name_ok(name) ? MERGE_ENTRY : MERGE_UNSHOWABLE, name, entry);
}

static struct str dir_merge_put(char **at, struct str s)
{
	char *start = *at;

	if (s.len > 0)
		memcpy(start, s.data, s.len);
	*at += s.len;
	return str_n(start, s.len);
}

static int dir_merge_hold(struct dir_merge *merge, struct str name, const struct page_entry *entry)
{
	struct merge_held *held =
		malloc(sizeof(*held) + entry->key.len + entry->etag.len + entry->storage_class.len + 1);

	if (!held)
		return -ENOMEM;
	char *at = held->text;

	held->entry = *entry;
	held->entry.key = dir_merge_put(&at, entry->key);
	held->entry.etag = dir_merge_put(&at, entry->etag);
	held->entry.storage_class = dir_merge_put(&at, entry->storage_class);
	held->name_len = name.len;
	held->below = merge->top;
	merge->top = held;
	return 0;
}

static struct str held_name(const struct merge_held *held)
{
	return str_n(held->entry.key.data + held->entry.key.len - held->name_len, held->name_len);
}

/* With this key reached, can "name/" still come, or is it here?  Keys rise. */
static bool may_follow(struct str name, struct str rel)
{
	return str_has_prefix(rel, name) && (rel.len == name.len || (unsigned char)rel.data[name.len] <= '/');
}

/* Emits the held names that rel shows to be without a directory. */
static void decide(struct dir_merge *merge, struct str rel)
{
	while (merge->top && !may_follow(held_name(merge->top), rel)) {
		struct merge_held *held = merge->top;

		merge->top = held->below;
		emit(merge, held_name(held), &held->entry);
		free(held);
	}
}

static void directory(struct dir_merge *merge, struct str name, const struct page_entry *entry)
{
	struct merge_held *held = merge->top;

	if (held && str_eq(held_name(held), name)) {
		merge->top = held->below;
		merge->emit(merge->user, MERGE_HIDDEN, held_name(held), &held->entry);
		free(held);
	}
	emit(merge, name, entry);
}

/* An answer has its objects and its prefixes in two sequences, each in key order (AWS, ListObjectsV2). */
struct merge_walk {
	const struct page *page;
	unsigned object, prefix; /* where each sequence is */
};

static unsigned skip_to(const struct page *page, unsigned at, bool is_prefix)
{
	while (at < page->count && page->entries[at].is_prefix != is_prefix)
		at++;
	return at;
}

static const struct page_entry *walk_peek(struct merge_walk *walk)
{
	const struct page *page = walk->page;

	walk->object = skip_to(page, walk->object, false);
	walk->prefix = skip_to(page, walk->prefix, true);
	if (walk->object == page->count)
		return walk->prefix == page->count ? NULL : &page->entries[walk->prefix];
	if (walk->prefix == page->count)
		return &page->entries[walk->object];
	const struct page_entry *object = &page->entries[walk->object],
				*prefix = &page->entries[walk->prefix];

	return str_cmp(object->key, prefix->key) <= 0 ? object : prefix;
}

static const struct page_entry *walk_next(struct merge_walk *walk)
{
	const struct page_entry *entry = walk_peek(walk);

	if (entry)
		++*(entry->is_prefix ? &walk->prefix : &walk->object);
	return entry;
}

int dir_merge_page(struct dir_merge *merge, const struct page *page)
{
	struct merge_walk walk = {.page = page};
	const struct page_entry *entry;

	while ((entry = walk_next(&walk))) {
		struct str rel = str_skip(entry->key, merge->prefix_len);

		decide(merge, rel);
		if (rel.len == 0) {
			merge->emit(merge->user, MERGE_MARKER, rel, entry);
			continue;
		}
		if (entry->is_prefix) {
			directory(merge, str_n(rel.data, rel.len - 1), entry);
			continue;
		}
		/* Nearly always the next key already shows that no directory of this name comes. */
		const struct page_entry *next = walk_peek(&walk);

		if (next && !may_follow(rel, str_skip(next->key, merge->prefix_len)))
			emit(merge, rel, entry);
		else if (dir_merge_hold(merge, rel, entry) < 0)
			return -ENOMEM;
	}
	return 0;
}

void dir_merge_end(struct dir_merge *merge)
{
	/* Nothing begins with a name that no key can have: every held one is decided. */
	while (merge->top) {
		struct merge_held *held = merge->top;

		merge->top = held->below;
		emit(merge, held_name(held), &held->entry);
		free(held);
	}
}

void dir_merge_clear(struct dir_merge *merge)
{
	while (merge->top) {
		struct merge_held *held = merge->top;

		merge->top = held->below;
		free(held);
	}
}
