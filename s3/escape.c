#include "s3/escape.h"
#include "s3/utf8.h"

/* Does this code point steer a terminal, end a line, or turn the direction of the text around it?  C0, DEL,
 * C1; the bidirectional controls of Unicode (UAX 9, 2); line and paragraph separator. */
static bool is_control(uint32_t point)
{
	if (point < 0x20 || (point >= 0x7f && point <= 0x9f))
		return true;
	return point == 0x061c || point == 0x200e || point == 0x200f ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static void add_hex(struct buf *buf, uint32_t value, unsigned digits)
{
	static const char names[] = "0123456789abcdef";

	while (digits--)
		buf_add_char(buf, names[value >> (4 * digits) & 15]);
}

int escape_text(struct buf *buf, struct str s)
{
	while (s.len) {
		uint32_t point = 0;
		unsigned len = utf8_next(s, &point);
		bool as_is = len && !is_control(point);

		if (len == 0)
			len = 1;
		if (as_is && point != '\\') {
			buf_add(buf, s.data, len);
		} else if (as_is) {
			buf_add_text(buf, "\\\\");
		} else {
			for (unsigned i = 0; i < len; i++) {
				buf_add_text(buf, "\\x");
				add_hex(buf, (unsigned char)s.data[i], 2);
			}
		}
		s = str_skip(s, len);
	}
	return buf->error;
}

int escape_json(struct buf *buf, struct str s)
{
	buf_add_char(buf, '"');
	while (s.len) {
		uint32_t point = 0;
		unsigned len = utf8_next(s, &point);

		if (len == 0) {
			buf_add_text(buf, "\\u");
			add_hex(buf, 0xdc00u | (unsigned char)s.data[0], 4);
			len = 1;
		} else if (is_control(point)) {
			buf_add_text(buf, "\\u");
			add_hex(buf, point, 4);
		} else {
			if (point == '"' || point == '\\')
				buf_add_char(buf, '\\');
			buf_add(buf, s.data, len);
		}
		s = str_skip(s, len);
	}
	return buf_add_char(buf, '"');
}
