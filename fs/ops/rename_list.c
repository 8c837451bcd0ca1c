#include "fs/ops/rename_list.h"

#include <pthread.h>
#include <stdio.h>

#include "engine/base/clock.h"
#include "fs/core/hub.h"
#include "fs/core/place.h"
#include "fs/host/json_text.h"

struct move {
	const void *key; /* NULL: free */
	struct job *job; /* NULL: not known yet */
	uint64_t began_ms;
	char from[BUCKET_MAX + KEY_MAX + 8], to[BUCKET_MAX + KEY_MAX + 8];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct move moves[MOVES_MAX]; /* protected by lock, and so is the life of their jobs */

static void rename_list_name(const struct place *place, char *ret, size_t size)
{
	snprintf(ret, size, "s3://%s/%s", place->bucket, place->key);
}

static struct move *rename_list_find(const void *key)
{
	for (unsigned i = 0; i < MOVES_MAX; i++)
		if (moves[i].key == key)
			return &moves[i];
	return NULL;
}

void moves_begin(const void *key, const struct place *from, const struct place *to)
{
	pthread_mutex_lock(&lock);
	struct move *move = rename_list_find(NULL);

	if (move) {
		move->key = key;
		move->job = NULL;
		move->began_ms = clock_ms();
		rename_list_name(from, move->from, sizeof(move->from));
		rename_list_name(to, move->to, sizeof(move->to));
	}
	pthread_mutex_unlock(&lock);
}

void moves_job(const void *key, struct job *job)
{
	pthread_mutex_lock(&lock);
	struct move *move = rename_list_find(key);

	if (move)
		move->job = job;
	pthread_mutex_unlock(&lock);
}

void moves_end(const void *key)
{
	pthread_mutex_lock(&lock);
	struct move *move = rename_list_find(key);

	if (move)
		move->key = NULL;
	pthread_mutex_unlock(&lock);
}

void moves_cancel(void)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < MOVES_MAX; i++) {
		if (moves[i].key && moves[i].job)
			job_cancel(moves[i].job);
	}
	pthread_mutex_unlock(&lock);
}

json_t *moves_status(void)
{
	json_t *array = json_array();

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < MOVES_MAX; i++) {
		const struct move *move = &moves[i];
		struct job_progress progress = {0};

		if (!move->key)
			continue;
		if (move->job)
			job_progress(move->job, &progress);
		json_array_append_new(
			array, json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:b}", "source",
				       json_text_new(move->from), "destination", json_text_new(move->to),
				       "running_ms", (json_int_t)(clock_ms() - move->began_ms), "found",
				       (json_int_t)progress.found, "copied", (json_int_t)progress.copied,
				       "deleted", (json_int_t)progress.deleted, "failed",
				       (json_int_t)progress.failed, "all_found", progress.listed));
	}
	pthread_mutex_unlock(&lock);
	return array;
}
