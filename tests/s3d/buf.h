/*
 * A growing byte buffer with the escapes S3 answers need, and spans: bytes lent by somebody else.
 *
 * Lifecycle: `struct buf b = {0};` is empty and valid; buf_release() gives the memory back and leaves it so.
 * A failed allocation, or growth past BUF_MAX, sets `failed`: later appends do nothing, and whoever sends the
 * buffer looks at `failed` once.  p may be NULL while len is 0.
 */
#ifndef S3D_BUF_H
#define S3D_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* One object may be 5 GiB (AWS: PutObject); texts stay far below. */
#define BUF_MAX ((size_t)6 << 30)

/* Bytes lent: not terminated, may hold any byte.  p is NULL for "not there". */
struct span {
	const char *p;
	size_t n;
};

struct buf {
	char *p;
	size_t len;
	size_t cap;
	bool failed;
};

static inline struct span span_of(const char *text)
{
	return (struct span){text, text ? strlen(text) : 0};
}

static inline bool span_is(struct span s, const char *text)
{
	return s.p && s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

/* Order by bytes, as S3 lists keys: < 0, 0, > 0. */
int span_cmp(struct span a, struct span b);
bool span_starts(struct span s, struct span prefix);

void buf_release(struct buf *b);
/* Room for `more` bytes and a final NUL; 0 or -ENOMEM (and `failed`). */
int buf_reserve(struct buf *b, size_t more);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* XML character data: & < > " escaped, CR as &#13;.  What XML 1.0 can't carry goes out raw, as Ceph does. */
void buf_xml(struct buf *b, struct span s);
/* Percent-encodes all but unreserved bytes and those in `keep` (may be ""). */
void buf_uri(struct buf *b, struct span s, const char *keep);
void buf_hex(struct buf *b, const unsigned char *p, size_t n);

/*
 * Percent-decodes `s` to `dst` (room for s.n bytes; may be s.p itself); `plus` turns + into a space.
 * Returns the length.  A % without two hex digits stays as it is.
 */
size_t uri_decode(char *dst, struct span s, bool plus);

/* Whether XML 1.0 can carry these bytes: UTF-8, no control characters but tab, LF, CR, no U+FFFE/F, no
 * surrogates. */
bool xml_can_carry(struct span s);

#endif
