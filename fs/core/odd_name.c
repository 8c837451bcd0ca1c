#include "fs/core/odd_name.h"

#include <string.h>

#define LEAD STR("%!")
#define BESIDE STR("%=")

static bool is_escape(struct str name)
{
	return str_has_prefix(name, LEAD) || str_has_prefix(name, BESIDE);
}

static bool odd_name_put(struct odd_text *buf, struct str text)
{
	if (buf->len + text.len > KEY_NAME_MAX)
		return false;
	if (text.len > 0)
		memcpy(buf->text + buf->len, text.data, text.len);
	buf->len += text.len;
	buf->text[buf->len] = '\0';
	return true;
}

/* "%" and NUL are encoded. */
static bool put_encoded(struct odd_text *buf, struct str part)
{
	bool fits = true;

	for (size_t i = 0; i < part.len && fits; i++) {
		char c = part.data[i];

		if (c == '%')
			fits = odd_name_put(buf, STR("%25"));
		else
			fits = odd_name_put(buf, c ? str_n(&part.data[i], 1) : STR("%00"));
	}
	return fits;
}

bool odd_name(struct str part, struct odd_text *buf, struct str *ret)
{
	if (key_name_ok(part) && !is_escape(part)) {
		*ret = part;
		return true;
	}
	buf->len = 0;
	if (!odd_name_put(buf, LEAD) || !put_encoded(buf, part))
		return false;
	*ret = str_n(buf->text, buf->len);
	return true;
}

bool odd_name_beside(struct str part, struct odd_text *buf, struct str *ret)
{
	buf->len = 0;
	if (part.len == 0 || !odd_name_put(buf, BESIDE) || !put_encoded(buf, part))
		return false;
	*ret = str_n(buf->text, buf->len);
	return true;
}

/* Undoes put_encoded; false: it has not written this. */
static bool put_decoded(struct odd_text *buf, struct str text)
{
	while (text.len > 0) {
		size_t skip = 1;
		bool fits;

		if (text.data[0] != '%') {
			fits = odd_name_put(buf, str_n(text.data, 1));
		} else {
			skip = 3;
			if (str_has_prefix(text, STR("%25")))
				fits = odd_name_put(buf, STR("%"));
			else
				fits = str_has_prefix(text, STR("%00")) && odd_name_put(buf, str_n("", 1));
		}
		if (!fits)
			return false;
		text = str_skip(text, skip);
	}
	return true;
}

bool odd_part(struct str name, struct odd_text *buf, struct str *ret)
{
	struct odd_text again;
	struct str back;

	if (!is_escape(name)) {
		*ret = name;
		return true;
	}
	buf->len = 0;
	if (!put_decoded(buf, str_skip(name, LEAD.len)))
		return false;
	*ret = str_n(buf->text, buf->len);
	/* The one name of this part? */
	if (odd_is_file(name))
		return odd_name_beside(*ret, &again, &back) && str_eq(back, name);
	return odd_name(*ret, &again, &back) && str_eq(back, name);
}

bool odd_is_file(struct str name)
{
	return str_has_prefix(name, BESIDE);
}

bool odd_is_dir(struct str name)
{
	return str_eq(name, LEAD);
}
