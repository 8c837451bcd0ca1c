#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fs/cmd/bench.h"
#include "fs/cmd/cli.h"
#include "s3/escape.h"

/* A child's line: numbers and an escaped sentence. */
enum { CHILD_LINE_MAX = 8192, OPT_STRATEGY = WORDS_OWN, OPT_THREADS, OPT_JSON };

const char *const bench_names[BENCH_COUNT] = {
	[BENCH_SERIAL] = "serial",
	[BENCH_PARALLEL] = "parallel",
	[BENCH_ASYNC] = "async",
	[BENCH_ASYNC_PARALLEL] = "async-parallel",
	[BENCH_ASYNC_PARALLEL2] = "async-parallel2",
};

static const char help[] =
	"Usage: ferryfs bench [OPTION]... s3://BUCKET[/PREFIX] s3://BUCKET[/PREFIX]\n"
	"\n"
	"Copies the keys below the first prefix to below the second, as 'ferryfs cp -r' names them, five "
	"times over in the five ways of\n"
	"the article \"Speeding up S3 processing\", and prints run time, objects a second, CPU time an "
	"object and peak memory\n"
	"of each.  Every way runs in a process of its own and overwrites what the one before has copied.\n"
	"\n"
	"  serial           one thread, one request at a time\n"
	"  parallel         --threads threads that share the keys, one blocking request each\n"
	"  async            one event loop, up to --inflight requests\n"
	"  async-parallel   a loop that hands each key to one of --threads threads, one blocking request "
	"each\n"
	"  async-parallel2  pages of keys to --workers event loops, up to --inflight requests together: "
	"'ferryfs cp -r'\n"
	"\n"
	"Options:\n"
	"      --threads N            threads of parallel and async-parallel (default 32, at most 256)\n"
	"      --strategy NAME        only this one, in this process; prints its JSON line\n"
	"      --json                 one JSON object a line for each way (ferryfs(1)) instead of the table\n"
	"  -h, --help                 this text\n";

static const char help_end[] = "\n"
			       "Exit status: 0; 1 something failed; 2 wrong usage.\n";

static const struct option long_options[] = {
	CONNECT_LONG_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"strategy", required_argument, NULL, OPT_STRATEGY},
	{"json", no_argument, NULL, OPT_JSON},
	{NULL, 0, NULL, 0},
};

struct bench {
	struct bench_options options;
	bool json;
	bool alone; /* --strategy */
	enum bench_strategy strategy;
};

/* ---- one strategy, in this process ---- */

static int run_alone(const struct bench *bench)
{
	struct bench_result result;
	struct buf line;
	double objects;

	bench_run(bench->strategy, &bench->options, &result);
	objects = result.copied ? (double)result.copied : 1;
	buf_init(&line, CHILD_LINE_MAX);
	buf_addf(&line,
		"{\"strategy\":\"%s\",\"copied\":%llu,\"failed\":%llu,\"seconds\":%.3f,\"objects_per_"
		"second\":%.1f,",
		bench_names[bench->strategy], (unsigned long long)result.copied,
		(unsigned long long)result.failed, result.seconds,
		result.seconds > 0 ? (double)result.copied / result.seconds : 0.0);
	buf_addf(&line, "\"cpu_us_per_object\":%.1f,\"peak_bytes\":%llu,\"error\":",
		result.cpu_seconds * 1e6 / objects, (unsigned long long)result.peak_bytes);
	escape_json(&line, str_of(result.error));
	printf("%s}\n", buf_text(&line));
	buf_release(&line);
	if (fflush(stdout) == EOF)
		return words_failed("bench", "standard output: %s", strerror(errno));
	return result.failed || result.error[0] ? EXIT_SOME : EXIT_OK;
}

/* ---- all five, each in a child ---- */

