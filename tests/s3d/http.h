/*
 * The HTTP face: libmicrohttpd driven by this program's own loop, one thread.
 *
 * A request goes  NEW -> BODY -> (WAITING: suspended for its latency) -> ANSWERED;  a stall makes it STALLED,
 * suspended until the fault is cleared, its time is over, or the server stops.
 */
#ifndef S3D_HTTP_H
#define S3D_HTTP_H

#include "tests/s3d/server.h"

struct http_options {
	unsigned port; /* 0: any */
	const char *cert; /* PEM texts, both or neither */
	const char *key;
};

/* Listens on 127.0.0.1 and sets server->port; 0 or -errno. */
int http_start(struct server *server, const struct http_options *options);
/* Serves until server->quit or a SIGTERM or SIGINT; they must be blocked, with handlers that set
 * server->quit. */
void http_run(struct server *server);
void http_stop(struct server *server);
/* Ends every stalled request without an answer. */
void http_release_stalled(struct server *server);
/* Every request that waits for its latency has waited long enough. */
void http_release_waiting(struct server *server);

#endif
