/*
 * ferryfs status: what the daemons of this user in this mount namespace show and do: the hub, and the mounts
 * with daemons of their own.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/cmd/command.h"
#include "fs/cmd/progress.h"
#include "fs/cmd/cli.h"
#include "fs/control/client.h"
#include "fs/host/json_text.h"
#include "fs/control/control.h"
#include "fs/host/mountinfo.h"
#include "fs/host/runtime_dir.h"
#include "s3/escape.h"

enum { WATCH_MS = 1000, DAEMONS_MAX = 256 };

static const char usage[] =
	"Usage: ferryfs status [--json] [--watch] [DIR]\n"
	"\n"
	"What your mounts show, DIR or all of them, and what their daemons are doing.\n"
	"\n"
	"  --json     as one line of JSON a daemon; bytes that are not ASCII are written %XX in it\n"
	"  --watch    again every second, until interrupted or nothing is mounted any more\n";

/* A daemon to ask. */
struct known_hub {
	dev_t dev; /* 0: the hub */
	double asked; /* when, for the rate; 0: not yet */
	uint64_t requests;
};

struct status {
	bool json, watch;
	char *point;
	struct known_hub daemons[DAEMONS_MAX];
	unsigned count;
};

static int64_t status_number(const json_t *object, const char *name)
{
	return (int64_t)json_integer_value(json_object_get(object, name));
}

/* Bytes of the reply, fit for a terminal. */
static void put_text(struct buf *out, const json_t *value)
{
	char *text = NULL;

	if (json_text_get(value, &text) == 0)
		escape_text(out, str_of(text));
	free(text);
}

static void put_hub(struct buf *out, const json_t *reply, const struct known_hub *known)
{
	const json_t *hub = json_object_get(reply, "hub"), *work = json_object_get(reply, "work");

	buf_addf(
		out, "%s: process %" PRId64 ", up ", known->dev ? "mount" : "hub", status_number(hub, "pid"));
	progress_time(out, (uint64_t)status_number(hub, "uptime_ms") / 1000);
	buf_add_text(out, ", memory ");
	progress_bytes(out, (uint64_t)status_number(work, "memory_kib") * 1024);
	buf_addf(out, ", %" PRId64 " names known, log: ", status_number(work, "nodes"));
	put_text(out, json_object_get(hub, "log"));
	buf_add_char(out, '\n');
}

static void put_views(struct buf *out, const json_t *reply)
{
	const json_t *view;
	size_t i;

	json_array_foreach(json_object_get(reply, "views"), i, view)
	{
		put_text(out, json_object_get(view, "source"));
		buf_add_text(out, " on ");
		put_text(out, json_object_get(view, "point"));
		buf_add_text(out, json_is_true(json_object_get(view, "read_only")) ? " (read only" : " (");
		buf_add_text(out, json_is_true(json_object_get(view, "read_only")) ? ", " : "");
		put_text(out, json_object_get(view, "account"));
		buf_add_text(out, ")\n");
	}
}

static uint64_t put_kinds(struct buf *out, const json_t *engine)
{
	const char *name;
	const json_t *count;
	uint64_t sum = 0;

	json_object_foreach(json_object_get(engine, "requests"), name, count)
	{
		sum += (uint64_t)json_integer_value(count);
		buf_addf(
			out, "%s%s %" PRId64, out->len ? ", " : "", name, (int64_t)json_integer_value(count));
	}
	return sum;
}

static void put_engine(struct buf *out, const json_t *reply, struct known_hub *known)
{
	const json_t *engine = json_object_get(reply, "engine");
	double now = progress_now();
	struct buf kinds;

	buf_init(&kinds, 4096);
	uint64_t requests = put_kinds(&kinds, engine);

	buf_addf(out,
		"requests: %" PRId64 " in flight, %" PRId64 " queued, %" PRId64
		" waiting to retry, window %" PRId64 " of %" PRId64,
		status_number(engine, "in_flight"), status_number(engine, "queued"),
		status_number(engine, "waiting"), status_number(engine, "window"),
		status_number(engine, "window_max"));
	if (known->asked > 0 && now > known->asked)
		buf_addf(out, ", %.0f/s", (double)(requests - known->requests) / (now - known->asked));
	buf_addf(out, "\nso far: %s\n", kinds.len ? buf_text(&kinds) : "none");
	buf_addf(out,
		"failed %" PRId64 ", retried %" PRId64 ", slowed down %" PRId64 ", timed out %" PRId64
		", connections %" PRId64 ", bytes in ",
		status_number(engine, "failed"), status_number(engine, "retried"),
		status_number(engine, "slowed"), status_number(engine, "timeouts"),
		status_number(engine, "connections"));
	progress_bytes(out, (uint64_t)status_number(engine, "bytes_in"));
	buf_add_text(out, ", out ");
	progress_bytes(out, (uint64_t)status_number(engine, "bytes_out"));
	buf_add_char(out, '\n');
	buf_release(&kinds);
	known->asked = now;
	known->requests = requests;
}

