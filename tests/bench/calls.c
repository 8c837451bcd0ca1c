/*
 * calls: drives the engine with N copies of small objects and prints a table row: what a request costs.
 *
 *   calls URL [-n OBJECTS] [-i INFLIGHT] [-w WORKERS] [-s SECONDS]
 *
 * The server must take AKIAEXAMPLE/secret (or --no-auth).  Bucket "bench" is expected to have objects k/0 ..
 * k/99; without -k they are put first.  A chain keeps 2 x INFLIGHT calls posted, as a tree copy does.  With
 * -s it runs for that many seconds and prints each second's rate and share of refused requests, for the
 * window.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "engine/wire/call.h"
#include "engine/base/log.h"
#include "engine/wire/stats.h"

enum { SOURCES = 100 };

struct slot {
	struct call call;
	char source[64], key[64];
	unsigned done_by;
};

static struct account *account;
static struct engine *engine;
static _Atomic uint64_t next, done, failed;
static uint64_t total;
static atomic_bool over;
static atomic_uint idle;

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool slot_fill(struct slot *slot)
{
	uint64_t i = atomic_fetch_add(&next, 1);
	struct call *call = &slot->call;

	if (i >= total || atomic_load(&over))
		return false;
	snprintf(slot->source, sizeof(slot->source), "k/%u", (unsigned)(i % SOURCES));
	snprintf(slot->key, sizeof(slot->key), "copies/some/where/%08llu", (unsigned long long)i);
	call->request = (struct s3_request){
		.op = S3_COPY_OBJECT,
		.bucket = STR("bench"),
		.key = str_of(slot->key),
		.source_bucket = STR("bench"),
		.source_key = str_of(slot->source),
	};
	return true;
}

static void on_done(struct call *call, const struct s3_answer *answer)
{
	struct slot *slot = call->user;

	atomic_fetch_add(call->error ? &failed : &done, 1);
	if (call->error && log_once("copy", STR_NONE, STR_NONE))
		log_call(LOG_LEVEL_ERROR, &(struct log_call){.what = "copy",
						  .bucket = call->request.bucket,
						  .key = call->request.key,
						  .error = call->error,
						  .answer = answer});
	if (slot_fill(slot))
		call_start(call->worker, call);
	else
		atomic_fetch_add(&idle, 1);
}

static int put_sources(void)
{
	char key[32], body[1024];
	struct call call;

	memset(body, 'x', sizeof(body));
	for (unsigned i = 0; i < SOURCES; i++) {
		int rc;

		snprintf(key, sizeof(key), "k/%u", i);
		call_init(&call);
		call.account = account;
		call.request = (struct s3_request){.op = S3_PUT_OBJECT,
			.bucket = STR("bench"),
			.key = str_of(key),
			.body_length = sizeof(body)};
		call.body_data = body;
		rc = call_wait(engine, &call, NULL);
		if (rc < 0) {
			fprintf(stderr, "put %s: %s\n", key, strerror(-rc));
			return rc;
		}
	}
	return 0;
}

static void watch(unsigned for_seconds)
{
	struct stats before, after;
	uint64_t had = 0;

	engine_stats(engine, &before);
	for (unsigned i = 0; i < for_seconds; i++) {
		uint64_t have, sent;

		sleep(1);
		have = atomic_load(&done);
		engine_stats(engine, &after);
		sent = after.requests[S3_COPY_OBJECT] - before.requests[S3_COPY_OBJECT];
		printf("second %2u: %6llu done, %6llu sent, %5.2f %% refused, window %u, waiting %u\n", i + 1,
			(unsigned long long)(have - had), (unsigned long long)sent,
			sent ? 100.0 * (double)(after.slowed - before.slowed) / (double)sent : 0,
			after.window, after.waiting);
		had = have;
		before = after;
	}
	atomic_store(&over, true);
}

static void run(unsigned inflight, unsigned for_seconds)
{
	unsigned slots = 2 * inflight, posted = 0;
	struct slot *all = calloc(slots, sizeof(*all));
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	struct rusage usage;
	struct stats stats;

	if (!all)
		return;
	for (unsigned i = 0; i < slots; i++) {
		call_init(&all[i].call);
		all[i].call.account = account;
		all[i].call.flags = CALL_BULK;
		all[i].call.on_done = on_done;
		all[i].call.user = &all[i];
		if (!slot_fill(&all[i]))
			break;
		call_post(engine_pick(engine), &all[i].call);
		posted++;
	}
	if (for_seconds)
		watch(for_seconds);
	while (atomic_load(&idle) < posted)
		usleep(1000);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	getrusage(RUSAGE_SELF, &usage);
	engine_stats(engine, &stats);
	printf("| engine, %u in flight, %u worker(s) | %.0f objects/s | %.1f us CPU an object | %ld KiB | "
	       "%llu failed, %llu retried, %llu connections |\n",
		inflight, engine_workers(engine), (double)done / wall, cpu * 1e6 / (double)done,
		usage.ru_maxrss, (unsigned long long)failed, (unsigned long long)stats.retried,
		(unsigned long long)stats.connections);
	engine_free(engine);
	free(all);
}

int main(int argc, char **argv)
{
	struct engine_options options = {.inflight = 512, .retries = UINT_MAX};
	unsigned for_seconds = 0;
	char why[ACCOUNT_WHY_MAX];
	bool keep = false;
	int option;

	total = 20000;
	while ((option = getopt(argc, argv, "n:i:w:s:kt")) != -1) {
		if (option == 'n')
			total = strtoull(optarg, NULL, 10);
		else if (option == 'i')
			options.inflight = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'w')
			options.workers = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 's')
			for_seconds = (unsigned)strtoul(optarg, NULL, 10), total = UINT64_MAX;
		else if (option == 'k')
			keep = true;
		else if (option == 't')
			log_open(STDERR_FILENO, LOG_LEVEL_TRACE);
		else
			return 2;
	}
	if (optind + 1 != argc) {
		fprintf(stderr,
			"usage: calls [-n N] [-i INFLIGHT] [-w WORKERS] [-s SECONDS] [-k] [-t] URL\n");
		return 2;
	}
	setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 0);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 0);
	if (account_open(&(struct account_options){.endpoint_url = argv[optind]}, &account, why) < 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	if (engine_new(&options, &engine) < 0)
		return 1;
	if (!keep && put_sources() < 0)
		return 1;
	run(options.inflight, for_seconds);
	account_unref(account);
	return atomic_load(&failed) ? 1 : 0;
}
