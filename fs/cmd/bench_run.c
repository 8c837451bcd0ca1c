#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "fs/cmd/bench.h"
#include "fs/cmd/progress.h"
#include "fs/cmd/reason.h"
#include "fs/cmd/transfer_report.h"

/* The number of workers, the number of requests in flight, and which thread walks the keys. */
struct shape {
	unsigned workers, inflight; /* 0: as the options say */
	unsigned threads; /* blocking ones; 0: a job does it */
	unsigned list_streams;
	bool dispatch;
};

static struct shape shape_of(enum bench_strategy strategy, unsigned threads)
{
	switch (strategy) {
	case BENCH_SERIAL:
		return (struct shape){.workers = 1, .inflight = 1, .threads = 1};
	case BENCH_PARALLEL:
		return (struct shape){.workers = threads, .inflight = threads, .threads = threads};
	case BENCH_ASYNC:
		return (struct shape){.workers = 1, .list_streams = 1};
	case BENCH_ASYNC_PARALLEL:
		return (struct shape){
			.workers = threads, .inflight = threads, .threads = threads, .dispatch = true};
	default:
		return (struct shape){.workers = 0};
	}
}

/* Of this process alone: ru_maxrss would start from the parent's at fork. */
static uint64_t peak_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long kib = 0;
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmHWM: %llu kB", &kib) == 1)
			break;
	fclose(file);
	return (uint64_t)kib << 10;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void run_job(const struct bench_options *options, unsigned list_streams, struct engine *engine,
	struct account *account, struct bench_result *ret)
{
	struct copy_settings settings = {.call_flags = CALL_BULK};
	struct job_options job_options = {
		.engine = engine,
		.source_account = account,
		.account = account,
		.source_bucket = address_bucket(&options->source),
		.source_prefix = address_key(&options->source),
		.bucket = address_bucket(&options->destination),
		.prefix = address_key(&options->destination),
		.exclude_prefix = address_exclude(&options->source, &options->destination),
		.copy = &settings,
		.flags = JOB_KEEP_GOING,
		.list_streams = list_streams,
	};
	struct job_progress progress;
	struct job_error error;
	struct job *job;
	struct buf text;
	int r = job_start(JOB_COPY, &job_options, &job);

	if (r < 0) {
		snprintf(ret->error, sizeof(ret->error), "start: %s", strerror(-r));
		return;
	}
	job_wait(job);
	job_progress(job, &progress);
	job_first_error(job, &error);
	job_unref(job);
	ret->copied = progress.copied;
	ret->failed = progress.failed;
	if (!error.error)
		return;
	buf_init(&text, BENCH_ERROR_MAX - 1);
	buf_addf(&text, "%s: ", error.what);
	struct reason reason = reason_of_job(&error, NULL);

	reason_text(&text, &reason);
	snprintf(ret->error, sizeof(ret->error), "%s", buf_text(&text));
	buf_release(&text);
}

void bench_run(enum bench_strategy strategy, const struct bench_options *options, struct bench_result *ret)
{
	struct shape shape = shape_of(strategy, options->threads);
	struct connect_options connect = options->connect;
	struct bench_result result = {.copied = 0};
	char why[ACCOUNT_WHY_MAX] = "";
	struct account *account;
	struct engine *engine;
	double started;

	if (shape.workers)
		connect.engine.workers = shape.workers;
	if (shape.inflight)
		connect.engine.inflight = shape.inflight;
	if (connect_open(&connect, &engine, &account, why) < 0) {
		snprintf(result.error, sizeof(result.error), "%s", why);
		*ret = result;
		return;
	}
	started = progress_now();
	if (shape.threads) {
		struct bench_blocking blocking = {
			.engine = engine,
			.account = account,
			.options = options,
			.threads = shape.threads,
			.dispatch = shape.dispatch,
		};

		bench_blocking(&blocking, &result);
	} else {
		run_job(options, shape.list_streams, engine, account, &result);
	}
	result.seconds = progress_now() - started;
	engine_free(engine);
	account_unref(account);
	result.cpu_seconds = cpu_seconds();
	result.peak_bytes = peak_bytes();
	*ret = result;
}
