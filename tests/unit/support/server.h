/*
 * server: the embedded S3 server as a child of a unit test, and its back door.
 *
 * The program is named by the environment's S3D, else it is ../s3d beside the test.  Everything that goes
 * wrong here ends the test.  Texts are malloc'd, for the caller to free.
 */
#ifndef FERRYFS_TESTS_SUPPORT_SERVER_H
#define FERRYFS_TESTS_SUPPORT_SERVER_H

#include <stdint.h>
#include <sys/types.h>

struct server {
	pid_t pid;
	unsigned port;
	char url[64];
};

/* argv0: the test's own.  args: further options, NULL at their end, or NULL.  Also sets the environment that
 * an account is opened from (endpoint, region, keys). */
void server_start(struct server *server, const char *argv0, const char *const *args);
void server_stop(struct server *server);

/* A request below /_s3d/: "stats", "seed?bucket=a&count=5".  body may be NULL. */
char *server_ask(struct server *server, const char *method, const char *path, const char *body);
/* The same, its answer dropped; the path is a format. */
void server_post(struct server *server, const char *format, ...) __attribute__((format(printf, 2, 3)));
void server_fault(struct server *server, const char *spec);
void server_hook(struct server *server, const char *spec);
void server_clear(struct server *server); /* faults and hooks */
void server_reset(struct server *server); /* counters */
/* Requests of a kind since the last reset, by the server's word for it: "copy". */
uint64_t server_count(struct server *server, const char *kind);
uint64_t server_stat(struct server *server, const char *name);
/* The keys below a prefix, a line each, as `GET keys` has them. */
char *server_keys(struct server *server, const char *bucket, const char *prefix);
unsigned server_key_count(struct server *server, const char *bucket, const char *prefix);
/* Puts `text` where key (any bytes) says. */
void server_put(struct server *server, const char *bucket, const void *key, size_t len, const char *text);

#endif
