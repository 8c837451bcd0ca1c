/*
 * A ring of notes, the oldest overwritten, with hash chains by place through it.
 */
#include "fs/file/taken.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/core/place.h"

enum {
	NONE = 0, /* no note: notes are numbered from 1 */
	SLACK_S = 5, /* seconds: a note is written only after its copy was answered */
};

struct taken_note {
	uint64_t place; /* hash; 0: free */
	uint64_t etag; /* hash */
	pid_t pid;
	uint32_t made; /* seconds since 1970 */
	uint32_t next, prev; /* in the chain; prev NONE: the first */
};

struct lost {
	pid_t pid;
	int64_t since;
};

/* The notes for places below this name are void if they were not made later. */
struct below {
	uint64_t serial; /* of the account; 0: none */
	char *name; /* "bucket/prefix/" */
	uint32_t made;
};

struct taken {
	pthread_mutex_t lock;
	unsigned max, slots, at; /* at: the position of the next note */
	struct taken_note *notes; /* [0] is unused */
	uint32_t *chains;
	struct lost lost[TAKEN_LOST_MAX];
	unsigned lost_count;
	struct below below[TAKEN_BELOW_MAX]; /* a ring */
	unsigned below_next;
	int64_t lost_since; /* for the processes that have no place in `lost`; 0: none */
};

static uint64_t finish_hash(uint64_t hash)
{
	hash ^= hash >> 32;
	return hash ? hash : 1;
}

uint64_t taken_hash(const char *etag)
{
	return finish_hash(str_hash(STR_HASH_START, str_of(etag)));
}

static uint64_t hash_place(const struct place *place)
{
	uint64_t serial = account_serial(place->account);
	uint64_t hash = str_hash(STR_HASH_START, str_n((const char *)&serial, sizeof(serial)));

	hash = str_hash(hash, str_n(place->bucket, place->bucket_len + 1));
	return finish_hash(str_hash(hash, str_n(place->key, place->key_len)));
}

int taken_new(unsigned max, struct taken **ret)
{
	struct taken *taken = calloc(1, sizeof(*taken));

	if (!taken)
		return -ENOMEM;
	taken->max = max;
	taken->slots = max;
	taken->notes = calloc(max + 1, sizeof(*taken->notes));
	taken->chains = calloc(taken->slots, sizeof(*taken->chains));
	pthread_mutex_init(&taken->lock, NULL);
	if (!taken->notes || !taken->chains) {
		taken_free(taken);
		return -ENOMEM;
	}
	*ret = taken;
	return 0;
}

void taken_free(struct taken *taken)
{
	if (!taken)
		return;
	pthread_mutex_destroy(&taken->lock);
	for (unsigned i = 0; i < TAKEN_BELOW_MAX; i++)
		free(taken->below[i].name);
	free(taken->notes);
	free(taken->chains);
	free(taken);
}

/* ---- the ring; lock held ---- */

static uint32_t *taken_chain_of(struct taken *taken, uint64_t place)
{
	return &taken->chains[place % taken->slots];
}

static void taken_take_out(struct taken *taken, struct taken_note *note)
{
	if (note->prev != NONE)
		taken->notes[note->prev].next = note->next;
	else
		*taken_chain_of(taken, note->place) = note->next;
	if (note->next != NONE)
		taken->notes[note->next].prev = note->prev;
	note->place = 0;
}

static void put_in(struct taken *taken, uint32_t number)
{
	struct taken_note *note = &taken->notes[number];
	uint32_t *chain = taken_chain_of(taken, note->place);

	note->prev = NONE;
	note->next = *chain;
	if (note->next != NONE)
		taken->notes[note->next].prev = number;
	*chain = number;
}

static struct taken_note *file_taken_find(struct taken *taken, pid_t pid, uint64_t place)
{
	uint32_t number = *taken_chain_of(taken, place);

	while (number != NONE) {
		struct taken_note *note = &taken->notes[number];

		if (note->place == place && note->pid == pid)
			return note;
		number = note->next;
	}
	return NULL;
}

