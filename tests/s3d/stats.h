/*
 * Counters, shown by GET /_s3d/stats.  "object bytes" are bodies of GET, PUT and parts only; "wire bytes" are
 * what the kernel counted on the TCP connections (TCP_INFO), headers and all.
 */
#ifndef S3D_STATS_H
#define S3D_STATS_H

#include "tests/s3d/ops.h"

#include <stdint.h>

#define STATUS_MAX 600

struct conn {
	struct conn *next, **link;
	int fd;
	uint64_t in, out; /* already accounted before the last reset */
};

struct stats {
	uint64_t requests[OP_COUNT];
	uint64_t now[OP_COUNT];
	uint64_t peak[OP_COUNT];
	uint64_t in_flight, in_flight_peak;
	uint64_t *errors[OP_COUNT]; /* by status, allocated on the first error of that operation */
	uint64_t object_in, object_out;
	uint64_t wire_in, wire_out; /* of closed connections */
	struct conn *conns;
	uint64_t connections, connections_peak, connections_total;
	uint64_t suspended, suspended_peak;
	double cpu_before; /* CPU seconds at the last reset */
	uint64_t started_us;
};

struct server;

void stats_begin(struct stats *stats, enum op op);
void stats_end(struct stats *stats, enum op op, unsigned status);
struct conn *stats_connect(struct stats *stats, int fd);
/* Adds up and frees conn; call while the socket is open. */
void stats_disconnect(struct stats *stats, struct conn *conn);
/* Takes the counts of a connection that is about to be reset (a reset clears the kernel's). */
void stats_take_wire(struct stats *stats, struct conn *conn);
/* JSON text in a malloc'd string, NULL without memory. */
char *stats_json(struct server *server);
/* Zeroes the counts; what is under way stays under way. */
void stats_reset(struct server *server);
void stats_release(struct stats *stats);

#endif
