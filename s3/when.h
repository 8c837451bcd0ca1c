/*
 * when: the date forms of S3.  Times are seconds since 1970 UTC.  Pure; any thread.
 */
#ifndef FERRYFS_S3_WHEN_H
#define FERRYFS_S3_WHEN_H

#include <stdint.h>
#include "s3/str.h"

/* "2026-11-23T01:02:03.000Z" (listings, copy answers).  The fraction goes to *ret_nsec where that is not
 * NULL. */
int when_parse_iso(struct str s, int64_t *ret_sec, int32_t *ret_nsec);

/* "Mon, 23 Nov 2026 01:02:03 GMT" (Last-Modified; RFC 9110, 5.6.7). */
int when_parse_http(struct str s, int64_t *ret_sec);

/* Either of them, and the forms of other services and proxies: the obsolete forms of RFC 9110 ("Sunday,
 * 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"), days of one digit, UTC or an offset as the zone, a
 * fraction of any length.  ret_nsec may be NULL.  -EINVAL for all else. */
int when_parse(struct str s, int64_t *ret_sec, int32_t *ret_nsec);

/* "20261123T010203Z", 16 bytes and a NUL (x-amz-date). */
void when_amz(int64_t sec, char ret[17]);

/* "2026-11-23T01:02:03Z", 20 bytes and a NUL. */
void when_iso(int64_t sec, char ret[21]);

#endif
