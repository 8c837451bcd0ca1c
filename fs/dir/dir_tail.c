#include "fs/dir/dir_tail.h"

#include <stdlib.h>
#include <string.h>

void dir_tail_drop(struct dir_tail *tail)
{
	free(tail->key);
	tail->key = NULL;
}

void dir_tail_set(struct dir_tail *tail, struct str key, uint64_t asked_ms, unsigned moves)
{
	dir_tail_drop(tail);
	tail->key = str_dup(key);
	tail->asked_ms = asked_ms;
	tail->moves = moves;
}

/* With the slash at its end. */
static size_t directory_len(struct str key)
{
	size_t len = key.len;

	while (len > 0 && key.data[len - 1] != '/')
		len--;
	return len;
}

bool dir_tail_covers(const struct dir_tail *tail, struct str key, unsigned moves)
{
	if (!tail->key || tail->moves != moves)
		return false;
	struct str from = str_of(tail->key);
	size_t above = directory_len(from);

	if (directory_len(key) != above || memcmp(key.data, from.data, above) != 0)
		return false;
	size_t len = key.len < from.len ? key.len : from.len;
	int order = memcmp(key.data, from.data, len);

	return order > 0 || (order == 0 && key.len >= from.len);
}
