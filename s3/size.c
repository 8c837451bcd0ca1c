#include "s3/size.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool size_parse(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;

	if (errno || (*end && !unit))
		return false;
	if (unit) {
		unsigned shift = 10 * (unsigned)(unit - units + 1);

		end++;
		if (strcasecmp(end, "iB") == 0)
			end += 2;
		if (*end || value > UINT64_MAX >> shift)
			return false;
		value <<= shift;
	}
	*ret = value;
	return true;
}
