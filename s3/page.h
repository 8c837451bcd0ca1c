/*
 * page: the answer to one listing.
 *
 * Filled by the answer parser: up to PAGE_ENTRIES_MAX objects and common prefixes, in the order of the
 * answer, their texts in one arena.  A page is on the heap with one owner; everything in it is lent until
 * page_clear or page_free.
 */
#ifndef FERRYFS_S3_PAGE_H
#define FERRYFS_S3_PAGE_H

#include <stdint.h>
#include "s3/buf.h"

enum {
	PAGE_ENTRIES_MAX = 1000, /* AWS, ListObjectsV2 */
	PAGE_BUCKETS_MAX = 10000, /* AWS, ListBuckets; servers that do not cut that list exist */
	PAGE_BYTES_MAX = 8 << 20,
};

struct page_entry {
	struct str key; /* decoded, with its prefix; a common prefix ends in the delimiter */
	bool is_prefix;
	uint64_t size;
	int64_t mtime; /* seconds since 1970; 0: the answer had none that can be read */
	int32_t mtime_nsec;
	struct str etag; /* without quotes */
	struct str storage_class; /* "" when the answer had none, or one that no header can carry */
	bool unusable; /* private to the answer parser */
};

struct page {
	struct page_entry *entries;
	unsigned count;
	bool truncated; /* there is more */
	struct str token; /* STR_NONE where the answer had none, or one that XML could not carry: go on by
			     start_after */
	/* Greatest key or prefix seen, for start_after (a server may answer a common prefix again that
	 * start_after names); STR_NONE in an empty page.  S3_LIST_UPLOADS: the key that goes with token. */
	struct str last;
	/* Set by the caller, and kept by page_clear: entries that can't be used (a key of over KEY_MAX bytes,
	 * a missing or negative size, an ETag that no header can carry) are counted and left out.  Without
	 * it one of them makes the whole answer unusable, which is right where emptiness is looked for. */
	bool lenient;
	unsigned left_out;
	struct str left_out_key; /* of the first of these, as it came; STR_NONE: it had none */
	struct buf arena;
	unsigned size; /* of entries; private */
};

int page_new(struct page **ret);
void page_free(struct page *page);
void page_clear(struct page *page);

/* For the answer parser.  An entry with nothing in it, lent until the next one; -EOVERFLOW past max; -ENOMEM.
 */
int page_add(struct page *page, unsigned max, struct page_entry **ret);
/* Copies text into the arena and lets *ret (often a field of an entry) point there; texts of the page may
 * move. -EOVERFLOW past PAGE_BYTES_MAX; -ENOMEM. */
int page_text(struct page *page, struct str text, struct str *ret);

#endif