/* The time left at the speed so far, once all objects are found; a move copies, then deletes. */
static void put_left(struct buf *out, const json_t *move)
{
	uint64_t all = 2 * (uint64_t)status_number(move, "found");
	uint64_t done = (uint64_t)status_number(move, "copied") + (uint64_t)status_number(move, "deleted");

	if (!json_is_true(json_object_get(move, "all_found")) || done == 0 || done > all)
		return;
	buf_add_text(out, ", ");
	progress_time(out, (uint64_t)status_number(move, "running_ms") * (all - done) / done / 1000);
	buf_add_text(out, " left");
}

/* What it was told is done while S3 has yet to say so; how much more it will ask for only it knows. */
static void put_batch(struct buf *out, const json_t *batch)
{
	uint64_t done = (uint64_t)status_number(batch, "done"),
		 promised = (uint64_t)status_number(batch, "promised");

	put_text(out, json_object_get(batch, "tool"));
	buf_addf(out, " (process %" PRId64 "): %" PRIu64 " operations done, %" PRIu64 " promised",
		status_number(batch, "pid"), done, promised);
	if (done && promised) {
		buf_add_text(out, ", ");
		progress_time(out, (uint64_t)status_number(batch, "running_ms") * promised / done / 1000);
		buf_add_text(out, " left for these");
	}
	buf_add_char(out, '\n');
}

static void put_work(struct buf *out, const json_t *reply)
{
	const json_t *work = json_object_get(reply, "work"), *move, *batch;
	size_t i;

	buf_addf(out,
		"under way: %" PRId64 " operations; %" PRId64 " objects promised to %" PRId64 " processes\n",
		status_number(work, "parked"), status_number(work, "promised"),
		status_number(work, "processes"));
	json_array_foreach(json_object_get(work, "batches"), i, batch) put_batch(out, batch);
	json_array_foreach(json_object_get(work, "moves"), i, move)
	{
		buf_add_text(out, "moving ");
		put_text(out, json_object_get(move, "source"));
		buf_add_text(out, " to ");
		put_text(out, json_object_get(move, "destination"));
		buf_addf(out,
			": %" PRId64 "%s found, %" PRId64 " copied, %" PRId64 " deleted, %" PRId64 " failed",
			status_number(move, "found"),
			json_is_true(json_object_get(move, "all_found")) ? "" : "+",
			status_number(move, "copied"), status_number(move, "deleted"),
			status_number(move, "failed"));
		put_left(out, move);
		buf_add_char(out, '\n');
	}
}

static void put_failures(struct buf *out, const json_t *reply)
{
	const json_t *failure;
	size_t i;

	json_array_foreach(json_object_get(reply, "failures"), i, failure)
	{
		time_t when = (time_t)status_number(failure, "time");
		struct tm local;
		char text[32];

		if (i == 0)
			buf_add_text(out, "failures of late:\n");
		if (localtime_r(&when, &local) && strftime(text, sizeof(text), "%F %T", &local) > 0)
			buf_addf(out, "  %s ", text);
		put_text(out, json_object_get(failure, "text"));
		buf_add_char(out, '\n');
	}
}

static int print(const struct status *status, struct known_hub *known, const json_t *reply)
{
	struct buf out;
	int result = EXIT_OK;

	buf_init(&out, CONTROL_REPLY_MAX);
	if (status->json) {
		char *text = json_dumps(reply, JSON_COMPACT);

		buf_add_text(&out, text ? text : "{}");
		buf_add_char(&out, '\n');
		free(text);
	} else {
		put_hub(&out, reply, known);
		put_views(&out, reply);
		put_engine(&out, reply, known);
		put_work(&out, reply);
		put_failures(&out, reply);
	}
	if (fputs(buf_text(&out), stdout) == EOF || fflush(stdout) == EOF)
		result = words_failed("status", "standard output: %s", strerror(errno));
	buf_release(&out);
	return result;
}

static int status_connect_to(const struct known_hub *known, int *ret_fd)
{
	int directory = runtime_dir_open(false, NULL), error = directory;

	if (directory < 0)
		return error;
	if (known->dev)
		error = control_connect_mount(directory, known->dev, ret_fd);
	else
		error = control_connect(directory, runtime_namespace(), ret_fd);
	close(directory);
	return error == -ECONNREFUSED ? -ENOENT : error;
}

