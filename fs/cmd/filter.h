/*
 * filter: --include and --exclude, in the order they were given, as `aws s3` has them.
 *
 * Everything is included to begin with; the last pattern that matches a path decides.  A pattern is matched
 * against the whole path below the source prefix: `*` any bytes, slashes too; `?` one character (a UTF-8
 * sequence, or one byte that is none);
 * `[abc]`, `[a-z]`, `[!abc]` one of ASCII; there is no escape character but `[*]`.  Built by one thread, then
 * read by any.
 */
#ifndef FERRYFS_FS_CMD_FILTER_H
#define FERRYFS_FS_CMD_FILTER_H

#include "s3/str.h"

enum { FILTER_MAX = 256 };

struct filter {
	struct {
		struct str pattern; /* lent */
		bool include;
	} rules[FILTER_MAX];
	unsigned count;
};

/* -E2BIG past FILTER_MAX. */
int filter_add(struct filter *filter, const char *pattern, bool include);
/* Is the first pattern an --include?  By itself it leaves nothing out. */
bool filter_begins_with_include(const struct filter *filter);
bool filter_wants(const struct filter *filter, struct str path);

/* One pattern against a whole path; time is at most pattern times path length. */
bool filter_match(struct str pattern, struct str path);

#endif
