/*
 * request_internal: shared by the files of the request builder; private to request*.c.
 *
 * A builder lives for one s3_wire_build, on its stack.  It writes each header line into wire->lines and
 * remembers where the name and value are by offset, since the buffer moves as it grows; they become struct
 * sign_header at the end.
 */
#ifndef FERRYFS_S3_REQUEST_INTERNAL_H
#define FERRYFS_S3_REQUEST_INTERNAL_H

#include "s3/request.h"

enum {
	BUILD_OWN_LINES = 16, /* at most, beside request->headers: an op makes 9 */
	BUILD_LINES_MAX = HEADERS_MAX + BUILD_OWN_LINES,
};

/* The fields of its request that an op needs. */
enum {
	NEED_BUCKET = 1 << 0,
	NEED_KEY = 1 << 1,
	NEED_SOURCE = 1 << 2,
	NEED_UPLOAD = 1 << 3,
	NEED_PART = 1 << 4,
	SENDS_UPLOAD = 1 << 5, /* a body from elsewhere */
	TAKES_VERSION = 1 << 6, /* version_id */
	TAKES_MATCH = 1 << 7, /* if_match */
	TAKES_NONE = 1 << 8, /* if_none_match_any */
};

struct build_line {
	size_t name, value; /* offsets in wire->lines */
	unsigned name_len, value_len;
};

struct builder {
	struct s3_wire *wire;
	const struct s3_request *request;
	const struct s3_target *target;
	struct signer *signer;
	unsigned flags; /* of the op */
	int error; /* first failure of the line functions */
	unsigned count;
	struct build_line lines[BUILD_LINES_MAX];
};

/* request_query.c: the canonical query into wire->query. */
int build_query(struct builder *builder);

/* request_body.c: puts the body that the op sends by itself into wire->body. */
int build_body(struct builder *builder);

/* request_headers.c: the op's lines, those of request->headers first.  line_begin, then the value appended to
 * wire->lines, then line_end; name is in lower case. */
int build_headers(struct builder *builder);
void line_begin(struct builder *builder, struct str name);
void line_end(struct builder *builder);
void line_add(struct builder *builder, struct str name, struct str value);

#endif