/* -ENOENT: no daemon is there. */
static int status_ask(const struct status *status, const struct known_hub *known, json_t **ret, char *why)
{
	const struct control_request request = {.op = CONTROL_STATUS, .point = status->point};
	int fd, error = status_connect_to(known, &fd);

	if (error < 0) {
		snprintf(why, ACCOUNT_WHY_MAX, "%s", strerror(-error));
		return error;
	}
	error = control_ask(fd, &request, CONTROL_CLIENT_MS, ret, why);
	close(fd);
	return error;
}

/* ---- whom to ask ---- */

static void know(struct status *status, dev_t dev)
{
	for (unsigned i = 0; i < status->count; i++)
		if (status->daemons[i].dev == dev)
			return;
	if (status->count < DAEMONS_MAX)
		status->daemons[status->count++] = (struct known_hub){.dev = dev};
}

static bool is_alone(const char *source, bool ferryfs)
{
	return ferryfs && strncmp(source, "s3://", 5) == 0;
}

static bool status_visit(const struct mountinfo_line *line, void *user)
{
	if (is_alone(line->source, line->ferryfs) && line->owner == geteuid())
		know(user, line->dev);
	return false;
}

/* A directory on which something with a daemon of its own is mounted; else whatever the hub says of it. */
static void find_point(struct status *status)
{
	struct mountinfo *info = malloc(sizeof(*info));
	dev_t dev = 0;

	if (info && mountinfo_find(status->point, info) == 0 && is_alone(info->source, info->ferryfs))
		dev = info->dev;
	free(info);
	know(status, dev);
}

static void find_all(struct status *status)
{
	if (status->point) {
		find_point(status);
		return;
	}
	know(status, 0);
	mountinfo_each(status_visit, status);
}

static int status_nobody(const struct status *status)
{
	int directory = runtime_dir_open(false, NULL);

	if (directory < 0 && geteuid() != 0)
		return words_failed("status",
			"the runtime directory ($XDG_RUNTIME_DIR/ferryfs, else /run/user/%lu/ferryfs): %s",
			(unsigned long)geteuid(),
			directory == -EPERM ? "it is not yours, closed to others" : strerror(-directory));
	if (directory >= 0)
		close(directory);
	if (status->point)
		return words_failed("status", "%s: no mount of yours is served there", status->point);
	return words_failed("status", "no hub runs in this mount namespace, nor another mount of yours");
}

/* One that has gone, or serves an old superblock that another one's number came round to, is passed over.
 * *ret_seen: those that answered. */
static int round_of(struct status *status, unsigned *ret_seen)
{
	unsigned seen = 0;

	find_all(status);
	for (unsigned i = 0; i < status->count; i++) {
		char why[ACCOUNT_WHY_MAX] = "";
		json_t *reply = NULL;
		int error = status_ask(status, &status->daemons[i], &reply, why);

		if (error == -ENOENT)
			continue;
		if (error < 0)
			return words_failed("status", "%s", why);
		bool none = status->point && json_array_size(json_object_get(reply, "views")) == 0;
		int result = none ? EXIT_OK : print(status, &status->daemons[i], reply);

		json_decref(reply);
		if (result != EXIT_OK)
			return result;
		seen += !none;
	}
	*ret_seen = seen;
	return EXIT_OK;
}

static int status_run(struct status *status)
{
	for (bool again = false;; again = true) {
		unsigned seen = 0;
		int result = round_of(status, &seen);

		if (result != EXIT_OK)
			return result;
		if (seen == 0)
			return again ? EXIT_OK : status_nobody(status);
		if (!status->watch)
			return EXIT_OK;
		nanosleep(&(struct timespec){.tv_sec = WATCH_MS / 1000}, NULL);
	}
}

int cmd_status(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
		{"watch", no_argument, NULL, 'w'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct status status = {0};
	int found, result;

	opterr = 0;
	while ((found = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (found == 'h')
			return words_help((const char *const[]){usage, NULL});
		if (found != 'j' && found != 'w')
			return words_unknown("status", found, argv);
		status.json |= found == 'j';
		status.watch |= found == 'w';
	}
	if (argc - optind > 1)
		return words_wrong("status", "one directory, or none, is wanted");
	if (optind < argc) {
		status.point = realpath(argv[optind], NULL);
		if (!status.point)
			return words_failed("status", "%s: %s", argv[optind], strerror(errno));
	}
	control_init();
	result = status_run(&status);
	free(status.point);
	return result;
}
