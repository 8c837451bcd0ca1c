#include "s3/utf8.h"

unsigned utf8_next(struct str s, uint32_t *ret_point)
{
	static const uint32_t least[] = {
		0, 0, 0x80, 0x800, 0x10000}; /* by length: below it a form is overlong */
	const unsigned char *p = (const unsigned char *)s.data;
	unsigned len;
	uint32_t point;

	if (s.len == 0)
		return 0;
	if (p[0] < 0x80) {
		*ret_point = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (s.len < len)
		return 0;
	point = p[0] & (0xffu >> (len + 1));
	for (unsigned i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3f);
	}
	if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return len;
}
