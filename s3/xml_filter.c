#include "s3/xml_filter.h"

#include <stdint.h>

enum filter_verdict {
	FILTER_PASS, /* the first `used` bytes are fine */
	FILTER_BAD, /* the first `used` bytes are one thing XML cannot carry */
	FILTER_MORE, /* can't be told yet */
};

void xml_filter_init(
	struct xml_filter *filter, int (*out)(void *user, const char *data, size_t len), void *user)
{
	filter->marked = false;
	filter->out = out;
	filter->user = user;
	filter->held_len = 0;
}

/* W3C XML 1.0, production 2. */
static bool is_char(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c < 0xd800 || (c >= 0xe000 && c < 0xfffe) || (c >= 0x10000 && c <= 0x10ffff);
}

static int digit(unsigned char c, bool hex)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (hex && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (hex && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* p[0] is '&'.  Only a whole numeric reference is judged; anything else is left to the parser. */
static enum filter_verdict judge_reference(const unsigned char *p, size_t n, size_t *used)
{
	if (n < 2)
		return FILTER_MORE;
	*used = 1;
	if (p[1] != '#')
		return FILTER_PASS;
	if (n < 3)
		return FILTER_MORE;
	bool hex = p[2] == 'x';
	size_t at = hex ? 3 : 2;
	uint32_t value = 0;
	for (; at < n && at < XML_FILTER_HELD; at++) {
		int d = digit(p[at], hex);
		if (p[at] == ';' && at > (hex ? 3u : 2u)) {
			*used = at + 1;
			return is_char(value) ? FILTER_PASS : FILTER_BAD;
		}
		*used = at;
		if (d < 0)
			return FILTER_PASS;
		/* at most 9 digits: 16^9 does not fit, but past the last character the value need not be
		 * right */
		value = value > 0x10ffff ? value : value * (hex ? 16 : 10) + (uint32_t)d;
	}
	*used = at;
	return at >= XML_FILTER_HELD ? FILTER_PASS : FILTER_MORE;
}

/* p[0] is 0x80 or more (RFC 3629: no overlong form, no surrogate, nothing past U+10FFFF). */
static enum filter_verdict judge_utf8(const unsigned char *p, size_t n, size_t *used)
{
	unsigned need = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	*used = 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return FILTER_BAD;
	uint32_t value = p[0] & (0x7fu >> need);
	for (unsigned at = 1; at < need; at++) {
		if (at == n)
			return FILTER_MORE;
		unsigned char low = 0x80, high = 0xbf;
		if (at == 1) {
			low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
			high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
		}
		*used = at;
		if (p[at] < low || p[at] > high)
			return FILTER_BAD;
		value = value << 6 | (p[at] & 0x3fu);
	}
	*used = need;
	return is_char(value) ? FILTER_PASS : FILTER_BAD;
}

static enum filter_verdict judge(const unsigned char *p, size_t n, size_t *used)
{
	if (p[0] == '&')
		return judge_reference(p, n, used);
	if (p[0] >= 0x80)
		return judge_utf8(p, n, used);
	*used = 1;
	return is_char(p[0]) ? FILTER_PASS : FILTER_BAD;
}

/* The next byte that needs judging; eight at a time, since nearly none does. */
static size_t next_suspect(const unsigned char *p, size_t at, size_t len)
{
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	for (; at + 8 <= len; at += 8) {
		uint64_t word;
		memcpy(&word, p + at, 8);
		uint64_t ampersand = word ^ (ones * '&');
		/* may report a byte too many after a borrow: the loop below looks again */
		if ((word | (word - ones * 0x20) | (ampersand - ones)) & tops)
			break;
	}
	for (; at < len; at++)
		if (p[at] < 0x20 || p[at] >= 0x80 || p[at] == '&')
			return at;
	return len;
}

static int put(struct xml_filter *filter, const unsigned char *data, size_t len)
{
	return len == 0 ? 0 : filter->out(filter->user, (const char *)data, len);
}

static int put_mark(struct xml_filter *filter)
{
	filter->marked = true;
	return filter->out(filter->user, XML_FILTER_MARK, sizeof(XML_FILTER_MARK) - 1);
}

/* Goes on with the held bytes; *ret_at is how many bytes of data that took. */
static int feed_held(struct xml_filter *filter, const unsigned char *data, size_t len, size_t *ret_at)
{
	size_t at = 0;
	while (at < len && filter->held_len > 0) {
		size_t used = 0;
		filter->held[filter->held_len++] = data[at++];
		enum filter_verdict verdict = judge(filter->held, filter->held_len, &used);
		if (verdict == FILTER_MORE)
			continue;
		/* only the byte just added can be one too many: the others were not enough to tell */
		at -= filter->held_len - used;
		filter->held_len = 0;
		int error = verdict == FILTER_BAD ? put_mark(filter) : put(filter, filter->held, used);
		if (error != 0)
			return error;
	}
	*ret_at = at;
	return 0;
}

int xml_filter_feed(struct xml_filter *filter, const char *text, size_t len)
{
	const unsigned char *data = (const unsigned char *)text;
	size_t at = 0;
	int error = feed_held(filter, data, len, &at);
	if (error != 0)
		return error;
	size_t start = at;
	while ((at = next_suspect(data, at, len)) < len) {
		size_t used = 0;
		enum filter_verdict verdict = judge(data + at, len - at, &used);
		if (verdict == FILTER_PASS) {
			at += used;
			continue;
		}
		error = put(filter, data + start, at - start);
		if (error != 0)
			return error;
		if (verdict == FILTER_MORE) {
			filter->held_len = (unsigned)(len - at);
			memcpy(filter->held, data + at, len - at);
			return 0;
		}
		error = put_mark(filter);
		if (error != 0)
			return error;
		at += used;
		start = at;
	}
	return put(filter, data + start, len - start);
}

int xml_filter_end(struct xml_filter *filter)
{
	unsigned held = filter->held_len;
	filter->held_len = 0;
	if (held > 0 && filter->held[0] >= 0x80)
		return put_mark(filter);
	return put(filter, filter->held, held);
}
