/*
 * escape: texts from a server, made fit to be shown to a person or put into JSON.
 *
 * Keys and messages may hold terminal control sequences, new lines and invalid UTF-8.  All code that prints
 * one (log, progress, listings, JSON) passes it through here.  Pure; any thread.
 */
#ifndef FERRYFS_S3_ESCAPE_H
#define FERRYFS_S3_ESCAPE_H

#include "s3/buf.h"

/* Valid UTF-8 stays, but for C0, C1, DEL, bidirectional controls and U+2028/2029; those and every other byte
 * become \xHH, a backslash \\.  Returns 0 or buf's error. */
int escape_text(struct buf *buf, struct str s);

/* A JSON string with its quotes.  Bytes that are not UTF-8 become U+DC80..U+DCFF escapes (\udc80), as
 * Python's surrogateescape does, so that a reader can have the exact key back. */
int escape_json(struct buf *buf, struct str s);

#endif
