/*
 * A document's states:
 *
 *   ready    xml_begin was called; only white space has come       !started
 *   reading  the libxml2 context has been reset for it             started, depth or !closed
 *   closed   the root element has ended; only trivia may follow    started, closed
 *   failed   error is set; libxml2 is not called any more
 *
 * The libxml2 context lives as long as it is known to be as good as new: a document that did not end well, or
 * one with so many different names that the context's dictionary grew, gets it thrown away.
 */
#include "s3/xml.h"

#include <errno.h>
#include <stdlib.h>
#include <libxml/parser.h>
#include <libxml/dict.h>

#include "s3/xml_filter.h"

enum {
	SLICE_MAX = 16 << 10, /* fed to libxml2 at once, so that its buffers stay small */
	DICT_MAX = 512, /* names that stay in the context; S3 has not 200 */
};

struct level {
	int name;
	bool parent; /* has elements in it */
};

struct xml {
	const struct xml_handler *handler;
	void *user;
	const char *const *names;
	const xmlChar *
		*known; /* names as the context's dictionary has them: equal texts are equal pointers */
	unsigned name_count;
	xmlParserCtxtPtr context; /* NULL until needed */
	struct xml_filter filter;
	int error;
	bool started, closed;
	bool fed; /* libxml2 got its first bytes */
	unsigned depth;
	struct level levels[XML_DEPTH_MAX + 1]; /* from 1 */
	size_t text_len;
	char text[XML_TEXT_MAX];
};

static void fail(struct xml *xml, int error)
{
	if (xml->error != 0)
		return;
	xml->error = error;
	xmlStopParser(xml->context);
}

static int find_name(const struct xml *xml, const xmlChar *name)
{
	for (unsigned i = 0; i < xml->name_count; i++)
		if (xml->known[i] == name)
			return (int)i;
	return XML_OTHER;
}

/* libxml2's signature (startElementNsSAX2Func) */
static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int spaces,
	const xmlChar **space, int attributes, int defaulted, const xmlChar **attribute)
{
	struct xml *xml = user;
	if (xml->error != 0)
		return;
	if (xml->depth == XML_DEPTH_MAX) {
		fail(xml, -EBADMSG);
		return;
	}
	xml->levels[xml->depth].parent = true;
	xml->depth++;
	xml->levels[xml->depth] = (struct level){.name = find_name(xml, name)};
	xml->text_len = 0;
	int error = xml->handler->on_open(xml->user, xml);
	if (error != 0)
		fail(xml, error);
}

/* Can text hold the filter's mark?  A document of which nothing was replaced may use that character as it
 * likes. */
static bool is_lost(const struct xml *xml)
{
	return xml->filter.marked &&
	       memmem(xml->text, xml->text_len, XML_FILTER_MARK, sizeof(XML_FILTER_MARK) - 1) != NULL;
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml *xml = user;
	if (xml->error != 0 || xml->depth == 0)
		return;
	struct xml_text text = {.text = STR_NONE};
	if (!xml->levels[xml->depth].parent)
		text = (struct xml_text){.text = str_n(xml->text, xml->text_len), .lost = is_lost(xml)};
	int error = xml->handler->on_close(xml->user, xml, &text);
	xml->depth--;
	xml->closed = xml->depth == 0;
	xml->text_len = 0;
	if (error != 0)
		fail(xml, error);
}

static void on_text(void *user, const xmlChar *data, int len)
{
	struct xml *xml = user;
	if (xml->error != 0)
		return;
	if ((size_t)len > sizeof(xml->text) - xml->text_len) {
		fail(xml, -EBADMSG);
		return;
	}
	memcpy(xml->text + xml->text_len, data, (size_t)len);
	xml->text_len += (size_t)len;
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	fail(user, -EBADMSG);
}

/* Without it libxml2 writes to standard error. */
static void on_error(void *user, xmlErrorPtr error)
{
}

static xmlSAXHandler sax = {
	.initialized = XML_SAX2_MAGIC,
	.internalSubset = on_doctype,
	.externalSubset = on_doctype,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_text,
	.ignorableWhitespace =
		on_text, /* the same function: libxml2 then does not ask itself whether blanks matter */
	.cdataBlock = on_text,
	.serror = on_error,
};

static void drop_context(struct xml *xml)
{
	if (xml->context)
		xmlFreeParserCtxt(xml->context);
	xml->context = NULL;
}

