#include "fs/core/node_numbers.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 8, SETS = NUMBERS_MAX / PLACES };

struct number {
	uint64_t hash, ino; /* ino 0: free */
};

struct node_numbers {
	struct number sets[SETS][PLACES]; /* the newest first; the free ones last */
};

struct node_numbers *node_numbers_new(void)
{
	/* The pages come as they are used. */
	return calloc(1, sizeof(struct node_numbers));
}

void node_numbers_free(struct node_numbers *numbers)
{
	free(numbers);
}

static struct number *set_of(struct node_numbers *numbers, uint64_t hash)
{
	return numbers->sets[hash % SETS];
}

/* Its place; PLACES: it has none. */
static unsigned number_find(const struct number *set, uint64_t hash)
{
	unsigned at = 0;

	while (at < PLACES && !(set[at].ino && set[at].hash == hash))
		at++;
	return at;
}

void node_numbers_put(struct node_numbers *numbers, uint64_t hash, uint64_t ino)
{
	if (!numbers)
		return;
	struct number *set = set_of(numbers, hash);
	unsigned at = number_find(set, hash);

	if (at == PLACES)
		at = PLACES - 1;
	memmove(&set[1], &set[0], at * sizeof(*set));
	set[0] = (struct number){.hash = hash, .ino = ino};
}

uint64_t node_numbers_take(struct node_numbers *numbers, uint64_t hash)
{
	if (!numbers)
		return 0;
	struct number *set = set_of(numbers, hash);
	unsigned at = number_find(set, hash);

	if (at == PLACES)
		return 0;
	uint64_t ino = set[at].ino;

	memmove(&set[at], &set[at + 1], (PLACES - 1 - at) * sizeof(*set));
	set[PLACES - 1] = (struct number){0};
	return ino;
}
