#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "s3/buf.h"

enum { BUF_FIRST = 256 };

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

void buf_release(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->error = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Room for extra more bytes and the NUL.  Doubling, so that n appends copy O(n) bytes. */
static int buf_grow(struct buf *buf, size_t extra)
{
	size_t size = buf->size ? buf->size : BUF_FIRST;
	char *data;

	if (buf->error)
		return buf->error;
	if (extra > buf->max - buf->len || extra >= SIZE_MAX - buf->len)
		return buf->error = -EOVERFLOW;
	if (buf->len + extra < buf->size)
		return 0;
	while (size <= buf->len + extra)
		size = size > SIZE_MAX / 2 ? SIZE_MAX : size * 2;
	if (size > buf->max && buf->max < SIZE_MAX)
		size = buf->max + 1;
	data = realloc(buf->data, size);
	if (!data)
		return buf->error = -ENOMEM;
	buf->data = data;
	buf->size = size;
	return 0;
}

int buf_add(struct buf *buf, const void *data, size_t len)
{
	int error = buf_grow(buf, len);

	if (error)
		return error;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_add_str(struct buf *buf, struct str s)
{
	return buf_add(buf, s.data, s.len);
}

int buf_add_text(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

int buf_add_char(struct buf *buf, char c)
{
	return buf_add(buf, &c, 1);
}

int buf_add_uint(struct buf *buf, uint64_t value)
{
	char digits[20]; /* of UINT64_MAX */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return buf_add(buf, digits + at, sizeof(digits) - at);
}

int buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int len, r;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return buf->error ? buf->error : (buf->error = -EOVERFLOW);
	r = buf_grow(buf, (size_t)len);
	if (r)
		return r;
	va_start(args, format);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
	return 0;
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}
