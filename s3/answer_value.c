#include <errno.h>

#include "s3/answer_internal.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int answer_trim(struct str s, size_t max, struct str *ret)
{
	while (s.len > 0 && is_blank(s.data[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && is_blank(s.data[s.len - 1]))
		s.len--;
	if (str_has_prefix(s, STR("W/\"")))
		s = str_skip(s, 2);
	if (s.len >= 2 && s.data[0] == '"' && s.data[s.len - 1] == '"')
		s = str_n(s.data + 1, s.len - 2);
	if (s.len > max)
		return -EBADMSG;
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] > '~' || s.data[i] == '"')
			return -EBADMSG;
	*ret = s;
	return 0;
}

int answer_take(struct str s, char *ret, size_t size)
{
	struct str trimmed;
	int error = answer_trim(s, size - 1, &trimmed);
	if (error == 0)
		answer_cut(trimmed, ret, size);
	return error;
}

void answer_cut(struct str s, char *ret, size_t size)
{
	size_t len = s.len < size ? s.len : size - 1;
	if (len > 0)
		memcpy(ret, s.data, len);
	ret[len] = '\0';
}

int answer_uint(struct str s, uint64_t *ret)
{
	uint64_t value = 0;
	if (s.len == 0)
		return -EBADMSG;
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return -EBADMSG;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(s.data[i] - '0'), &value))
			return -EBADMSG;
	}
	*ret = value;
	return 0;
}

bool answer_region_ok(struct str region)
{
	for (size_t i = 0; i < region.len; i++) {
		char c = region.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '_'))
			return false;
	}
	return region.len > 0 && region.len <= REGION_MAX;
}
