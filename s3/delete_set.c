#include "s3/delete_set.h"

#include <errno.h>
#include <stdlib.h>

enum {
	INDEX_SIZE = 2048, /* a power of two, twice the number of keys */
	ETAG_BYTES_MAX = 130,
	ARENA_MAX = DELETE_SET_MAX * (KEY_MAX + ETAG_BYTES_MAX),
};

int delete_set_new(struct delete_set **ret)
{
	struct delete_set *set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	buf_init(&set->arena, ARENA_MAX);
	set->entries = calloc(DELETE_SET_MAX, sizeof(*set->entries));
	set->index = calloc(INDEX_SIZE, sizeof(*set->index));
	if (!set->entries || !set->index) {
		delete_set_free(set);
		return -ENOMEM;
	}
	*ret = set;
	return 0;
}

void delete_set_free(struct delete_set *set)
{
	if (!set)
		return;
	buf_release(&set->arena);
	free(set->entries);
	free(set->index);
	free(set);
}

void delete_set_clear(struct delete_set *set)
{
	if (set->count > 0)
		memset(set->index, 0, INDEX_SIZE * sizeof(*set->index));
	set->count = 0;
	buf_clear(&set->arena);
}

/* A set is too small for crafted collisions to matter. */
static uint32_t hash_key(struct str key)
{
	uint64_t hash = str_hash(STR_HASH_START, key);

	return (uint32_t)(hash ^ (hash >> 32));
}

/* Where key is in the index, or the free place for it. */
static uint32_t *find_slot(const struct delete_set *set, struct str key)
{
	uint32_t at = hash_key(key) & (INDEX_SIZE - 1);
	while (set->index[at] != 0 && !str_eq(set->entries[set->index[at] - 1].key, key))
		at = (at + 1) & (INDEX_SIZE - 1);
	return &set->index[at];
}

/* The arena's bytes came to lie elsewhere. */
static void delete_set_move_texts(struct delete_set *set, uintptr_t from)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct delete_entry *entry = &set->entries[i];
		entry->key.data = set->arena.data + ((uintptr_t)entry->key.data - from);
		if (entry->etag.data)
			entry->etag.data = set->arena.data + ((uintptr_t)entry->etag.data - from);
	}
}

int delete_set_add(struct delete_set *set, struct str key, struct str etag, void *user)
{
	if (key.len == 0 || key.len > KEY_MAX || !key_xml_ok(key))
		return -EINVAL;
	if (etag.data && (etag.len == 0 || etag.len > ETAG_BYTES_MAX || !key_xml_ok(etag)))
		return -EINVAL;
	if (set->count == DELETE_SET_MAX)
		return -E2BIG;
	uint32_t *slot = find_slot(set, key);
	if (*slot != 0)
		return -EEXIST;
	uintptr_t from = (uintptr_t)set->arena.data;
	size_t start = set->arena.len;
	buf_add_str(&set->arena, key);
	buf_add_str(&set->arena, etag);
	/* grown for the first of the two texts, perhaps, though not for the second */
	if ((uintptr_t)set->arena.data != from)
		delete_set_move_texts(set, from);
	if (set->arena.error != 0)
		return set->arena.error;
	const char *data = set->arena.data + start;
	set->entries[set->count] = (struct delete_entry){
		.key = str_n(data, key.len),
		.etag = !etag.data ? STR_NONE : str_n(data + key.len, etag.len),
		.user = user,
	};
	*slot = ++set->count;
	return 0;
}

static void add_entry(const struct delete_entry *entry, struct buf *ret)
{
	buf_add_text(ret, "<Object><Key>");
	key_xml(ret, entry->key);
	buf_add_text(ret, "</Key>");
	if (entry->etag.data) {
		/* as an If-Match header has it: quoted, but for the one that means "any" */
		bool any = str_eq(entry->etag, STR("*"));
		buf_add_text(ret, any ? "<ETag>" : "<ETag>&quot;");
		key_xml(ret, entry->etag);
		buf_add_text(ret, any ? "</ETag>" : "&quot;</ETag>");
	}
	buf_add_text(ret, "</Object>");
}

int delete_set_body(const struct delete_set *set, struct buf *ret)
{
	/* Never <Quiet>: that would leave only the server's silence to say that a key is gone. */
	buf_add_text(ret, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			  "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (unsigned i = 0; i < set->count; i++)
		add_entry(&set->entries[i], ret);
	buf_add_text(ret, "</Delete>");
	return ret->error;
}

void delete_set_retry(struct delete_set *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct delete_entry *entry = &set->entries[i];
		entry->earlier = entry->outcome == DELETE_DONE;
		if (!entry->earlier)
			entry->outcome = DELETE_PENDING;
		entry->code[0] = '\0';
	}
}

int delete_set_result(struct delete_set *set, struct str key, struct str code)
{
	uint32_t slot = *find_slot(set, key);
	if (slot == 0)
		return -EBADMSG;
	struct delete_entry *entry = &set->entries[slot - 1];
	if (entry->earlier || entry->outcome == DELETE_FAILED)
		return 0;
	entry->outcome = !code.data ? DELETE_DONE : DELETE_FAILED;
	size_t len = code.len < sizeof(entry->code) ? code.len : sizeof(entry->code) - 1;
	if (code.data)
		memcpy(entry->code, code.data, len);
	entry->code[len] = '\0';
	return 0;
}
