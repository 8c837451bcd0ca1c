/*
 * bench_blocking: threads that do one blocking copy after another.
 *
 * Without dispatch a thread takes its next key from the list itself, under its lock.  With dispatch one more
 * thread walks the list and puts each key into `slot`; whichever thread is free takes it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "fs/cmd/bench.h"
#include "fs/cmd/reason.h"
#include "fs/cmd/transfer_report.h"

struct shared {
	const struct bench_blocking *bench;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	struct bench_result *result; /* protected by lock, as is all below */
	struct bench_keys keys; /* with dispatch: the dispatcher's alone */
	struct bench_key slot;
	bool full, ended;
};

struct thread {
	struct shared *shared;
	struct worker *worker;
	pthread_t id;
	bool started;
	/* the copy that it waits for */
	struct task task;
	struct copy copy;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool done; /* protected by lock, as is answer */
	struct s3_answer answer;
};

/* The lock is held. */
static void bench_blocking_note_error(
	struct bench_result *result, const char *what, int error, const struct s3_answer *answer)
{
	struct buf text;

	if (result->error[0])
		return;
	buf_init(&text, BENCH_ERROR_MAX - 1);
	buf_addf(&text, "%s: ", what);
	struct reason reason = reason_of_answer(error, answer, NULL);

	reason_text(&text, &reason);
	snprintf(result->error, sizeof(result->error), "%s", buf_text(&text));
	buf_release(&text);
}

/* ---- one blocking copy ---- */

static void bench_blocking_start_copy(struct task *task, struct worker *worker)
{
	struct thread *thread = (struct thread *)((char *)task - offsetof(struct thread, task));

	copy_start(worker, &thread->copy);
}

static void copy_done(struct copy *copy, const struct s3_answer *answer)
{
	struct thread *thread = copy->user;

	pthread_mutex_lock(&thread->lock);
	if (answer)
		thread->answer = *answer;
	thread->done = true;
	pthread_cond_signal(&thread->ended);
	pthread_mutex_unlock(&thread->lock);
}

/* The source's key is prefix + rest, the destination's is its own prefix + rest. */
static int destination_key(
	const struct bench_options *options, const struct bench_key *key, char *ret, struct str *ret_key)
{
	size_t skip = options->source.key_len, head = options->destination.key_len;

	if (head + key->key_len - skip > KEY_MAX)
		return -ENAMETOOLONG;
	memcpy(ret, options->destination.key, head);
	memcpy(ret + head, key->key + skip, key->key_len - skip);
	*ret_key = str_n(ret, head + key->key_len - skip);
	return 0;
}

static int copy_blocking(struct thread *thread, const struct bench_key *key)
{
	static const struct copy_settings settings = {.call_flags = CALL_BULK};
	const struct bench_blocking *bench = thread->shared->bench;
	char name[KEY_MAX + 1];
	struct str to;
	int error = destination_key(bench->options, key, name, &to);

	if (error < 0)
		return error;
	thread->copy = (struct copy){
		.settings = &settings,
		.source_account = bench->account,
		.account = bench->account,
		.source_bucket = address_bucket(&bench->options->source),
		.source_key = str_n(key->key, key->key_len),
		.bucket = address_bucket(&bench->options->destination),
		.key = to,
		.source_etag = key->etag[0] ? str_of(key->etag) : STR_NONE,
		.storage_class = key->storage_class[0] ? str_of(key->storage_class) : STR_NONE,
		.size = key->size,
		.on_done = copy_done,
		.user = thread,
	};
	thread->done = false;
	thread->task.run = bench_blocking_start_copy;
	worker_post(thread->worker, &thread->task);
	pthread_mutex_lock(&thread->lock);
	while (!thread->done)
		pthread_cond_wait(&thread->ended, &thread->lock);
	pthread_mutex_unlock(&thread->lock);
	return thread->copy.error;
}

/* ---- where keys come from ---- */

/* The lock is held.  False at the end. */
static bool next_of_list(struct shared *shared, struct bench_key *ret)
{
	struct s3_answer answer = {.status = 0};
	int error = shared->ended ? 0 : bench_keys_next(&shared->keys, ret, &answer);

	if (error == 1)
		return true;
	if (error < 0)
		bench_blocking_note_error(shared->result, "listing", error, &answer);
	shared->ended = true;
	return false;
}

