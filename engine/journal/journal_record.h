/*
 * journal_record: the copies of a move, a page of entries at a time, on their way from the journal to the
 * code that deletes, checks or undoes them.
 *
 * An entry says which source object (key, ETag, LastModified as listed before its copy) was copied, and the
 * answer of the destination; or that nothing is known of the answer.  Bytes in this machine's order: a page
 * does not outlive its process.  Pure; any thread.
 */
#ifndef FERRYFS_ENGINE_JOURNAL_JOURNAL_RECORD_H
#define FERRYFS_ENGINE_JOURNAL_JOURNAL_RECORD_H

#include "s3/buf.h"

enum { RECORD_PAGE_MAX = 8 << 20 }; /* bytes of a page: 1,000 entries of the greatest length */

struct record_entry {
	struct str key, etag; /* of the source */
	int64_t mtime;
	int32_t mtime_nsec;
	uint64_t size;
	struct str copy_etag, copy_version; /* of the destination; "" where not told */
	int64_t copy_mtime;
	/* The copy was neither acknowledged nor refused, and may be there or not: then copy_etag is the ETag
	 * it would have, copy_mtime a moment before it can have been made. */
	bool unknown;
	bool large; /* copied in parts; upload: the upload's id, "" where not known */
	struct str upload;
};

int record_put(struct buf *page, const struct record_entry *entry);
/* Takes one entry off the front of *page; the texts of ret lie in it.  -ENODATA at its end, -EBADMSG. */
int record_get(struct str *page, struct record_entry *ret);

#endif
