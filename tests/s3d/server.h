/*
 * The server as one value: switches, what is stored, faults, pace, counters.  One thread does everything.
 *
 * Module map:  http (libmicrohttpd) -> request -> auth, fault, pace -> op_* -> store; reply builds what http
 * sends.
 */
#ifndef S3D_SERVER_H
#define S3D_SERVER_H

#include "tests/s3d/fault.h"
#include "tests/s3d/pace.h"
#include "tests/s3d/stats.h"
#include "tests/s3d/store.h"

#include <stdbool.h>

struct account {
	char *access;
	char *secret;
	char *token; /* NULL: none needed */
	char *denied; /* glob of buckets this account may not touch; NULL: none */
};

/* Accounts: the main one, and one for refusals across accounts. */
#define ACCOUNTS 2

struct config {
	struct account accounts[ACCOUNTS];
	char *region;
	char *domain; /* for bucket.DOMAIN hosts; NULL: path style only */
	bool auth;
	bool anonymous;
	bool conditional_copy;
	bool conditional_delete;
	bool strict_deletes; /* an ETag in DeleteObjects is MalformedXML */
	bool marks; /* x-amz-request-id and x-amz-id-2 with each answer */
	bool strict_parts; /* no ETag is the right one for what was uploaded in parts */
	bool conditional_put;
	bool tagging;
	bool object_lock; /* a body without Content-MD5 or x-amz-checksum-* is InvalidRequest */
	bool quoted_etag;
	bool encoding_type;
	bool fine_times; /* milliseconds in listings and in the answers of copies */
	bool late_heads; /* Last-Modified of HEAD and GET is rounded up from these, as Swift does */
	bool refuse_bad_xml; /* a listing of keys XML can't carry: 500 instead of ill-formed XML */
	bool redirect_301;
	bool slow_copy_space;
	unsigned slow_copy_ms;
	char *expired_token; /* answered ExpiredToken; NULL: none */
	int clock_ahead; /* seconds that its clock is before ours */
	uint64_t max_bytes;
};

struct MHD_Daemon;

struct server {
	struct config config;
	struct store store;
	struct faults faults;
	struct pace pace;
	struct stats stats;
	struct MHD_Daemon *daemon;
	uint64_t serial; /* of requests, for x-amz-request-id */
	unsigned port;
	bool tls;
	bool quit;
};

/* The region a bucket lives in (bucket may be NULL: the server's own).  Lent. */
const char *server_region(const struct server *server, const struct bucket *bucket);

/*
 * Changes a switch by its name (conditional-copy=0, latency=30, latency.copy=5, rate.put=100,
 * access-key=...), as the command line and POST /_s3d/set do.  0, -ENOENT (no such name), -EINVAL (value),
 * -ENOMEM.
 */
int server_set(struct server *server, const char *name, const char *value);

/* Defaults of every switch; 0 or -ENOMEM. */
int server_init(struct server *server);
void server_release(struct server *server);

#endif