static void taken_lose(struct taken *taken, const struct taken_note *note)
{
	for (unsigned i = 0; i < taken->lost_count; i++)
		if (taken->lost[i].pid == note->pid)
			return;
	if (taken->lost_count < TAKEN_LOST_MAX)
		taken->lost[taken->lost_count++] = (struct lost){note->pid, note->made};
	else if (taken->lost_since == 0)
		taken->lost_since = note->made;
}

/* ---- notes ---- */

void taken_note(struct taken *taken, pid_t pid, const struct place *place, const char *etag)
{
	if (!taken || pid <= 0 || !etag[0])
		return;
	uint64_t hash = hash_place(place);

	pthread_mutex_lock(&taken->lock);
	struct taken_note *note = file_taken_find(taken, pid, hash);

	if (note) {
		note->etag = taken_hash(etag);
	} else {
		uint32_t number = taken->at++ % taken->max + 1;

		note = &taken->notes[number];
		if (note->place) {
			taken_lose(taken, note);
			taken_take_out(taken, note);
		}
		*note = (struct taken_note){
			.place = hash, .etag = taken_hash(etag), .pid = pid, .made = (uint32_t)time(NULL)};
		put_in(taken, number);
	}
	pthread_mutex_unlock(&taken->lock);
}

void taken_forget(struct taken *taken, const struct place *place)
{
	if (!taken)
		return;
	uint64_t hash = hash_place(place);

	pthread_mutex_lock(&taken->lock);
	uint32_t number = *taken_chain_of(taken, hash);

	while (number != NONE) {
		struct taken_note *note = &taken->notes[number];

		number = note->next;
		if (note->place == hash)
			taken_take_out(taken, note);
	}
	pthread_mutex_unlock(&taken->lock);
}

void taken_forget_below(struct taken *taken, const struct place *place)
{
	char *name = NULL;

	if (!taken || asprintf(&name, "%s/%.*s", place->bucket, (int)place->key_len, place->key) < 0)
		return;
	pthread_mutex_lock(&taken->lock);
	struct below *below = &taken->below[taken->below_next++ % TAKEN_BELOW_MAX];

	free(below->name);
	*below = (struct below){account_serial(place->account), name, (uint32_t)time(NULL)};
	pthread_mutex_unlock(&taken->lock);
}

/* Was a directory around the place renamed to there since the note was made?  Lock held. */
static bool is_void(const struct taken *taken, const struct taken_note *note, const struct place *place)
{
	for (unsigned i = 0; i < TAKEN_BELOW_MAX; i++) {
		const struct below *below = &taken->below[i];
		if (below->name && below->serial == account_serial(place->account) &&
			below->made >= note->made &&
			strncmp(below->name, place->bucket, place->bucket_len) == 0 &&
			below->name[place->bucket_len] == '/' &&
			str_has_prefix(place_key(place), str_of(below->name + place->bucket_len + 1)))
			return true;
	}
	return false;
}

void taken_drop(struct taken *taken, pid_t pid, const struct place *place)
{
	if (!taken)
		return;
	uint64_t hash = hash_place(place);

	pthread_mutex_lock(&taken->lock);
	struct taken_note *note = file_taken_find(taken, pid, hash);

	if (note)
		taken_take_out(taken, note);
	pthread_mutex_unlock(&taken->lock);
}

/* Returns the time since which this process may have lost notes; 0: it has lost none.  Lock held. */
static int64_t lost_since(const struct taken *taken, pid_t pid)
{
	for (unsigned i = 0; i < taken->lost_count; i++)
		if (taken->lost[i].pid == pid)
			return taken->lost[i].since;
	return taken->lost_since;
}

bool taken_find(struct taken *taken, pid_t pid, const struct place *place, struct taken_version *ret)
{
	*ret = (struct taken_version){0};
	if (!taken)
		return false;
	uint64_t hash = hash_place(place);

	pthread_mutex_lock(&taken->lock);
	const struct taken_note *note = file_taken_find(taken, pid, hash);

	if (note && !is_void(taken, note, place))
		ret->hash = note->etag;
	else if (note)
		ret->hash = 0;
	else if (lost_since(taken, pid))
		ret->before = lost_since(taken, pid) - SLACK_S;
	pthread_mutex_unlock(&taken->lock);
	return ret->hash || ret->before;
}
