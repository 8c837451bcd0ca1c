/*
 * utf8: one code point of a text that may be anything.  Pure; any thread.
 */
#ifndef FERRYFS_S3_UTF8_H
#define FERRYFS_S3_UTF8_H

#include <stdint.h>
#include "s3/str.h"

/* How many bytes the code point at the start of s takes (1 to 4), and which it is; 0, with *ret_point
 * untouched, where s is empty or does not begin with a well-formed code point (RFC 3629: no overlong form, no
 * surrogate, none past U+10FFFF). */
unsigned utf8_next(struct str s, uint32_t *ret_point);

#endif
