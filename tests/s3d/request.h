/*
 * One request as a value: what came, what it means, and the reply being made.
 *
 * Lifecycle: req_new() with the raw request target as soon as it is known; req_headers() once all headers are
 * there; the body grows while it arrives; req_free() when the exchange is over.  All spans are lent by the
 * request or by libmicrohttpd and live as long as the request.
 */
#ifndef S3D_REQUEST_H
#define S3D_REQUEST_H

#include "tests/s3d/buf.h"
#include "tests/s3d/fault.h"
#include "tests/s3d/ops.h"
#include "tests/s3d/pace.h"
#include "tests/s3d/server.h"

#include <stdint.h>

#define REQ_PARAMS_MAX 48
#define REQ_HEADERS_MAX 96

struct pair {
	struct span name;
	struct span value;
};

/*
 * What is sent.  Either `text` or object bytes [offset, offset+length) of `body` (a reference of its own).
 */
struct reply {
	unsigned status;
	struct buf headers; /* name\0value\0... */
	struct buf text;
	struct buf extra; /* elements for the error document */
	struct body *body;
	uint64_t offset;
	uint64_t length;
	const char *code; /* S3 error code, NULL when it went well */
};

enum phase { REQ_NEW, REQ_BODY, REQ_WAITING, REQ_STALLED, REQ_ANSWERED };

struct MHD_Connection;

struct req {
	struct server *server;
	struct MHD_Connection *conn;
	enum phase phase;
	enum op op;
	uint64_t serial;
	char method[8];
	char *raw; /* request target as it came */
	char *decoded; /* storage of path and params */
	struct span path; /* decoded, from the first / */
	struct span bucket; /* empty: none */
	struct span key; /* empty: none */
	struct pair params[REQ_PARAMS_MAX]; /* decoded */
	unsigned param_count;
	struct pair headers[REQ_HEADERS_MAX];
	unsigned header_count;
	bool too_many; /* headers or params past the maximum */
	bool too_large; /* body past what is accepted */
	bool counted; /* stats_begin() was called */
	struct buf body;
	struct account *account; /* who signed; NULL: nobody */
	struct bucket *b; /* set by op_run for operations on a bucket that exists */
	struct reply reply;
	struct verdict verdict; /* what a fault does to this request */
	struct timer timer;
	struct req *stalled_next;
};

struct req *req_new(struct server *server, struct MHD_Connection *conn, const char *target);
/* Reads method and headers, finds bucket, key and operation. */
void req_headers(struct req *req, const char *method);
void req_free(struct req *req);

/* Value of a header (any case) or query parameter; p is NULL when absent. */
struct span req_header(const struct req *req, const char *name);
struct span req_param(const struct req *req, const char *name);
/* Decimal number of a parameter: 0, -ENOENT when absent, -EINVAL. */
int req_param_number(const struct req *req, const char *name, uint64_t *ret);
int number_of(struct span text, uint64_t *ret);

#endif
