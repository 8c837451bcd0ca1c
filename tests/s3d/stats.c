#include "tests/s3d/stats.h"
#include "tests/s3d/server.h"

#include <jansson.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

void stats_begin(struct stats *stats, enum op op)
{
	stats->requests[op]++;
	if (++stats->now[op] > stats->peak[op])
		stats->peak[op] = stats->now[op];
	if (op != OP_ADMIN && ++stats->in_flight > stats->in_flight_peak)
		stats->in_flight_peak = stats->in_flight;
}

void stats_end(struct stats *stats, enum op op, unsigned status)
{
	stats->now[op]--;
	if (op != OP_ADMIN)
		stats->in_flight--;
	if (status >= 200 && status < 300)
		return;
	if (!stats->errors[op])
		stats->errors[op] = calloc(STATUS_MAX, sizeof(uint64_t));
	if (stats->errors[op] && status < STATUS_MAX)
		stats->errors[op][status]++;
}

static void wire_counts(const struct conn *conn, uint64_t *in, uint64_t *out)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	memset(&info, 0, sizeof(info));
	*in = *out = 0;
	if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return;
	*in = info.tcpi_bytes_received;
	*out = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
}

struct conn *stats_connect(struct stats *stats, int fd)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->fd = fd;
	conn->next = stats->conns;
	conn->link = &stats->conns;
	if (conn->next)
		conn->next->link = &conn->next;
	stats->conns = conn;
	stats->connections_total++;
	if (++stats->connections > stats->connections_peak)
		stats->connections_peak = stats->connections;
	return conn;
}

void stats_take_wire(struct stats *stats, struct conn *conn)
{
	uint64_t in, out;

	wire_counts(conn, &in, &out);
	stats->wire_in += in > conn->in ? in - conn->in : 0;
	stats->wire_out += out > conn->out ? out - conn->out : 0;
	conn->in = in > conn->in ? in : conn->in;
	conn->out = out > conn->out ? out : conn->out;
}

void stats_disconnect(struct stats *stats, struct conn *conn)
{
	stats_take_wire(stats, conn);
	*conn->link = conn->next;
	if (conn->next)
		conn->next->link = conn->link;
	stats->connections--;
	free(conn);
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* A "VmRSS:   123 kB" line of /proc/self/status, in bytes. */
static uint64_t memory(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long kilobytes = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			kilobytes = strtoull(line + strlen(name), NULL, 10);
	if (file)
		fclose(file);
	return kilobytes * 1024;
}

static void set_number(json_t *to, const char *name, uint64_t value)
{
	json_object_set_new(to, name, json_integer((json_int_t)value));
}

static json_t *counts_json(const uint64_t *counts)
{
	json_t *json = json_object();

	for (enum op op = OP_UNKNOWN; op < OP_COUNT; op++)
		if (counts[op])
			set_number(json, op_name(op), counts[op]);
	return json;
}

/* {"copy": {"412": 3}}; status 0: ended without an answer (reset, stalled, client gone). */
static json_t *errors_json(const struct stats *stats)
{
	json_t *json = json_object();

	for (enum op op = OP_UNKNOWN; op < OP_COUNT; op++) {
		json_t *by_status;

		if (!stats->errors[op])
			continue;
		by_status = json_object();
		for (unsigned status = 0; status < STATUS_MAX; status++) {
			char name[8];

			snprintf(name, sizeof(name), "%u", status);
			if (stats->errors[op][status])
				set_number(by_status, name, stats->errors[op][status]);
		}
		json_object_set_new(json, op_name(op), by_status);
	}
	return json;
}

static uint64_t total_requests(const struct stats *stats)
{
	uint64_t n = 0;

	for (enum op op = OP_UNKNOWN; op < OP_COUNT; op++)
		n += op == OP_ADMIN ? 0 : stats->requests[op];
	return n;
}

static void store_json(json_t *json, const struct store *store)
{
	uint64_t keys = 0, uploads = 0;

	for (size_t i = 0; i < store->bucket_count; i++)
		keys += store->buckets[i]->count;
	for (const struct upload *upload = store->uploads; upload; upload = upload->next)
		uploads++;
	set_number(json, "buckets", store->bucket_count);
	set_number(json, "keys", keys);
	set_number(json, "open_uploads", uploads);
	set_number(json, "stored_bytes", body_bytes_held());
}

char *stats_json(struct server *server)
{
	struct stats *stats = &server->stats;
	json_t *json = json_object();
	char *text;

	for (struct conn *conn = stats->conns; conn; conn = conn->next)
		stats_take_wire(stats, conn);
	set_number(json, "total", total_requests(stats));
	json_object_set_new(json, "requests", counts_json(stats->requests));
	json_object_set_new(json, "errors", errors_json(stats));
	set_number(json, "object_bytes_in", stats->object_in);
	set_number(json, "object_bytes_out", stats->object_out);
	set_number(json, "wire_bytes_in", stats->wire_in);
	set_number(json, "wire_bytes_out", stats->wire_out);
	set_number(json, "in_flight", stats->in_flight);
	set_number(json, "in_flight_peak", stats->in_flight_peak);
	json_object_set_new(json, "now", counts_json(stats->now));
	json_object_set_new(json, "peak", counts_json(stats->peak));
	set_number(json, "suspended", stats->suspended);
	set_number(json, "suspended_peak", stats->suspended_peak);
	set_number(json, "connections", stats->connections);
	set_number(json, "connections_peak", stats->connections_peak);
	set_number(json, "connections_total", stats->connections_total);
	json_object_set_new(json, "cpu_seconds", json_real(cpu_seconds() - stats->cpu_before));
	json_object_set_new(json, "seconds", json_real((double)(now_us() - stats->started_us) / 1e6));
	set_number(json, "rss", memory("VmRSS:"));
	set_number(json, "rss_peak", memory("VmHWM:"));
	store_json(json, &server->store);
	text = json_dumps(json, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	json_decref(json);
	return text;
}

void stats_reset(struct server *server)
{
	struct stats *stats = &server->stats;
	FILE *file = fopen("/proc/self/clear_refs", "we");

	for (struct conn *conn = stats->conns; conn; conn = conn->next)
		stats_take_wire(stats, conn);
	memset(stats->requests, 0, sizeof(stats->requests));
	memcpy(stats->peak, stats->now, sizeof(stats->peak));
	for (enum op op = OP_UNKNOWN; op < OP_COUNT; op++) {
		free(stats->errors[op]);
		stats->errors[op] = NULL;
	}
	stats->in_flight_peak = stats->in_flight;
	stats->suspended_peak = stats->suspended;
	stats->connections_peak = stats->connections;
	stats->connections_total = stats->connections;
	stats->object_in = stats->object_out = stats->wire_in = stats->wire_out = 0;
	stats->cpu_before = cpu_seconds();
	stats->started_us = now_us();
	/* proc(5): 5 sets the peak resident size back to the present one. */
	if (file) {
		fputs("5", file);
		fclose(file);
	}
}

void stats_release(struct stats *stats)
{
	for (enum op op = OP_UNKNOWN; op < OP_COUNT; op++)
		free(stats->errors[op]);
}
