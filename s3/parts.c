#include <errno.h>
#include "s3/parts.h"

static uint64_t divide_up(uint64_t value, uint64_t by)
{
	return value / by + (value % by != 0);
}

int parts_plan(uint64_t size, uint64_t wanted, struct parts *ret)
{
	const uint64_t mib = 1 << 20;
	uint64_t part = wanted < PARTS_MIN_SIZE	  ? PARTS_MIN_SIZE
			: wanted > PARTS_MAX_SIZE ? PARTS_MAX_SIZE
						  : wanted;

	if (size == 0)
		return -EINVAL;
	if (size > PARTS_OBJECT_MAX)
		return -EFBIG;
	if (divide_up(size, part) > PARTS_MAX)
		part = divide_up(divide_up(size, PARTS_MAX), mib) * mib;
	*ret = (struct parts){.size = size, .part_size = part, .count = (unsigned)divide_up(size, part)};
	return 0;
}

void parts_range(const struct parts *parts, unsigned number, uint64_t *ret_start, uint64_t *ret_length)
{
	uint64_t start = (number - 1) * parts->part_size;
	uint64_t left = parts->size - start;

	*ret_start = start;
	*ret_length = left < parts->part_size ? left : parts->part_size;
}
