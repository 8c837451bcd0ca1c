#include <errno.h>
#include <strings.h>
#include "s3/headers.h"

void headers_init(struct headers *headers)
{
	buf_init(&headers->text, HEADERS_BYTES_MAX);
	headers->count = 0;
}

void headers_release(struct headers *headers)
{
	buf_release(&headers->text);
	headers->count = 0;
}

void headers_clear(struct headers *headers)
{
	buf_clear(&headers->text);
	headers->count = 0;
}

/* Takes back the bytes added after the first len, the sticky error of the buffer among it. */
static void cut(struct headers *headers, size_t len, unsigned count)
{
	headers->text.len = len;
	headers->text.error = 0;
	if (headers->text.data)
		headers->text.data[len] = '\0';
	headers->count = count;
}

/* RFC 9110, 5.6.2 */
static bool is_token(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.data[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
			return false;
	}
	return name.len > 0;
}

static bool is_value(struct str value)
{
	return value.len == 0 ||
	       (!memchr(value.data, '\r', value.len) && !memchr(value.data, '\n', value.len) &&
		       !memchr(value.data, '\0', value.len));
}

static struct str headers_trim(struct str s)
{
	while (s.len && (s.data[0] == ' ' || s.data[0] == '\t'))
		s = str_skip(s, 1);
	while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static bool headers_same_name(struct str a, struct str b)
{
	return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

int headers_add(struct headers *headers, struct str name, struct str value)
{
	size_t before = headers->text.len;
	int error;

	if (!is_token(name) || !is_value(value))
		return -EINVAL;
	if (headers->count >= HEADERS_MAX)
		return -EOVERFLOW;
	value = headers_trim(value);
	buf_add_str(&headers->text, name);
	buf_add_char(&headers->text, '\0');
	buf_add_str(&headers->text, value);
	error = buf_add_char(&headers->text, '\0');
	if (error) {
		cut(headers, before, headers->count);
		return error;
	}
	for (size_t i = 0; i < name.len; i++) {
		char *c = &headers->text.data[before + i];

		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	headers->count++;
	return 0;
}

/* Closes the gap that the pairs of this name in the first `end` bytes leave. */
static void remove_name(struct headers *headers, struct str name, size_t end)
{
	size_t at = 0, start = 0;
	struct str have, value;

	while (at < end && headers_next(headers, &at, &have, &value)) {
		if (headers_same_name(have, name)) {
			memmove(headers->text.data + start, headers->text.data + at,
				headers->text.len - at + 1);
			headers->text.len -= at - start;
			end -= at - start;
			headers->count--;
			at = start;
		}
		start = at;
	}
}

int headers_set(struct headers *headers, struct str name, struct str value)
{
	size_t end = headers->text.len;

	if (value.data) {
		int error = headers_add(headers, name, value);

		if (error)
			return error;
	}
	remove_name(headers, name, end);
	return 0;
}

int headers_add_all(struct headers *headers, const struct headers *from)
{
	size_t before = headers->text.len, at = 0;
	unsigned count = headers->count;
	struct str name, value;

	while (headers_next(from, &at, &name, &value)) {
		int error = headers_add(headers, name, value);

		if (error) {
			cut(headers, before, count);
			return error;
		}
	}
	return 0;
}

struct str headers_get(const struct headers *headers, struct str name)
{
	size_t at = 0;
	struct str have, value;

	while (headers_next(headers, &at, &have, &value)) {
		if (headers_same_name(have, name))
			return value;
	}
	return STR_NONE;
}

bool headers_next(const struct headers *headers, size_t *at, struct str *ret_name, struct str *ret_value)
{
	if (*at >= headers->text.len)
		return false;
	*ret_name = str_of(headers->text.data + *at);
	*ret_value = str_of(ret_name->data + ret_name->len + 1);
	*at += ret_name->len + ret_value->len + 2;
	return true;
}

bool headers_equal(const struct headers *a, const struct headers *b)
{
	struct str name, value;
	size_t at = 0;

	while (headers_next(a, &at, &name, &value)) {
		struct str other = headers_get(b, name);

		if (!other.data || !str_eq(value, other))
			return false;
	}
	return a->count == b->count;
}

bool headers_is_object(struct str name)
{
	static const char *const names[] = {"cache-control", "content-disposition", "content-encoding",
		"content-language", "content-type", "expires", "x-amz-website-redirect-location"};
	const struct str meta = STR("x-amz-meta-");

	if (name.len > meta.len && strncasecmp(name.data, meta.data, meta.len) == 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (headers_same_name(name, str_of(names[i])))
			return true;
	}
	return false;
}

bool headers_is_encryption(struct str name)
{
	return headers_same_name(name, STR("x-amz-server-side-encryption")) ||
	       headers_same_name(name, STR("x-amz-server-side-encryption-aws-kms-key-id")) ||
	       headers_same_name(name, STR("x-amz-server-side-encryption-bucket-key-enabled"));
}
