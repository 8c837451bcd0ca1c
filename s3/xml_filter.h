/*
 * xml_filter: makes any bytes such that an XML parser does not stop at a character XML 1.0 has no place for.
 *
 * S3 servers put raw keys into texts that are not keys (Ceph 16: NextContinuationToken, and echoes of
 * the request), as bytes or as references like &#x01;.  A parser must stop there (W3C XML 1.0, "Char"), and a
 * bucket with such a key could not be listed.  The filter puts XML_FILTER_MARK in the place of each, and says
 * that it did: a reader that gets a text with the mark in it knows that this text was lost, and that no other
 * was.
 *
 * Life-cycle: xml_filter_init for each document, xml_filter_feed for each piece, xml_filter_end.  Nothing to
 * release.
 */
#ifndef FERRYFS_S3_XML_FILTER_H
#define FERRYFS_S3_XML_FILTER_H

#include "s3/str.h"

/* U+10FFFD: XML may carry it in text but not in a name, and no text uses it (private use, plane 16). */
#define XML_FILTER_MARK "\xf4\x8f\xbf\xbd"

enum { XML_FILTER_HELD = 12 }; /* longest reference looked at: "&#x0010FFFF;" */

struct xml_filter {
	bool marked; /* something was replaced in this document */
	/* private */
	int (*out)(void *user, const char *data, size_t len);
	void *user;
	unsigned held_len; /* start of a character or reference that the next piece continues */
	unsigned char held[XML_FILTER_HELD];
};

/* out gets the clean bytes, at once and in order; any value but 0 that it returns ends the call with that
 * value. */
void xml_filter_init(
	struct xml_filter *filter, int (*out)(void *user, const char *data, size_t len), void *user);
int xml_filter_feed(struct xml_filter *filter, const char *text, size_t len);
/* Gives out the bytes that were held back. */
int xml_filter_end(struct xml_filter *filter);

#endif