/* In the child; argv is the parent's own, with the strategy in front. */
static void bench_child(enum bench_strategy strategy, int argc, char **argv, int out)
{
	char **words = calloc((size_t)argc + 4, sizeof(*words));
	char name[16];

	snprintf(name, sizeof(name), "%s", bench_names[strategy]);
	if (!words || dup2(out, STDOUT_FILENO) < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		_exit(EXIT_SOME);
	words[0] = (char[]){"ferryfs"};
	words[1] = (char[]){"bench"};
	words[2] = (char[]){"--strategy"};
	words[3] = name;
	memcpy(words + 4, argv + 1, (size_t)(argc - 1) * sizeof(*words));
	execv("/proc/self/exe", words);
	fprintf(stderr, "ferryfs bench: /proc/self/exe: %s\n", strerror(errno));
	_exit(EXIT_SOME);
}

/* One line of the child's into line; its wait status, or -errno. */
static int run_child(enum bench_strategy strategy, int argc, char **argv, char line[CHILD_LINE_MAX])
{
	int ends[2], status = 0;
	FILE *file;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		bench_child(strategy, argc, argv, ends[1]);
	close(ends[1]);
	file = pid < 0 ? NULL : fdopen(ends[0], "r");
	if (!file)
		close(ends[0]);
	if (pid < 0)
		return -EAGAIN;
	line[0] = '\0';
	if (file && !fgets(line, CHILD_LINE_MAX, file))
		line[0] = '\0';
	if (file)
		fclose(file);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

static double bench_number(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static void print_row(const char *name, const json_t *object)
{
	printf("%-16s %8.2f s %11.1f %15.1f %9.1f MiB\n", name, bench_number(object, "seconds"),
		bench_number(object, "objects_per_second"), bench_number(object, "cpu_us_per_object"),
		bench_number(object, "peak_bytes") / (1 << 20));
}

/* The child's output, and the exit status that follows from it. */
static int bench_tell(const struct bench *bench, enum bench_strategy strategy, int status, const char *line)
{
	const char *name = bench_names[strategy], *error;
	json_t *object = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
	struct buf shown;
	int r = EXIT_OK;

	if (!object)
		return words_failed("bench", "%s ended without a result (%s %d)", name,
			WIFSIGNALED(status) ? "signal" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (bench->json)
		fputs(line, stdout);
	else
		print_row(name, object);
	fflush(stdout);
	error = json_string_value(json_object_get(object, "error"));
	if (status != 0 || bench_number(object, "failed") > 0) {
		buf_init(&shown, CHILD_LINE_MAX);
		escape_text(&shown, str_of(error ? error : ""));
		r = words_failed("bench", "%s: %.0f failed: %s", name, bench_number(object, "failed"),
			buf_text(&shown));
		buf_release(&shown);
	}
	json_decref(object);
	return r;
}

static int run_all(const struct bench *bench, int argc, char **argv)
{
	char line[CHILD_LINE_MAX];
	int worst = EXIT_OK, status;

	if (!bench->json)
		printf("%-16s %10s %11s %15s %13s\n", "strategy", "run time", "objects/s", "CPU us/object",
			"peak memory");
	for (unsigned i = 0; i < BENCH_COUNT; i++) {
		fflush(stdout);
		status = run_child((enum bench_strategy)i, argc, argv, line);
		if (status < 0)
			return words_failed("bench", "%s: %s", bench_names[i], strerror(-status));
		if (bench_tell(bench, (enum bench_strategy)i, status, line) != EXIT_OK)
			worst = EXIT_SOME;
	}
	return worst;
}

/* ---- words ---- */

static bool bench_take_option(struct bench *bench, int which)
{
	unsigned long threads;
	char *end;

	switch (which) {
	case OPT_JSON:
		bench->json = true;
		return true;
	case OPT_THREADS:
		threads = strtoul(optarg, &end, 10);
		if (*optarg < '1' || *optarg > '9' || *end || threads > BENCH_THREADS_MAX)
			return false;
		bench->options.threads = (unsigned)threads;
		return true;
	default:
		bench->alone = true;
		for (unsigned i = 0; i < BENCH_COUNT; i++)
			if (strcmp(optarg, bench_names[i]) == 0) {
				bench->strategy = (enum bench_strategy)i;
				return true;
			}
		return false;
	}
}

static bool bench_read_places(struct bench *bench, int count, char **words)
{
	char why[ADDRESS_WHY_MAX];
	int error;

	if (count != 2) {
		words_wrong("bench", "needs a source and a destination");
		return false;
	}
	error = address_source(words[0], true, &bench->options.source, why);
	if (error == 0)
		error = address_destination(
			words[1], true, &bench->options.source, &bench->options.destination, why);
	if (error < 0)
		words_wrong("bench", "%s", why);
	return error == 0;
}

/* False, with the exit status, when there is nothing more to do. */
static bool bench_read_words(struct bench *bench, int argc, char **argv, int *ret_status)
{
	const char *const texts[] = {help, words_connect_help, help_end, NULL};
	int found, index = 0;

	opterr = 0;
	optind = 0;
	*ret_status = EXIT_USAGE;
	while ((found = getopt_long(argc, argv, ":h", long_options, &index)) != -1) {
		if (found == 'h') {
			*ret_status = words_help(texts);
			return false;
		}
		if (found == '?' || found == ':') {
			words_unknown("bench", found, argv);
			return false;
		}
		if (found == WORDS_CONNECT) {
			if (!words_connect(
				    &bench->options.connect, "bench", long_options[index].name, optarg))
				return false;
		} else if (!bench_take_option(bench, found)) {
			words_wrong("bench", "--%s %s: not a valid value", long_options[index].name, optarg);
			return false;
		}
	}
	return bench_read_places(bench, argc - optind, argv + optind);
}

int cmd_bench(int argc, char **argv)
{
	struct bench bench = {.options = {.threads = BENCH_THREADS_DEFAULT}};
	int status;

	connect_init(&bench.options.connect);
	if (!bench_read_words(&bench, argc, argv, &status))
		return status;
	return bench.alone ? run_alone(&bench) : run_all(&bench, argc, argv);
}
