#include <errno.h>
#include "s3/key.h"
#include "s3/utf8.h"

static bool is_unreserved(unsigned char c)
{
	static const bool table[256] = {
		['A' ... 'Z'] = true,
		['a' ... 'z'] = true,
		['0' ... '9'] = true,
		['-'] = true,
		['.'] = true,
		['_'] = true,
		['~'] = true,
	};

	return table[c];
}

int key_encode(struct buf *buf, struct str s, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF"; /* AWS: upper case */
	size_t run = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];
		char escape[3] = {'%', digits[c >> 4], digits[c & 15]};

		if (is_unreserved(c) || (c == '/' && keep_slash))
			continue;
		if (i > run)
			buf_add(buf, s.data + run, i - run);
		buf_add(buf, escape, sizeof(escape));
		run = i + 1;
	}
	if (s.len > run)
		buf_add(buf, s.data + run, s.len - run);
	return buf->error;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that the escape at s stands for, or -1. */
static int unescape(struct str s)
{
	int high, low;

	if (s.len < 3)
		return -1;
	high = hex_value(s.data[1]);
	low = hex_value(s.data[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int key_decode(struct buf *buf, struct str s, bool plus_is_space)
{
	size_t before = buf->len;
	size_t run = 0, i = 0;

	while (i < s.len) {
		int byte = ' ';
		size_t len = 1;

		if (s.data[i] == '%') {
			byte = unescape(str_skip(s, i));
			len = 3;
		} else if (s.data[i] != '+' || !plus_is_space) {
			i++;
			continue;
		}
		if (byte < 0) {
			buf->len = before;
			if (buf->data)
				buf->data[before] = '\0';
			return -EBADMSG;
		}
		if (i > run)
			buf_add(buf, s.data + run, i - run);
		buf_add_char(buf, (char)byte);
		i += len;
		run = i;
	}
	if (s.len > run)
		buf_add(buf, s.data + run, s.len - run);
	return buf->error;
}

bool key_name_ok(struct str name)
{
	if (name.len == 0 || name.len > KEY_NAME_MAX)
		return false;
	if (str_eq(name, STR(".")) || str_eq(name, STR("..")))
		return false;
	return !memchr(name.data, '/', name.len) && !memchr(name.data, '\0', name.len);
}

bool key_path_ok(struct str path)
{
	if (path.len == 0)
		return false;
	while (path.len) {
		const char *slash = memchr(path.data, '/', path.len);
		size_t len = slash ? (size_t)(slash - path.data) : path.len;

		if (!key_name_ok(str_n(path.data, len)))
			return false;
		path = str_skip(path, slash ? len + 1 : len);
	}
	return true;
}

bool key_xml_ok(struct str s)
{
	while (s.len) {
		uint32_t point;
		unsigned len = utf8_next(s, &point);

		if (len == 0 || point == 0xfffe || point == 0xffff)
			return false;
		if (point < 0x20 && point != '\t' && point != '\n' && point != '\r')
			return false;
		s = str_skip(s, len);
	}
	return true;
}

static struct str xml_reference(char c)
{
	switch (c) {
	case '&':
		return STR("&amp;");
	case '<':
		return STR("&lt;");
	case '>':
		return STR("&gt;");
	case '"':
		return STR("&quot;");
	case '\t':
		return STR("&#9;");
	case '\n':
		return STR("&#10;");
	case '\r':
		return STR("&#13;");
	default:
		return STR_NONE;
	}
}

int key_xml(struct buf *buf, struct str s)
{
	size_t run = 0;

	if (!key_xml_ok(s))
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		struct str reference = xml_reference(s.data[i]);

		if (!reference.data)
			continue;
		if (i > run)
			buf_add(buf, s.data + run, i - run);
		buf_add_str(buf, reference);
		run = i + 1;
	}
	if (s.len > run)
		buf_add(buf, s.data + run, s.len - run);
	return buf->error;
}
