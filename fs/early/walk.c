#include "fs/early/walk.h"

#include <assert.h>
#include <stdlib.h>

enum { STACK_FIRST = 16 };

static void walk_check(const struct visits *visits)
{
#ifndef NDEBUG
	assert(visits->count <= visits->size && visits->size <= VISIT_DEPTH_MAX);
	for (unsigned i = 0; i < visits->count; i++) {
		const struct visit *visit = &visits->stack[i];

		assert(visit->id != 0 && visit->id <= visits->next_id);
		assert(visit->broken || visit->listed || visit->last == 0);
		assert(i == 0 || visit->parent == visits->stack[i - 1].directory);
	}
#endif
}

void visits_release(struct visits *visits)
{
	free(visits->stack);
	*visits = (struct visits){0};
}

/* The directory's place on the stack, from 1; 0: not on the stack. */
static unsigned walk_find(const struct visits *visits, uint64_t directory)
{
	unsigned at = visits->count;

	while (at > 0 && visits->stack[at - 1].directory != directory)
		at--;
	return at;
}

static struct visit *by_id(struct visits *visits, uint64_t id)
{
	for (unsigned at = visits->count; id != 0 && at > 0; at--) {
		if (visits->stack[at - 1].id == id)
			return &visits->stack[at - 1];
	}
	return NULL;
}

static void walk_turn_to(struct visit *visit, uint64_t entry)
{
	if (!visit->listed || entry <= visit->last)
		visit->broken = true;
	else
		visit->last = entry;
}

static bool walk_push(struct visits *visits, struct visit visit)
{
	if (visits->count == visits->size) {
		unsigned size = visits->size ? 2 * visits->size : STACK_FIRST;
		struct visit *grown = NULL;

		if (size <= VISIT_DEPTH_MAX)
			grown = realloc(visits->stack, size * sizeof(*grown));
		if (!grown)
			return false;
		visits->stack = grown;
		visits->size = size;
	}
	visits->stack[visits->count++] = visit;
	return true;
}

uint64_t visit_opened(struct visits *visits, uint64_t directory, uint64_t parent)
{
	unsigned at = walk_find(visits, parent);
	uint64_t id = ++visits->next_id;

	if (at > 0)
		walk_turn_to(&visits->stack[at - 1], directory);
	visits->count = at;
	if (!walk_push(visits, (struct visit){.directory = directory, .parent = parent, .id = id}))
		id = 0;
	walk_check(visits);
	return id;
}

void visit_told(struct visits *visits, uint64_t id, uint64_t highest)
{
	struct visit *visit = by_id(visits, id);

	if (!visit)
		return;
	/* More entries of a listing that had come to its end: the evidence was of another listing. */
	if (visit->listed)
		visit->broken = true;
	else if (highest > visit->highest)
		visit->highest = highest;
	walk_check(visits);
}

void visit_rewound(struct visits *visits, uint64_t id)
{
	struct visit *visit = by_id(visits, id);

	if (!visit)
		return;
	if (visit->last != 0)
		visit->broken = true;
	visit->listed = false;
	visit->highest = visit->last = 0;
	walk_check(visits);
}

/* Has the process still to come to an entry of a directory around stack[at - 1]? */
static bool more_around(const struct visits *visits, unsigned at)
{
	for (; at > 1; at--) {
		const struct visit *inner = &visits->stack[at - 1], *outer = &visits->stack[at - 2];

		if (outer->listed && !outer->broken && outer->last == inner->directory &&
			outer->last < outer->highest)
			return true;
	}
	return false;
}

/* Has the process still to come to an entry of stack[at - 1], or of a directory around it? */
static bool more_at(const struct visits *visits, unsigned at)
{
	const struct visit *visit = &visits->stack[at - 1];

	if (visit->listed && !visit->broken && visit->last < visit->highest)
		return true;
	return more_around(visits, at);
}

bool visit_listed(struct visits *visits, uint64_t id)
{
	struct visit *visit = by_id(visits, id);

	if (!visit)
		return false;
	visit->listed = true;
	walk_check(visits);
	return more_at(visits, (unsigned)(visit - visits->stack) + 1);
}

bool visit_coming(const struct visits *visits)
{
	return visits->count > 0 && more_at(visits, visits->count);
}

void visit_lands(struct visits *visits, uint64_t directory)
{
	unsigned at = walk_find(visits, directory);

	if (at > 0)
		visits->stack[at - 1].lands = true;
}

bool visit_passes(const struct visits *visits, uint64_t directory, uint64_t entry)
{
	unsigned at = walk_find(visits, directory);

	if (visit_more(visits, directory, entry))
		return true;
	return at > 0 && visits->stack[at - 1].lands;
}

bool visit_has(const struct visits *visits, uint64_t directory)
{
	return walk_find(visits, directory) > 0;
}

void visit_entry(struct visits *visits, uint64_t directory, uint64_t entry)
{
	unsigned at = walk_find(visits, directory);

	if (at == 0)
		return;
	visits->count = at;
	walk_turn_to(&visits->stack[at - 1], entry);
	walk_check(visits);
}

bool visit_more(const struct visits *visits, uint64_t directory, uint64_t entry)
{
	unsigned at = walk_find(visits, directory);

	if (at == 0 || at != visits->count)
		return false;
	const struct visit *visit = &visits->stack[at - 1];

	/* This entry may have broken the order; then it is no evidence for the directories around it
	 * either. */
	if (visit->broken || visit->last != entry)
		return false;
	return entry < visit->highest || more_around(visits, at);
}

bool visit_ahead(const struct visits *visits, uint64_t directory, uint64_t entry)
{
	unsigned at = walk_find(visits, directory);

	return at > 0 && !visits->stack[at - 1].broken && entry >= visits->stack[at - 1].last;
}

bool visit_inside(const struct visits *visits, uint64_t directory)
{
	unsigned at = walk_find(visits, directory);

	return at > 0 && !visits->stack[at - 1].kept;
}

bool visit_removing(struct visits *visits, uint64_t directory, uint64_t entry)
{
	visit_entry(visits, directory, entry);
	return visit_inside(visits, directory) || visit_more(visits, directory, entry);
}

void visit_refused(struct visits *visits)
{
	for (unsigned i = 0; i < visits->count; i++)
		visits->stack[i].kept = true;
}

void visit_left(struct visits *visits, uint64_t directory)
{
	unsigned at = walk_find(visits, directory);

	if (at > 0)
		visits->count = at - 1;
}
