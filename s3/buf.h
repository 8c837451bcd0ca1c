/*
 * buf: a byte buffer that grows up to a maximum given when it is made, as curl's dynbuf does.
 *
 * Life-cycle: buf_init (no memory yet), any number of appends, buf_clear to use it again without giving the
 * memory back, buf_release at the end (also after a failure; twice is harmless).  The bytes are always
 * followed by a NUL that len does not count.  An append that would pass max, or for which memory is short,
 * changes nothing, returns -EOVERFLOW or -ENOMEM, and makes every later append fail alike until buf_clear: a
 * builder may append many times and look at buf.error once.  One owner, one thread at a time.
 */
#ifndef FERRYFS_S3_BUF_H
#define FERRYFS_S3_BUF_H

#include <stdint.h>
#include <stddef.h>
#include "s3/str.h"

struct buf {
	char *data; /* NULL until the first append */
	size_t len;
	size_t size; /* allocated */
	size_t max; /* of len */
	int error; /* first failure since buf_clear: 0, -EOVERFLOW or -ENOMEM */
};

void buf_init(struct buf *buf, size_t max);
void buf_release(struct buf *buf);
void buf_clear(struct buf *buf);

int buf_add(struct buf *buf, const void *data, size_t len);
int buf_add_str(struct buf *buf, struct str s);
int buf_add_text(struct buf *buf, const char *text);
int buf_add_char(struct buf *buf, char c);
int buf_add_uint(struct buf *buf, uint64_t value);
int buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bytes, never NULL: "" when nothing was added.  Lent until the next change. */
const char *buf_text(const struct buf *buf);
static inline struct str buf_str(const struct buf *buf)
{
	return str_n(buf_text(buf), buf->len);
}

#endif
