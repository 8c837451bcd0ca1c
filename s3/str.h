/*
 * str: a lent slice of bytes, with a length because an S3 key may hold any byte, NUL among them.
 *
 * A str owns nothing; the bytes it points to must outlive it.  A str with data == NULL is "absent", one with
 * len == 0 and data != NULL is empty.  All functions are pure and may be called from any thread.
 */
#ifndef FERRYFS_S3_STR_H
#define FERRYFS_S3_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *data;
	size_t len;
};

#define STR(literal) ((struct str){.data = "" literal, .len = sizeof(literal) - 1})
#define STR_NONE ((struct str){.data = NULL, .len = 0})

static inline struct str str_of(const char *text)
{
	return (struct str){.data = text, .len = text ? strlen(text) : 0};
}

static inline struct str str_n(const char *data, size_t len)
{
	return (struct str){.data = data, .len = len};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool str_has_prefix(struct str s, struct str prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

static inline bool str_has_suffix(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(s.data + s.len - suffix.len, suffix.data, suffix.len) == 0);
}

/* s without its first n bytes; n <= s.len. */
static inline struct str str_skip(struct str s, size_t n)
{
	return str_n(s.data + n, s.len - n);
}

/* Byte order, the order of a listing (AWS: "UTF-8 binary order"): <0, 0, >0. */
int str_cmp(struct str a, struct str b);

#define STR_HASH_START 0xcbf29ce484222325u

/* FNV-1a, 64 bits, of the bytes that gave hash (none: STR_HASH_START) and of s.  Whoever knows the function can find texts
 * with the same hash: it is for tables where that costs time or belief, and no more. */
static inline uint64_t str_hash(uint64_t hash, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)s.data[i]) * 0x100000001b3u;
	return hash;
}

/* A NUL-terminated heap copy that the caller frees, or NULL when memory is short. */
char *str_dup(struct str s);

#endif
