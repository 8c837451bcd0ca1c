#include "fs/host/json_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "s3/buf.h"

json_t *json_text_new(const char *text)
{
	struct buf out;
	json_t *value = NULL;

	buf_init(&out, JSON_TEXT_MAX);
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at < 0x20 || *at >= 0x7f || *at == '%')
			buf_addf(&out, "%%%02X", *at);
		else
			buf_add_char(&out, (char)*at);
	}
	if (!out.error)
		value = json_string(buf_text(&out));
	buf_release(&out);
	return value;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int json_text_get(const json_t *value, char **ret)
{
	const char *from = json_string_value(value);
	char *text, *to;

	if (!from || strlen(from) != json_string_length(value))
		return -EINVAL;
	to = text = malloc(strlen(from) + 1);
	if (!text)
		return -ENOMEM;
	for (; *from; from++) {
		unsigned char byte = (unsigned char)*from;

		if (byte == '%') {
			int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);

			if (low < 0 || high * 16 + low == 0) {
				free(text);
				return -EINVAL;
			}
			byte = (unsigned char)(high * 16 + low);
			from += 2;
		}
		*to++ = (char)byte;
	}
	*to = '\0';
	*ret = text;
	return 0;
}
