/*
 * record: what a move has copied, kept outside of memory until it is deleted or undone.
 *
 * A file without a name ($TMPDIR, else /var/tmp), mode 0600: pages of entries are appended while copies are
 * acknowledged, then read back one page at a time, as often as wanted.  One owner; calls do file I/O of a
 * page at most.
 *
 * An entry says which source object (key, ETag, LastModified as listed before its copy) was copied, and what
 * the destination answered.
 */
#ifndef FERRYFS_ENGINE_RECORD_H
#define FERRYFS_ENGINE_RECORD_H

#include "s3/buf.h"

enum { RECORD_PAGE_MAX = 4 << 20 }; /* bytes of a page: 1,000 entries of the greatest length */

struct record_entry {
	struct str key, etag; /* of the source */
	int64_t mtime;
	int32_t mtime_nsec;
	uint64_t size;
	struct str copy_etag, copy_version; /* of the destination; "" where not told */
	int64_t copy_mtime;
};

struct record;

int record_new(struct record **ret);
void record_free(struct record *record);

/* Appends one page (made by record_put); an empty one is nothing.  -ENOSPC ... */
int record_append(struct record *record, struct str page);
bool record_empty(const struct record *record);
/* Everything that was appended is on disk. */
int record_sync(struct record *record);
void record_rewind(struct record *record);
/* The next page into ret (cleared first); -ENODATA at the end; -EBADMSG: the file is damaged. */
int record_next(struct record *record, struct buf *ret);

/* ---- pages; pure ---- */

int record_put(struct buf *page, const struct record_entry *entry);
/* Takes one entry off the front of *page; what ret holds lies in it.  -ENODATA at its end, -EBADMSG. */
int record_get(struct str *page, struct record_entry *ret);

#endif
