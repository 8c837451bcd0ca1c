/*
 * ls_line: how `ferryfs ls` shows one entry of a listing.
 *
 * Written by hand rather than with printf: a million keys are shown in well under a second.  Pure but for the
 * time zone; one thread, since the last local time is kept (lister.time).
 */
#ifndef FERRYFS_FS_CMD_LS_LINE_H
#define FERRYFS_FS_CMD_LS_LINE_H

#include "s3/page.h"

struct ls_style {
	bool json;
	bool is_long; /* storage class and ETag as well */
	bool buckets; /* entries are buckets */
	size_t strip; /* bytes of a key that are not shown: the directory that is listed (text only) */
	/* private: the quarter of an hour that was converted last */
	int64_t quarter;
	char minute[18]; /* "2026-11-23 01:15:" */
	unsigned minute_of_quarter;
	bool known;
};

/* Appends the line.  Text, as `aws s3 ls` has it: local time (19), size (right in 10), name; "PRE name/"
 * right in 30 for a prefix. is_long adds storage class (left in 19) and ETag (left in 34) before the name.
 * JSON: {"type":"object","key":KEY,"size":N,"mtime":"2026-11-23T01:02:03Z","etag":TEXT,"storage_class":TEXT},
 * {"type":"prefix","key":KEY}, {"type":"bucket","name":NAME,"mtime":TIME}. */
int ls_line(struct buf *buf, struct ls_style *style, const struct page_entry *entry);

#endif
