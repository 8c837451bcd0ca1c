/*
 * journal_line: the lines of a journal (journal.h), to text and back.
 *
 *   CRC32C KIND FIELD FIELD ...\n
 *
 * The checksum is eight hex digits over the text between the space after it and the new line.  Fields are
 * separated by one space each; a field may be empty; in it every byte outside of 0x21..0x7e, and % and =, is
 * written %XX, so that a key may hold any byte.  A field that is "=" stands for the ETag of the source.
 *
 *   J  version, source's service and credentials, bucket, prefix, destination's, flags, machine, boot, pid,
 *      its start, time
 *   P  page, count, time         count K lines follow at once
 *   K  index, key's rest after the source's prefix, ETag, mtime, nanoseconds, size, L for a copy in parts
 *   C  page, index, ETag, version, mtime of the copy
 *   F  page, index               its copy did not take place
 *   U  page, index, upload id    a copy in parts began
 *   E  page, index, ETag         the answer of the completion that is about to be sent
 *   D  count                     all is copied
 *
 * Pure; any thread.
 */
#ifndef FERRYFS_ENGINE_JOURNAL_JOURNAL_LINE_H
#define FERRYFS_ENGINE_JOURNAL_JOURNAL_LINE_H

#include "s3/buf.h"

enum {
	JOURNAL_LINE_MAX = 32768, /* an intent: two prefixes and buckets, each byte escaped to three */
	JOURNAL_PAGE_KEYS_MAX = 1000, /* PAGE_ENTRIES_MAX */
	JOURNAL_VERSION = 1,
};

enum journal_kind {
	JOURNAL_INTENT = 'J',
	JOURNAL_PAGE = 'P',
	JOURNAL_KEY = 'K',
	JOURNAL_COPIED = 'C',
	JOURNAL_REFUSED = 'F',
	JOURNAL_UPLOAD = 'U',
	JOURNAL_EXPECT = 'E',
	JOURNAL_ALL = 'D',
};

/* One side of a move: which account, by name (account_name), and where. */
struct journal_side {
	struct str service, who, bucket, prefix;
};

struct journal_intent {
	struct journal_side source, destination;
	bool fresh; /* nothing was at the destination, and copies only create: they may be undone */
	struct str machine, boot;
	int64_t pid;
	uint64_t pid_start; /* /proc/PID/stat, field 22 */
	int64_t time; /* seconds since 1970, ours */
};

/* A parsed line: the fields of its kind, the rest zero.  Texts lie in the line. */
struct journal_line {
	enum journal_kind kind;
	struct journal_intent intent;
	uint64_t page;
	unsigned index;
	uint64_t count; /* of a page's keys; of all copies */
	struct str text; /* key's rest; upload id; version */
	struct str etag;
	bool same_etag; /* "=": the source's; etag is absent then */
	int64_t time; /* page: by the server's clock; mtime */
	int32_t nsec;
	uint64_t size;
	bool large;
};

/* Each appends one line: 0 or buf's error, then nothing is appended. */
int journal_put_intent(struct buf *buf, const struct journal_intent *intent);
int journal_put(struct buf *buf, const struct journal_line *line); /* the other kinds */

/* Takes a line apart, in place: line is changed.  Without its new line.  -EBADMSG: not one, or damaged. */
int journal_parse(char *line, size_t len, struct journal_line *ret);

uint32_t journal_crc(const void *data, size_t len);

#endif
