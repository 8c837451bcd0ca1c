#include "fs/dir/dir_merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* What was emitted: "a" a file, "a/" a directory, "!a" hidden, "?a" unshowable, "." the marker; a space after
 * each. */
static char out[65536];

static void on_emit(void *user, enum merge_event event, struct str name, const struct page_entry *entry)
{
	static const char *const before[] = {
		[MERGE_ENTRY] = "", [MERGE_HIDDEN] = "!", [MERGE_UNSHOWABLE] = "?", [MERGE_MARKER] = "."};
	size_t len = strlen(out);

	snprintf(out + len, sizeof(out) - len, "%s%.*s%s ", before[event], (int)name.len, name.data,
		entry->is_prefix ? "/" : "");
	if (!entry->is_prefix)
		assert_true(str_eq(entry->etag, STR("e")));
}

static void add(struct page *page, const char *key, bool is_prefix)
{
	struct page_entry *entry;

	assert_int_equal(page_add(page, PAGE_ENTRIES_MAX, &entry), 0);
	entry->is_prefix = is_prefix;
	assert_int_equal(page_text(page, str_of(key), &entry->key), 0);
	assert_int_equal(page_text(page, STR("e"), &entry->etag), 0);
}

/* A page as S3 sends it: its objects, then its prefixes (keys that end in "/", but for "d/" itself). */
static void page_of(struct dir_merge *merge, const char *const *keys)
{
	struct page *page;

	assert_int_equal(page_new(&page), 0);
	for (int prefixes = 0; prefixes < 2; prefixes++) {
		for (unsigned i = 0; keys[i]; i++) {
			bool is_prefix =
				str_has_suffix(str_of(keys[i]), STR("/")) && strcmp(keys[i], "d/") != 0;

			if (is_prefix == prefixes)
				add(page, keys[i], is_prefix);
		}
	}
	assert_int_equal(dir_merge_page(merge, page), 0);
	/* Nothing of a page may be needed after it. */
	page_free(page);
}

static void begin(struct dir_merge *merge)
{
	*merge = (struct dir_merge){.prefix_len = 2, .emit = on_emit};
	out[0] = '\0';
}

static void test_plain(void **state)
{
	struct dir_merge merge;

	begin(&merge);
	page_of(&merge, (const char *const[]){"d/", "d/a", "d/b", "d/c/", "d/d", NULL});
	dir_merge_end(&merge);
	assert_string_equal(out, ". a b c/ d ");
}

static void test_beside(void **state)
{
	struct dir_merge merge;

	begin(&merge);
	page_of(&merge, (const char *const[]){"d/a", "d/a-b", "d/a.txt", "d/a/", "d/a0", NULL});
	dir_merge_end(&merge);
	assert_string_equal(out, "a-b a.txt !a a/ a0 ");
}

static void test_beside_pages_apart(void **state)
{
	struct dir_merge merge;

	begin(&merge);
	page_of(&merge, (const char *const[]){"d/a", NULL});
	page_of(&merge, (const char *const[]){"d/a!", "d/a-", NULL});
	assert_string_equal(out, "a! ");
	page_of(&merge, (const char *const[]){"d/a-/", NULL});
	page_of(&merge, (const char *const[]){"d/a/", "d/aa", NULL});
	dir_merge_end(&merge);
	assert_string_equal(out, "a! !a- a-/ !a a/ aa ");
}

static void test_not_beside(void **state)
{
	struct dir_merge merge;

	begin(&merge);
	page_of(&merge, (const char *const[]){"d/a", "d/a-b", "d/b", NULL});
	assert_string_equal(out, "a-b a ");
	dir_merge_end(&merge);
	assert_string_equal(out, "a-b a b ");
}

static void test_unshowable(void **state)
{
	struct dir_merge merge;

	begin(&merge);
	page_of(&merge, (const char *const[]){"d/../", "d/.", "d/.a", "d//", NULL});
	dir_merge_end(&merge);
	assert_string_equal(out, "?../ ?. .a ?/ ");
}

static void test_nested_prefixes(void **state)
{
	struct dir_merge merge;
	char key[KEY_NAME_MAX + 3] = "d/";

	begin(&merge);
	/* "-", "--", "---": each may be followed by its directory for as long as it grows. */
	for (unsigned i = 0; i < KEY_NAME_MAX; i++) {
		key[2 + i] = '-';
		key[3 + i] = '\0';
		page_of(&merge, (const char *const[]){key, NULL});
	}
	assert_string_equal(out, "");
	dir_merge_end(&merge);
	unsigned names = 0;

	for (const char *at = out; (at = strchr(at, ' ')); at++)
		names++;
	assert_int_equal(names, KEY_NAME_MAX);
}

static void test_clear(void **state)
{
	struct dir_merge merge;

	begin(&merge);
	page_of(&merge, (const char *const[]){"d/a", NULL});
	dir_merge_clear(&merge);
	dir_merge_end(&merge);
	assert_string_equal(out, "");
}

/* Against the plain rule, over every set of a few crafted names. */
static void test_all_sets(void **state)
{
	static const char *const all[] = {
		"d/a", "d/a!", "d/a!/", "d/a-", "d/a-b", "d/a/", "d/a0", "d/aa", "d/aa/", "d/b", "d/b/"};
	enum { COUNT = sizeof(all) / sizeof(*all) };

	for (unsigned set = 1; set < 1u << COUNT; set++) {
		struct dir_merge merge;
		const char *keys[COUNT + 1];
		unsigned count = 0;

		begin(&merge);
		for (unsigned i = 0; i < COUNT; i++) {
			if (set >> i & 1)
				keys[count++] = all[i];
		}
		/* Cut into two pages somewhere. */
		const char *later[COUNT + 1] = {NULL};
		unsigned cut = set % (count + 1);

		keys[count] = NULL;
		memcpy(later, keys + cut, (count - cut + 1) * sizeof(*keys));
		keys[cut] = NULL;
		page_of(&merge, keys);
		page_of(&merge, later);
		dir_merge_end(&merge);
		for (unsigned i = 0; i < COUNT; i++) {
			char file[16], dir[16];
			size_t len = strcspn(all[i] + 2, "/");
			bool is_dir = all[i][2 + len] == '/', other = false;

			snprintf(file, sizeof(file), " %.*s ", (int)len, all[i] + 2);
			snprintf(dir, sizeof(dir), " %.*s/ ", (int)len, all[i] + 2);
			for (unsigned k = 0; k < COUNT; k++)
				other |= (set >> k & 1) && !is_dir && strncmp(all[k], all[i], len + 2) == 0 &&
					 strcmp(all[k] + 2 + len, "/") == 0;
			char padded[sizeof(out) + 1];

			snprintf(padded, sizeof(padded), " %s", out);
			assert_int_equal(
				strstr(padded, is_dir ? dir : file) != NULL, (set >> i & 1) && !other);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_beside_pages_apart),
		cmocka_unit_test(test_not_beside),
		cmocka_unit_test(test_unshowable),
		cmocka_unit_test(test_nested_prefixes),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_all_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
