#include <errno.h>
#include "fs/cmd/filter.h"
#include "s3/utf8.h"

int filter_add(struct filter *filter, const char *pattern, bool include)
{
	if (filter->count == FILTER_MAX)
		return -E2BIG;
	filter->rules[filter->count].pattern = str_of(pattern);
	filter->rules[filter->count].include = include;
	filter->count++;
	return 0;
}

bool filter_begins_with_include(const struct filter *filter)
{
	return filter->count > 0 && filter->rules[0].include;
}

bool filter_wants(const struct filter *filter, struct str path)
{
	for (unsigned i = filter->count; i > 0; i--)
		if (filter_match(filter->rules[i - 1].pattern, path))
			return filter->rules[i - 1].include;
	return true;
}

/* The length of a set "[...]" with its brackets, or 0 where no bracket closes it (then `[` is itself, as in
 * Python's fnmatch, which aws uses).  A `]` right after `[` or `[!` is a member. */
static size_t set_len(struct str pattern)
{
	size_t at = 1;

	if (at < pattern.len && pattern.data[at] == '!')
		at++;
	if (at < pattern.len && pattern.data[at] == ']')
		at++;
	while (at < pattern.len && pattern.data[at] != ']')
		at++;
	return at < pattern.len ? at + 1 : 0;
}

static bool set_has(struct str set, unsigned char c)
{
	size_t at = 1, end = set.len - 1;
	bool negated = set.data[1] == '!', found = false;

	if (negated)
		at++;
	for (; at < end; at++) {
		unsigned char low = (unsigned char)set.data[at], high = low;

		if (at + 2 < end && set.data[at + 1] == '-') {
			high = (unsigned char)set.data[at + 2];
			at += 2;
		}
		found = found || (c >= low && c <= high);
	}
	return found != negated;
}

/* Matches the pattern's first element (no `*`) at the path's first character; *ret_pattern and *ret_path are
 * what it took. */
static bool match_one(struct str pattern, struct str path, size_t *ret_pattern, size_t *ret_path)
{
	uint32_t point;
	unsigned width;
	size_t set;

	if (path.len == 0)
		return false;
	*ret_pattern = 1;
	*ret_path = 1;
	if (pattern.data[0] == '?') {
		width = utf8_next(path, &point);
		*ret_path = width ? width : 1;
		return true;
	}
	set = pattern.data[0] == '[' ? set_len(pattern) : 0;
	if (set == 0)
		return pattern.data[0] == path.data[0];
	*ret_pattern = set;
	width = utf8_next(path, &point);
	if (width > 1) { /* sets are of ASCII: such a character is in none of them, so in all negated ones */
		*ret_path = width;
		return pattern.data[1] == '!';
	}
	return set_has(str_n(pattern.data, set), (unsigned char)path.data[0]);
}

bool filter_match(struct str pattern, struct str path)
{
	struct str star_pattern = STR_NONE, star_path = STR_NONE;
	size_t pattern_step, path_step;
	uint32_t point;

	while (path.len || pattern.len) {
		if (pattern.len && pattern.data[0] == '*') {
			/* Only the last star need ever be tried anew: an earlier one that took more would
			 * leave less to this one. */
			pattern = str_skip(pattern, 1);
			star_pattern = pattern;
			star_path = path;
			continue;
		}
		if (pattern.len && match_one(pattern, path, &pattern_step, &path_step)) {
			pattern = str_skip(pattern, pattern_step);
			path = str_skip(path, path_step);
			continue;
		}
		if (!star_pattern.data || star_path.len == 0)
			return false;
		path_step = utf8_next(star_path, &point);
		star_path = str_skip(star_path, path_step ? path_step : 1);
		pattern = star_pattern;
		path = star_path;
	}
	return true;
}
