/*
 * bench: the five strategies of "Speeding up S3 processing", each a way to copy one prefix to another.
 *
 *   serial           one thread, one blocking request at a time
 *   parallel         T threads that share a list of keys, each with one blocking request at a time
 *   async            one event loop with up to N requests in flight
 *   async-parallel   a loop that hands one key at a time to T threads, which do the blocking request
 *   async-parallel2  pages of keys to several threads, each with an event loop of its own: what `ferryfs cp
 * -r` does
 *
 * `ferryfs bench` starts itself anew for each (--strategy NAME), so that run time, CPU and peak memory are of
 * one strategy alone; that child prints one JSON line.
 */
#ifndef FERRYFS_FS_CMD_BENCH_H
#define FERRYFS_FS_CMD_BENCH_H

#include "fs/cmd/common_options.h"
#include "fs/cmd/address.h"
#include "engine/job/job.h"

enum bench_strategy {
	BENCH_SERIAL,
	BENCH_PARALLEL,
	BENCH_ASYNC,
	BENCH_ASYNC_PARALLEL,
	BENCH_ASYNC_PARALLEL2,
	BENCH_COUNT,
};

extern const char *const bench_names[BENCH_COUNT];

enum { BENCH_THREADS_DEFAULT = 32, BENCH_THREADS_MAX = 256, BENCH_ERROR_MAX = 1024 };

struct bench_options {
	struct connect_options connect;
	struct address source, destination; /* prefixes */
	unsigned threads; /* T */
};

/* The result of one strategy. */
struct bench_result {
	uint64_t copied, failed;
	double seconds; /* from the first request to the last answer */
	double cpu_seconds; /* of the whole process, user and system */
	uint64_t peak_bytes; /* resident, VmHWM */
	char error[BENCH_ERROR_MAX]; /* the first one, as a sentence; "" when all went well */
};

/* Runs one in this process and waits for it. */
void bench_run(enum bench_strategy strategy, const struct bench_options *options, struct bench_result *ret);

/* bench_blocking.c: T threads with blocking requests.  dispatch: one thread hands the keys out, else each
 * takes its next by itself. */
struct bench_blocking {
	struct engine *engine; /* of `threads` workers, one request each */
	struct account *account;
	const struct bench_options *options;
	unsigned threads;
	bool dispatch;
};

/* Adds to copied, failed and error. */
void bench_blocking(const struct bench_blocking *bench, struct bench_result *ret);

/* bench_keys.c: the keys below a prefix, one after another, each page asked for when the one before is used
 * up. */
struct bench_keys {
	struct engine *engine;
	struct account *account;
	struct str bucket, prefix, exclude;
	struct page *page, *spare;
	unsigned at;
	bool started;
};

/* An object of its own memory. */
struct bench_key {
	char key[KEY_MAX + 1], etag[136], storage_class[40];
	size_t key_len;
	uint64_t size;
};

int bench_keys_init(struct bench_keys *keys, const struct bench_blocking *bench);
void bench_keys_release(struct bench_keys *keys);
/* Blocks where a page has to be asked for; one thread at a time.  1: *ret is the next; 0: the end; or -errno
 * with answer. */
int bench_keys_next(struct bench_keys *keys, struct bench_key *ret, struct s3_answer *ret_answer);

#endif