static bool take_key(struct shared *shared, struct bench_key *ret)
{
	bool got;

	pthread_mutex_lock(&shared->lock);
	if (!shared->bench->dispatch) {
		got = next_of_list(shared, ret);
	} else {
		while (!shared->full && !shared->ended)
			pthread_cond_wait(&shared->filled, &shared->lock);
		got = shared->full;
		if (got)
			*ret = shared->slot;
		shared->full = false;
		pthread_cond_signal(&shared->emptied);
	}
	pthread_mutex_unlock(&shared->lock);
	return got;
}

/* Hands out every key, until the list ends. */
static void dispatch(struct shared *shared)
{
	struct s3_answer answer = {.status = 0};
	struct bench_key key;
	int error;

	while ((error = bench_keys_next(&shared->keys, &key, &answer)) == 1) {
		pthread_mutex_lock(&shared->lock);
		while (shared->full)
			pthread_cond_wait(&shared->emptied, &shared->lock);
		shared->slot = key;
		shared->full = true;
		pthread_cond_signal(&shared->filled);
		pthread_mutex_unlock(&shared->lock);
	}
	pthread_mutex_lock(&shared->lock);
	if (error < 0)
		bench_blocking_note_error(shared->result, "listing", error, &answer);
	shared->ended = true;
	pthread_cond_broadcast(&shared->filled);
	pthread_mutex_unlock(&shared->lock);
}

static void *thread_run(void *arg)
{
	struct thread *thread = arg;
	struct shared *shared = thread->shared;
	struct bench_key key;
	int error;

	while (take_key(shared, &key)) {
		thread->answer = (struct s3_answer){.status = 0};
		error = copy_blocking(thread, &key);
		pthread_mutex_lock(&shared->lock);
		if (error == 0) {
			shared->result->copied++;
		} else {
			shared->result->failed++;
			bench_blocking_note_error(shared->result, "copy", error, &thread->answer);
		}
		pthread_mutex_unlock(&shared->lock);
	}
	return NULL;
}

static int start_threads(struct shared *shared, struct thread *threads)
{
	int error = 0;

	for (unsigned i = 0; i < shared->bench->threads; i++) {
		struct thread *thread = &threads[i];

		thread->shared = shared;
		thread->worker =
			engine_worker(shared->bench->engine, i % engine_workers(shared->bench->engine));
		pthread_mutex_init(&thread->lock, NULL);
		pthread_cond_init(&thread->ended, NULL);
		error = pthread_create(&thread->id, NULL, thread_run, thread);
		if (error)
			return i ? 0 : -error; /* fewer will do it, only slower */
		thread->started = true;
	}
	return 0;
}

static void join_threads(struct shared *shared, struct thread *threads)
{
	for (unsigned i = 0; i < shared->bench->threads && threads[i].shared; i++) {
		if (threads[i].started)
			pthread_join(threads[i].id, NULL);
		pthread_cond_destroy(&threads[i].ended);
		pthread_mutex_destroy(&threads[i].lock);
	}
}

void bench_blocking(const struct bench_blocking *bench, struct bench_result *ret)
{
	const struct s3_answer none = {.status = 0};
	struct thread *threads = calloc(bench->threads, sizeof(*threads));
	struct shared *shared = calloc(1, sizeof(*shared));
	int error = -ENOMEM;

	if (!threads || !shared)
		goto out;
	shared->bench = bench;
	shared->result = ret;
	pthread_mutex_init(&shared->lock, NULL);
	pthread_cond_init(&shared->filled, NULL);
	pthread_cond_init(&shared->emptied, NULL);
	error = bench_keys_init(&shared->keys, bench);
	if (error == 0)
		error = start_threads(shared, threads);
	if (error == 0 && bench->dispatch)
		dispatch(shared);
	join_threads(shared, threads);
	bench_keys_release(&shared->keys);
	pthread_cond_destroy(&shared->emptied);
	pthread_cond_destroy(&shared->filled);
	pthread_mutex_destroy(&shared->lock);
out:
	if (error < 0)
		bench_blocking_note_error(ret, "start", error, &none);
	free(shared);
	free(threads);
}
