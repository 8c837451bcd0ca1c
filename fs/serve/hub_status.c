#include "fs/serve/hub_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/wire/stats.h"
#include "fs/early/batch_status.h"
#include "fs/early/early.h"
#include "fs/host/json_text.h"
#include "fs/ops/rename_list.h"
#include "fs/host/fuse_cpu.h"

json_t *control_ok(void)
{
	return json_pack("{s:b}", "ok", 1);
}

json_t *control_refusal(const char *why)
{
	return json_pack("{s:b, s:o}", "ok", 0, "error", json_text_new(why));
}

static json_t *hub_object(const struct control_report *report)
{
	char fuse_cpu[16];

	placement_text(report->hub->fuse_cpu, fuse_cpu);
	return json_pack("{s:s, s:i, s:I, s:I, s:o, s:s}", "version", FERRYFS_VERSION, "pid", (int)getpid(),
		"namespace", (json_int_t)report->namespace, "uptime_ms", (json_int_t)report->uptime_ms, "log",
		json_text_new(report->log), "fuse_cpu", fuse_cpu);
}

json_t *control_hello(const struct control_report *report)
{
	return json_pack("{s:b, s:o}", "ok", 1, "hub", hub_object(report));
}

static json_t *requests_object(const struct stats *stats)
{
	json_t *object = json_object();

	for (unsigned op = 0; op < S3_OP_COUNT; op++)
		if (stats->requests[op])
			json_object_set_new(object, s3_op_name((enum s3_op)op),
				json_integer((json_int_t)stats->requests[op]));
	return object;
}

static json_t *engine_object(struct engine *engine)
{
	struct stats stats;

	engine_stats(engine, &stats);
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "in_flight",
		(int)stats.active, "queued", (int)stats.queued, "waiting", (int)stats.waiting, "window",
		(int)stats.window, "window_max", (int)stats.window_max, "requests", requests_object(&stats),
		"failed", (json_int_t)stats.failed, "retried", (json_int_t)stats.retried, "slowed",
		(json_int_t)stats.slowed, "timeouts", (json_int_t)stats.timeouts, "bytes_in",
		(json_int_t)stats.object_bytes_in, "bytes_out", (json_int_t)stats.object_bytes_out,
		"connections", (json_int_t)stats.connections);
}

static json_t *failures_array(void)
{
	struct log_recent *entries = calloc(LOG_RECENT_MAX, sizeof(*entries));
	unsigned count = entries ? log_recent(entries, LOG_RECENT_MAX) : 0;
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(array, json_pack("{s:I, s:o}", "time", (json_int_t)entries[i].time,
						     "text", json_text_new(entries[i].text)));
	free(entries);
	return array;
}

/* Resident memory in KiB: the second number of statm, in pages (proc_pid_statm(5)). */
static json_int_t memory_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (file) {
		if (fscanf(file, "%*u %lu", &pages) != 1)
			pages = 0;
		fclose(file);
	}
	return (json_int_t)(pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024);
}

static json_t *work_object(struct hub *hub)
{
	hub_lock(hub);
	uint64_t nodes = nodes_count(hub->nodes);

	hub_unlock(hub);
	unsigned processes = 0, promised = 0;

	if (hub->early)
		batches_count(hub->early->batches, &processes, &promised);
	return json_pack("{s:i, s:i, s:o, s:o, s:I, s:I, s:I, s:I}", "processes", (int)processes, "promised",
		(int)promised, "batches", hub->early ? batches_status(hub->early->batches) : json_array(),
		"moves", moves_status(), "parked", (json_int_t)atomic_load(&hub->parked), "claims",
		(json_int_t)claims_count(hub->claims), "nodes", (json_int_t)nodes, "memory_kib",
		memory_kib());
}

json_t *control_view(const struct view *view, const char *point, const char *account, bool ro)
{
	struct buf endpoint;

	buf_init(&endpoint, 4096);
	endpoint_url(account_endpoint(view->account), &endpoint);
	json_t *object = json_pack("{s:o, s:o, s:s, s:o, s:b}", "point", json_text_new(point), "source",
		json_text_new(view->source), "endpoint", buf_text(&endpoint), "account",
		json_text_new(account), "read_only", ro);

	buf_release(&endpoint);
	return object;
}

static json_t *views_array(const struct control_report *report, const char *point)
{
	const struct control_alone *alone = report->alone;
	char account[256];

	if (report->views) {
		views_sync(report->views);
		return views_status(report->views, point);
	}
	views_account_name(alone->view->account, account, sizeof(account));
	json_t *view = control_view(alone->view, alone->point, account, alone->view->ro);

	json_object_set_new(view, "allow_other", json_boolean(alone->view->allow_other));
	json_object_set_new(view, "mounted", json_true());
	return json_pack("[o]", view);
}

json_t *control_status(const struct control_report *report, const char *point)
{
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "ok", 1, "hub", hub_object(report), "views",
		views_array(report, point), "engine", engine_object(report->hub->engine), "work",
		work_object(report->hub), "failures", failures_array());
}
