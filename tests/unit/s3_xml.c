#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "s3/buf.h"
#include "s3/xml.h"
#include "s3/xml_filter.h"

static const char *const names[] = {"r", "a", "b"};

/* What the handler heard, as text: "<r>" at a start, "text</r>" at an end, "!" for a lost text, "~" for no
 * text. */
static struct buf heard;
static int stop_with;

static void hear_name(struct xml *xml)
{
	int name = xml_name(xml, xml_depth(xml));
	buf_addf(&heard, "%s>", name == XML_OTHER ? "?" : names[name]);
}

static int on_open(void *user, struct xml *xml)
{
	buf_add_char(&heard, '<');
	hear_name(xml);
	return 0;
}

static int on_close(void *user, struct xml *xml, const struct xml_text *text)
{
	assert_ptr_equal(user, &heard);
	assert_int_equal(xml_name(xml, 0), XML_OTHER);
	assert_int_equal(xml_name(xml, xml_depth(xml) + 1), XML_OTHER);
	if (text->lost)
		buf_add_char(&heard, '!');
	else if (text->text.data == NULL)
		buf_add_char(&heard, '~');
	else
		buf_add_str(&heard, text->text);
	buf_add_text(&heard, "</");
	hear_name(xml);
	return stop_with;
}

static const struct xml_handler handler = {.on_open = on_open, .on_close = on_close};
static struct xml *xml;

static int make_xml(void **state)
{
	buf_init(&heard, 1 << 20);
	return xml_new(names, 3, &handler, &heard, &xml);
}

static int free_xml(void **state)
{
	xml_free(xml);
	xml_free(NULL);
	buf_release(&heard);
	return 0;
}

/* cut 0: byte by byte */
static int feed(struct str text, size_t cut)
{
	buf_clear(&heard);
	xml_begin(xml);
	int err = 0;
	for (size_t at = 0; at < text.len && err == 0;) {
		size_t len = cut == 0 ? 1 : at < cut ? cut : text.len - at;
		char *piece = malloc(len);
		memcpy(piece, text.data + at, len);
		err = xml_feed(xml, piece, len);
		free(piece);
		at += len;
	}
	int end = xml_end(xml);
	if (err != 0)
		assert_int_equal(end, err);
	return end;
}

static void reads(struct str text, const char *expected)
{
	for (size_t cut = 0; cut <= text.len; cut++) {
		assert_int_equal(feed(text, cut), 0);
		assert_string_equal(buf_text(&heard), expected);
	}
}

static void refuses(struct str text)
{
	for (size_t cut = 0; cut <= text.len; cut++)
		assert_int_equal(feed(text, cut), -EBADMSG);
	/* and is as good as new afterwards */
	assert_int_equal(feed(STR("<r>ok</r>"), 1), 0);
	assert_string_equal(buf_text(&heard), "<r>ok</r>");
}

static void reads_documents(void **state)
{
	reads(STR("<r/>"), "<r></r>");
	reads(STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<r xmlns=\"urn:x\">\n <a>1</a>\n</r>\n"),
		"<r><a>1</a>~</r>");
	reads(STR(" \r\n\t <?xml version='1.0'?><r><a>x</a></r>"), "<r><a>x</a>~</r>");
	reads(STR("<p:r xmlns:p='urn:x'><p:a q='1'>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</p:a></p:r>"),
		"<r><a><&>\"'AB</a>~</r>");
	reads(STR("<r><zz><a>deep</a></zz><b><![CDATA[<&x>]]></b></r>"),
		"<r><?><a>deep</a>~</?><b><&x></b>~</r>");
	reads(STR("<r><a>o<!-- no -->n<?pi?>e</a><a>be<b/>tween</a></r>"),
		"<r><a>one</a><a><b></b>~</a>~</r>");
	reads(STR("<r>a\r\nb\rc&#13;</r>"), "<r>a\nb\nc\r</r>");
	reads(STR("\xef\xbb\xbf<r>\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80</r>"),
		"<r>\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80</r>");
	/* the bytes are UTF-8 even where the document says otherwise */
	reads(STR("<?xml version='1.0' encoding='ISO-8859-1'?><r>\xc3\xa9</r>"), "<r>\xc3\xa9</r>");
}

