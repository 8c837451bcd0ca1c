/*
 * Fuzzes keys: their encoding in addresses, in XML, for people and in JSON, and which can be shown as names.
 *
 * Whatever is written can be read back: percent-encoding by key_decode, XML by libxml2, the two escapes by a
 * few lines here.  What is shown to people holds no control byte, and no bound is passed.
 */
#include <libxml/parser.h>

#include "s3/escape.h"
#include "s3/key.h"
#include "s3/utf8.h"
#include "tests/fuzz/fuzz.h"

enum { SIZE = 1 << 20 };

static struct buf one, two;

static void check_encoding(struct str s, bool keep_slash)
{
	buf_clear(&one);
	buf_clear(&two);
	must(key_encode(&one, s, keep_slash) == 0 && one.len <= 3 * s.len);
	for (size_t i = 0; i < one.len; i++) {
		char c = one.data[i];

		must((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			strchr(keep_slash ? "%-._~/" : "%-._~", c));
	}
	must(key_decode(&two, buf_str(&one), false) == 0 && str_eq(buf_str(&two), s));
	buf_clear(&two);
	must(key_decode(&two, buf_str(&one), true) == 0 && str_eq(buf_str(&two), s));
}

static void check_decoding(struct str s, bool plus_is_space)
{
	buf_clear(&one);
	must(buf_add_text(&one, "before") == 0);
	if (key_decode(&one, s, plus_is_space) != 0) {
		must(str_eq(buf_str(&one), STR("before")) && memchr(s.data, '%', s.len));
		return;
	}
	must(one.len <= 6 + s.len && str_has_prefix(buf_str(&one), STR("before")));
	buf_clear(&two);
	must(key_encode(&two, str_skip(buf_str(&one), 6), true) == 0);
	buf_clear(&one);
	must(key_decode(&one, s, plus_is_space) == 0);
	struct buf three;

	buf_init(&three, SIZE);
	must(key_decode(&three, buf_str(&two), plus_is_space) == 0);
	must(str_eq(buf_str(&three), buf_str(&one)));
	buf_release(&three);
}

/* A buffer too small for the result says so and keeps within its maximum. */
static void check_bounds(struct str s, size_t max)
{
	int (*const writers[])(struct buf * buf, struct str s) = {escape_text, escape_json, key_xml};

	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		struct buf small;

		buf_init(&small, max);
		buf_clear(&one);
		int whole = writers[i](&one, s), cut = writers[i](&small, s);

		must(small.len <= max);
		must(whole != 0 ? cut == whole : (cut == 0) == (one.len <= max));
		must(cut != 0 || str_eq(buf_str(&one), buf_str(&small)));
		buf_release(&small);
	}
}

static void check_xml(struct str s)
{
	buf_clear(&one);
	must(buf_add_text(&one, "<k>") == 0);
	if (key_xml(&one, s) != 0) {
		must(!key_xml_ok(s) && one.len == 3);
		return;
	}
	must(key_xml_ok(s) && buf_add_text(&one, "</k>") == 0);
	xmlDoc *doc = xmlReadMemory(one.data, (int)one.len, NULL, "UTF-8",
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE);

	must(doc);
	xmlChar *text = xmlNodeGetContent(xmlDocGetRootElement(doc));

	must(text && str_eq(str_of((char *)text), s));
	xmlFree(text);
	xmlFreeDoc(doc);
}

static unsigned hex_of(const char *at, unsigned digits)
{
	char text[5] = {0}, *end;

	memcpy(text, at, digits);
	unsigned value = (unsigned)strtoul(text, &end, 16);

	must(end == text + digits && !strpbrk(text, "+-xX "));
	return value;
}

static void add_point(struct buf *buf, unsigned point)
{
	if (point >= 0xdc80 && point <= 0xdcff) {
		buf_add_char(buf, (char)(point & 0xff));
	} else if (point < 0x80) {
		buf_add_char(buf, (char)point);
	} else {
		if (point >= 0x800)
			buf_add_char(buf, (char)(0xe0 | point >> 12));
		buf_add_char(buf, (char)(point >= 0x800 ? 0x80 | (point >> 6 & 0x3f) : 0xc0 | point >> 6));
		buf_add_char(buf, (char)(0x80 | (point & 0x3f)));
	}
}

/* The text in `from`, escapes of `form` ('x' of escape_text, 'u' of JSON) undone. */
static void undo(struct str from, char form, struct buf *ret)
{
	for (size_t i = 0; i < from.len; i++) {
		if (from.data[i] != '\\') {
			buf_add_char(ret, from.data[i]);
			continue;
		}
		must(++i < from.len);
		if (from.data[i] != form) {
			must(from.data[i] == '\\' || (form == 'u' && from.data[i] == '"'));
			buf_add_char(ret, from.data[i]);
			continue;
		}
		unsigned digits = form == 'x' ? 2 : 4;

		must(i + digits < from.len);
		unsigned value = hex_of(from.data + i + 1, digits);

		if (form == 'x')
			buf_add_char(ret, (char)value);
		else
			add_point(ret, value);
		i += digits;
	}
}

static void check_shown(struct str s)
{
	while (s.len) {
		uint32_t point = 0;
		unsigned len = utf8_next(s, &point);

		must(len > 0 && point >= 0x20 && (point < 0x7f || point > 0x9f));
		s = str_skip(s, len);
	}
}

static void check_escapes(struct str s)
{
	buf_clear(&one);
	buf_clear(&two);
	must(escape_text(&one, s) == 0);
	check_shown(buf_str(&one));
	undo(buf_str(&one), 'x', &two);
	must(str_eq(buf_str(&two), s));
	buf_clear(&one);
	buf_clear(&two);
	must(escape_json(&one, s) == 0 && one.len >= 2 && one.data[0] == '"' && one.data[one.len - 1] == '"');
	check_shown(buf_str(&one));
	undo(str_n(one.data + 1, one.len - 2), 'u', &two);
	must(str_eq(buf_str(&two), s));
}

static void check_names(struct str s)
{
	struct str rest = s;
	bool ok = s.len > 0;

	while (rest.len)
		ok &= key_name_ok(next_part(&rest, '/'));
	must(ok == key_path_ok(s));
	if (key_name_ok(s))
		must(key_path_ok(s) && s.len <= KEY_NAME_MAX && !memchr(s.data, '/', s.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!one.max) {
		buf_init(&one, SIZE);
		buf_init(&two, SIZE);
	}
	if (size < 2 || size > SIZE / 16)
		return 0;
	struct str s = str_n((const char *)data + 1, size - 1);

	check_encoding(s, data[0] & 1);
	check_decoding(s, data[0] & 2);
	check_bounds(s, data[0]);
	check_xml(s);
	check_escapes(s);
	check_names(s);
	return 0;
}
