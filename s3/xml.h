/*
 * xml: a bounded reader of XML as it arrives, on libxml2's push parser, without building a tree.
 *
 * One object is made for a list of element names and a handler, and reads document after document: xml_begin,
 * xml_feed for each piece, xml_end.  The handler is told of each element's start and end; at its end it gets
 * the element's own text.  White space before the document is skipped (libxml2 would refuse it before
 * "<?xml").  A DOCTYPE ends the reading, so there are no entities but the five of XML.  Everything is UTF-8,
 * even where the document says otherwise. A handler must not call xml_begin, xml_feed or xml_end.  One thread
 * at a time.
 */
#ifndef FERRYFS_S3_XML_H
#define FERRYFS_S3_XML_H

#include "s3/str.h"

enum {
	XML_DEPTH_MAX = 16,
	XML_TEXT_MAX = 16 << 10, /* of one element; four times the longest encoded key */
	XML_UNREAD_MAX = 256 << 10, /* libxml2 may hold so much of a tag or comment that does not end */
	XML_OTHER = -1, /* an element that is not on the list */
};

struct xml;

struct xml_text {
	struct str text; /* lent during the call; STR_NONE for an element with elements in it */
	bool lost; /* it held something that XML cannot carry, and differs from the text that was meant */
};

/* Each returns 0, or -errno to end the reading with that. */
struct xml_handler {
	int (*on_open)(void *user, struct xml *xml);
	int (*on_close)(void *user, struct xml *xml, const struct xml_text *text);
};

/* names, handler and user are kept. */
int xml_new(const char *const *names, unsigned name_count, const struct xml_handler *handler, void *user,
	struct xml **ret);
void xml_free(struct xml *xml);

void xml_begin(struct xml *xml);
/* -EBADMSG: not XML, or past a bound; -ENOMEM; or the handler's error.  Any failure is final until xml_begin.
 */
int xml_feed(struct xml *xml, const char *data, size_t len);
/* 0 when one whole document was read, else -EBADMSG or the error that xml_feed returned. */
int xml_end(struct xml *xml);

/* Has anything but white space come? */
bool xml_any(const struct xml *xml);

/* For handlers: the index in names of the open element at a level, 1 being the root; XML_OTHER.  Level 0 and
 * levels past the depth are XML_OTHER.  Both calls count the element in question as open. */
unsigned xml_depth(const struct xml *xml);
int xml_name(const struct xml *xml, unsigned level);

#endif
