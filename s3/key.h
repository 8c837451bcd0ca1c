/*
 * key: object keys, their encoding in addresses, and which of them can be shown as file names.
 *
 * A key is 1 to KEY_MAX bytes (AWS, "Creating object key names").  `/` separates names.  A key that ends in
 * `/` is the marker of a directory.  Pure; any thread.
 */
#ifndef FERRYFS_S3_KEY_H
#define FERRYFS_S3_KEY_H

#include "s3/buf.h"

enum {
	KEY_MAX = 1024, /* bytes; AWS, "Creating object key names" */
	KEY_NAME_MAX = 255, /* bytes of one name; Linux NAME_MAX */
};

/* Percent-encodes every byte but A-Z a-z 0-9 - . _ ~ (AWS, "UriEncode()"); `/` stays when keep_slash. */
int key_encode(struct buf *buf, struct str s, bool keep_slash);

/* Undoes percent-encoding into buf; `+` becomes a space when plus_is_space (S3's encoding-type=url).
 * -EBADMSG on a broken escape. */
int key_decode(struct buf *buf, struct str s, bool plus_is_space);

/* May s be one name of a directory entry: 1 to KEY_NAME_MAX bytes, not "." or "..", neither `/` nor NUL in
 * it? */
bool key_name_ok(struct str name);

/* Can every name of this key (relative to the directory it is listed in) be shown?  A trailing `/` is
 * allowed, an empty path is not. */
bool key_path_ok(struct str path);

/* Can XML 1.0 carry s: valid UTF-8, no control byte but TAB LF CR, no U+FFFE/U+FFFF?  (W3C XML 1.0, "Char")
 */
bool key_xml_ok(struct str s);

/* Writes s as XML character data: & < > " escaped, CR as &#13; and LF, TAB as references too, since a parser
 * turns a raw CR into LF (measured on Ceph 16: deleting `a\rb` deleted `a\nb`).  s must be key_xml_ok: else
 * -EINVAL. */
int key_xml(struct buf *buf, struct str s);

#endif