static void marks_lost_texts(void **state)
{
	static const char *const lost[] = {"\x01", "\x1f", "\xff", "\xc3", "\xc3(", "\xe2\x82",
		"\xf0\x9f\x98", "\xc0\xaf", "\xed\xa0\x80", "\xef\xbf\xbf", "\xf4\x90\x80\x80", "\xf5",
		"\x80", "&#0;", "&#x1;", "&#x0000001;", "&#31;", "&#xD800;", "&#xffff;", "&#x110000;",
		"&#55296;", "\xe0\x80\x80", "\xf0\x80\x80\x80"};
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		struct buf text;
		buf_init(&text, 1000);
		buf_addf(&text, "<r><a>x%sy</a><b>%s</b><a>fine</a></r>", lost[i], lost[i]);
		reads(buf_str(&text), "<r><a>!</a><b>!</b><a>fine</a>~</r>");
		buf_release(&text);
	}
	reads(STR("<r><a>x\0y</a><b>fine</b></r>"), "<r><a>!</a><b>fine</b>~</r>");
	/* nothing lost: these may be carried, the mark itself among them */
	reads(STR("<r>&#9;&#x10FFFD;&#xe000;" XML_FILTER_MARK "</r>"),
		"<r>\t" XML_FILTER_MARK "\xee\x80\x80" XML_FILTER_MARK "</r>");
	reads(STR("<r>\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\x7f</r>"),
		"<r>\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\x7f</r>");
}

static void refuses_the_rest(void **state)
{
	refuses(STR(""));
	refuses(STR(" \n"));
	refuses(STR("text"));
	refuses(STR("{\"a\":1}"));
	refuses(STR("<r>"));
	refuses(STR("<r></r"));
	refuses(STR("<r></a>"));
	refuses(STR("<r/><r/>"));
	refuses(STR("<r/>x"));
	refuses(STR("<r>&nbsp;</r>"));
	refuses(STR("<r>a & b</r>"));
	refuses(STR("<r>&#xZ;</r>"));
	refuses(STR("<r a=1/>"));
	refuses(STR("<r\x01/>"));
	refuses(STR("<r a\x01='x'/>"));
	refuses(STR("<!DOCTYPE html><r/>"));
	refuses(STR("<!DOCTYPE r [<!ENTITY e \"x\">]><r>&e;</r>"));
	refuses(STR("<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>"));
	refuses(STR("<?xml version='1.0'?><!DOCTYPE r [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><r>&e;</r>"));
}

static void is_bounded(void **state)
{
	struct buf text;
	buf_init(&text, 4 << 20);
	for (unsigned depth = XML_DEPTH_MAX; depth <= XML_DEPTH_MAX + 1; depth++) {
		buf_clear(&text);
		for (unsigned i = 0; i < depth; i++)
			buf_add_text(&text, "<r>");
		for (unsigned i = 0; i < depth; i++)
			buf_add_text(&text, "</r>");
		assert_int_equal(feed(buf_str(&text), 7), depth == XML_DEPTH_MAX ? 0 : -EBADMSG);
	}
	for (size_t len = XML_TEXT_MAX; len <= XML_TEXT_MAX + 1; len++) {
		buf_clear(&text);
		buf_addf(&text, "<r>%0*u</r>", (int)len, 0);
		assert_int_equal(feed(buf_str(&text), 1000), len == XML_TEXT_MAX ? 0 : -EBADMSG);
	}
	/* a tag, a comment, an attribute that do not end */
	static const char *const endless[] = {"<r ", "<r><!-- ", "<r a='", "<r><a"};
	for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
		buf_clear(&text);
		buf_addf(&text, "%s%0*u", endless[i], XML_UNREAD_MAX * 2, 0);
		xml_begin(xml);
		assert_int_equal(xml_feed(xml, text.data, text.len), -EBADMSG);
	}
	buf_release(&text);
}

/* A server with ever new names: what the context learnt is dropped before it grows. */
static void forgets_names(void **state)
{
	char text[64];
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "<r><n%u/><a>1</a></r>", i);
		assert_int_equal(feed(str_of(text), 9), 0);
		assert_string_equal(buf_text(&heard), "<r><?></?><a>1</a>~</r>");
	}
}

static void passes_on_the_handlers_error(void **state)
{
	stop_with = -EXDEV;
	assert_int_equal(feed(STR("<r><a/><b/></r>"), 3), -EXDEV);
	assert_string_equal(buf_text(&heard), "<r><a></a>");
	assert_int_equal(xml_feed(xml, "<", 1), -EXDEV);
	stop_with = 0;
	xml_begin(xml);
	assert_false(xml_any(xml));
	assert_int_equal(xml_feed(xml, "  ", 2), 0);
	assert_false(xml_any(xml));
	assert_int_equal(xml_feed(xml, "<", 1), 0);
	assert_true(xml_any(xml));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_documents),
		cmocka_unit_test(marks_lost_texts),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(forgets_names),
		cmocka_unit_test(passes_on_the_handlers_error),
	};
	return cmocka_run_group_tests(tests, make_xml, free_xml);
}
