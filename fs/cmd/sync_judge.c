#include "fs/cmd/sync_judge.h"

#include "engine/object/compare.h"

/* Where a time is not known, a could be: what has the same ETag is left out all the same. */
static bool is_newer(const struct page_entry *a, const struct page_entry *b)
{
	if (a->mtime == 0 || b->mtime == 0)
		return a->etag.len == 0 || !str_eq(a->etag, b->etag);
	return a->mtime > b->mtime || (a->mtime == b->mtime && a->mtime_nsec > b->mtime_nsec);
}

enum sync_verdict sync_judge(
	enum sync_mode mode, const struct page_entry *source, const struct page_entry *there)
{
	if (!there)
		return SYNC_TAKE;
	if (mode == SYNC_MISSING)
		return SYNC_LEAVE;
	if (mode == SYNC_NEWER)
		return is_newer(source, there) ? SYNC_TAKE : SYNC_LEAVE;
	if (source->size != there->size)
		return SYNC_TAKE;
	if (source->etag.len > 0 && str_eq(source->etag, there->etag))
		return SYNC_LEAVE;
	if (is_newer(source, there))
		return SYNC_TAKE;
	return compare_is_needed(source->etag, there->etag) ? SYNC_COMPARE : SYNC_LEAVE;
}