static int make_context(struct xml *xml)
{
	xml->context = xmlCreatePushParserCtxt(&sax, xml, NULL, 0, NULL);
	if (!xml->context)
		return -ENOMEM;
	for (unsigned i = 0; i < xml->name_count; i++) {
		xml->known[i] = xmlDictLookup(xml->context->dict, (const xmlChar *)xml->names[i], -1);
		if (!xml->known[i]) {
			drop_context(xml);
			return -ENOMEM;
		}
	}
	return 0;
}

static int reset_context(struct xml *xml)
{
	if (!xml->context) {
		int error = make_context(xml);
		if (error != 0)
			return error;
	} else if (xmlCtxtResetPush(xml->context, NULL, 0, NULL, NULL) != 0) {
		drop_context(xml);
		return -ENOMEM;
	}
	/* The filter vouches for UTF-8; a declaration of another encoding must not change the meaning of
	 * bytes. */
	xmlCtxtUseOptions(xml->context,
		XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	return 0;
}

/* Tells libxml2's verdict after a call. */
static int check_context(struct xml *xml)
{
	xmlParserCtxtPtr context = xml->context;
	if (xml->error == 0 && (context->wellFormed == 0 || context->disableSAX != 0))
		xml->error = context->errNo == XML_ERR_NO_MEMORY ? -ENOMEM : -EBADMSG;
	if (xml->error == 0 && context->input && context->input->end - context->input->cur > XML_UNREAD_MAX)
		xml->error = -EBADMSG;
	return xml->error;
}

static int on_clean(void *user, const char *data, size_t len)
{
	struct xml *xml = user;
	/* A byte order mark, which the filter never cuts; libxml2 knows it only in a piece of four bytes. */
	if (!xml->fed && len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		data += 3;
		len -= 3;
	}
	xml->fed = true;
	while (len > 0) {
		size_t slice = len < SLICE_MAX ? len : SLICE_MAX;
		xmlParseChunk(xml->context, data, (int)slice, 0);
		int error = check_context(xml);
		if (error != 0)
			return error;
		data += slice;
		len -= slice;
	}
	return 0;
}

int xml_new(const char *const *names, unsigned name_count, const struct xml_handler *handler, void *user,
	struct xml **ret)
{
	xmlInitParser();
	struct xml *xml = calloc(1, sizeof(*xml));
	const xmlChar **known = calloc(name_count, sizeof(*known));
	if (!xml || !known) {
		free(xml);
		free(known);
		return -ENOMEM;
	}
	xml->known = known;
	xml->names = names;
	xml->name_count = name_count;
	xml->handler = handler;
	xml->user = user;
	xml_begin(xml);
	*ret = xml;
	return 0;
}

void xml_free(struct xml *xml)
{
	if (!xml)
		return;
	drop_context(xml);
	free(xml->known);
	free(xml);
}

void xml_begin(struct xml *xml)
{
	if (xml->started && (xml->error != 0 || !xml->closed || xmlDictSize(xml->context->dict) > DICT_MAX))
		drop_context(xml);
	xml->error = 0;
	xml->started = false;
	xml->closed = false;
	xml->fed = false;
	xml->depth = 0;
	xml->text_len = 0;
	xml_filter_init(&xml->filter, on_clean, xml);
}

int xml_feed(struct xml *xml, const char *data, size_t len)
{
	if (xml->error != 0)
		return xml->error;
	if (!xml->started) {
		while (len > 0 && (*data == ' ' || *data == '\t' || *data == '\r' || *data == '\n')) {
			data++;
			len--;
		}
		if (len == 0)
			return 0;
		xml->error = reset_context(xml);
		if (xml->error != 0)
			return xml->error;
		xml->started = true;
	}
	int error = xml_filter_feed(&xml->filter, data, len);
	if (error != 0 && xml->error == 0)
		xml->error = error;
	return xml->error;
}

int xml_end(struct xml *xml)
{
	if (xml->error != 0)
		return xml->error;
	if (!xml->started)
		return -EBADMSG;
	int error = xml_filter_end(&xml->filter);
	if (error != 0)
		return error;
	xmlParseChunk(xml->context, NULL, 0, 1);
	error = check_context(xml);
	if (error == 0 && !xml->closed)
		error = xml->error = -EBADMSG;
	return error;
}

bool xml_any(const struct xml *xml)
{
	return xml->started || xml->error != 0;
}

unsigned xml_depth(const struct xml *xml)
{
	return xml->depth;
}

int xml_name(const struct xml *xml, unsigned level)
{
	return level == 0 || level > xml->depth ? XML_OTHER : xml->levels[level].name;
}
