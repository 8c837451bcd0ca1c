/*
 * fuzz: what the fuzzers share.  Each is a libFuzzer program (make fuzz): it aborts where an invariant of
 * what it fuzzes does not hold, and the sanitizers end it for the rest.  Its first bytes choose what is done,
 * the others are the text.
 */
#ifndef FERRYFS_TESTS_FUZZ_H
#define FERRYFS_TESTS_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include "s3/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool ok)
{
	if (!ok)
		abort();
}

/* Cuts what stands before the next `end` off *rest, and `end` with it. */
static inline struct str next_part(struct str *rest, char end)
{
	const char *at = rest->len ? memchr(rest->data, end, rest->len) : NULL;
	struct str part = str_n(rest->data, at ? (size_t)(at - rest->data) : rest->len);

	*rest = str_skip(*rest, part.len + (at ? 1 : 0));
	return part;
}

/* A NUL-terminated copy, for whatever takes such texts; what stands behind a NUL is lost. */
static inline char *text_of(struct str s)
{
	char *text = malloc(s.len + 1);

	must(text);
	if (s.len)
		memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	return text;
}

#endif
