#include "tests/s3d/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

void buf_release(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

int buf_reserve(struct buf *b, size_t more)
{
	size_t cap;
	char *p;

	if (b->failed)
		return -ENOMEM;
	if (b->p && more < b->cap - b->len)
		return 0;
	if (more >= BUF_MAX - b->len)
		goto fail;
	cap = b->len + more + 1;
	if (b->cap && cap < b->cap * 2)
		cap = b->cap * 2;
	p = realloc(b->p, cap);
	if (!p)
		goto fail;
	b->p = p;
	b->cap = cap;
	return 0;
fail:
	b->failed = true;
	return -ENOMEM;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	if (buf_reserve(b, n) < 0)
		return;
	if (n)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void buf_str(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	char small[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (n < 0 || (size_t)n < sizeof(small)) {
		buf_put(b, small, n < 0 ? 0 : (size_t)n);
		return;
	}
	if (buf_reserve(b, (size_t)n + 1) < 0)
		return;
	va_start(args, format);
	vsnprintf(b->p + b->len, (size_t)n + 1, format, args);
	va_end(args);
	b->len += (size_t)n;
}

static const char *xml_escape(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

void buf_xml(struct buf *b, struct span s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++) {
		const char *escape = xml_escape(s.p[i]);

		if (!escape)
			continue;
		buf_put(b, s.p + from, i - from);
		buf_str(b, escape);
		from = i + 1;
	}
	buf_put(b, s.p + from, s.n - from);
}

static bool unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

void buf_uri(struct buf *b, struct span s, const char *keep)
{
	static const char digits[] = "0123456789ABCDEF";

	if (buf_reserve(b, s.n * 3) < 0)
		return;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (unreserved(c) || (c && strchr(keep, c))) {
			b->p[b->len++] = (char)c;
			continue;
		}
		b->p[b->len++] = '%';
		b->p[b->len++] = digits[c >> 4];
		b->p[b->len++] = digits[c & 15];
	}
	b->p[b->len] = '\0';
}

void buf_hex(struct buf *b, const unsigned char *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	if (buf_reserve(b, n * 2) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		b->p[b->len++] = digits[p[i] >> 4];
		b->p[b->len++] = digits[p[i] & 15];
	}
	b->p[b->len] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

size_t uri_decode(char *dst, struct span s, bool plus)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int hi, lo;

		if (s.p[i] == '%' && i + 2 < s.n && (hi = hex_digit(s.p[i + 1])) >= 0 &&
			(lo = hex_digit(s.p[i + 2])) >= 0) {
			dst[n++] = (char)(hi << 4 | lo);
			i += 2;
		} else {
			dst[n++] = plus && s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	return n;
}

/* Length of the UTF-8 character at p and its value; 0 for ill-formed. */
static size_t utf8_char(const unsigned char *p, size_t left, uint32_t *ret_value)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80	 ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;
	uint32_t value;

	if (n == 0 || n > left)
		return 0;
	value = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < least[n])
		return 0;
	*ret_value = value;
	return n;
}

bool xml_can_carry(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < s.n;) {
		uint32_t c;
		size_t n = utf8_char(p + i, s.n - i, &c);

		if (n == 0 || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
			(c >= 0xd800 && c <= 0xdfff) || c == 0xfffe || c == 0xffff || c > 0x10ffff)
			return false;
		i += n;
	}
	return true;
}
