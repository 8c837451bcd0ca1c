/*
 * request: one S3 call as a value, and its form on the wire.
 *
 * struct s3_request describes the call; s3_wire_build turns it, an endpoint, credentials and a moment into
 * method, address, headers and body.  Nothing here does I/O.  A request lends everything it points to; a wire
 * owns its texts and is used again for the next request (no allocation once its buffers have grown).  It is
 * built anew for every attempt, since a signature is good for a quarter of an hour.  One thread at a time.
 */
#ifndef FERRYFS_S3_REQUEST_H
#define FERRYFS_S3_REQUEST_H

#include <stdint.h>
#include "s3/endpoint.h"
#include "s3/headers.h"
#include "s3/key.h"
#include "s3/sign.h"

enum s3_op {
	S3_LIST_BUCKETS,
	S3_HEAD_BUCKET,
	S3_LIST_OBJECTS, /* ListObjectsV2 */
	S3_HEAD_OBJECT,
	S3_GET_OBJECT,
	S3_PUT_OBJECT,
	S3_COPY_OBJECT,
	S3_CREATE_UPLOAD,
	S3_UPLOAD_PART,
	S3_COPY_PART,
	S3_COMPLETE_UPLOAD,
	S3_ABORT_UPLOAD,
	S3_LIST_UPLOADS,
	S3_DELETE_OBJECT,
	S3_DELETE_OBJECTS,
	S3_GET_TAGGING,
	S3_OP_COUNT,
};

enum { ETAG_MAX = 128, UPLOAD_ID_MAX = 1024, VERSION_ID_MAX = 1024 };

/* "CopyObject", for logs. */
const char *s3_op_name(enum s3_op op);
/* Is the op a HEAD?  Its answer has no body. */
bool s3_op_is_head(enum s3_op op);

struct s3_part {
	unsigned number; /* from 1 */
	char etag[ETAG_MAX + 1]; /* without quotes */
	/* Base64; not "": the part was sent with x-amz-checksum-sha256, and so the completion names it (AWS,
	 * CompleteMultipartUpload). */
	char sha256[SHA256_BASE64 + 1];
};

/* Fields that an op does not name are ignored; a STR_NONE condition is not sent.  ETags are without quotes
 * here and are sent with them. */
struct s3_request {
	enum s3_op op;
	struct str bucket; /* all but S3_LIST_BUCKETS */
	struct str key; /* object ops */

	/* Further headers, sent and signed as they are; may be NULL.  Not those that the builder or the
	 * transport makes: host, authorization, x-amz-date, x-amz-content-sha256, x-amz-security-token,
	 * content-length, transfer-encoding (-EINVAL). */
	const struct headers *headers;

	/* S3_LIST_OBJECTS, S3_LIST_UPLOADS; S3_LIST_BUCKETS: token and max_keys; S3_LIST_UPLOADS sends
	 * start_after as key-marker, token as upload-id-marker */
	struct str prefix, delimiter, start_after, token;
	unsigned max_keys; /* 0: 1,000, the most */

	/* S3_GET_OBJECT: length 0 means the whole object.  S3_COPY_PART: the source's range; length 0: the
	 * whole */
	uint64_t range_start, range_length;
	/* S3_GET_OBJECT, S3_HEAD_OBJECT: If-Match.  S3_PUT_OBJECT, S3_COPY_OBJECT, S3_COMPLETE_UPLOAD: of the
	 * destination.  S3_DELETE_OBJECT: of the object to go. */
	struct str if_match;
	bool if_none_match_any; /* If-None-Match: * on S3_PUT_OBJECT, S3_COPY_OBJECT, S3_COMPLETE_UPLOAD */
	struct str version_id; /* S3_DELETE_OBJECT, S3_GET_OBJECT, S3_HEAD_OBJECT */
	/* S3_HEAD_OBJECT, S3_HEAD_BUCKET: ask for the words of a refusal, for which a HEAD's answer has no
	 * room.  Sent as a GET of the first byte, or of the first key; its success is no answer to the HEAD
	 * (-EBADMSG). */
	bool ask_why;

	/* S3_COPY_OBJECT, S3_COPY_PART.  RGW 16 ignores the condition on the source; its own
	 * x-amz-copy-if-match is not sent by itself, as AWS may answer 501 to an x-amz-* header it doesn't
	 * know: put it into headers where the endpoint is known to be RGW. */
	struct str source_bucket, source_key, source_if_match;

	/* multipart */
	struct str upload_id;
	unsigned part_number;
	const struct s3_part *parts; /* S3_COMPLETE_UPLOAD, rising numbers */
	size_t part_count;

	/* S3_PUT_OBJECT, S3_UPLOAD_PART: the caller that does the I/O sends the body */
	uint64_t body_length;
	struct str body_sha256; /* 64 hex digits; STR_NONE: UNSIGNED-PAYLOAD */
	struct str
		body_md5; /* 24 digits of base64, sent as Content-MD5; a body of 0 bytes gets one by itself */
	/* Where OpenSSL has no MD5: body_sha256 goes out as x-amz-checksum-sha256 too; S3_CREATE_UPLOAD: the
	 * parts will come so. */
	bool sum_sha256;

	/* S3_DELETE_OBJECTS: the XML, as delete_set_body makes it */
	struct str body;
};

struct s3_wire {
	const char *method; /* static text */
	/* scheme://host[:port]/path?query.  A key may have "." and ".." segments: the transport must send the
	 * path as it is (CURLOPT_PATH_AS_IS), or the signature is wrong. */
	struct buf url;
	/* Header lines as CURLOPT_HTTPHEADER takes them, each followed by a NUL: "name: value", or "name;"
	 * where the value is empty.  Neither Host (it is the URL's) nor Content-Length is among them. */
	struct buf lines;
	struct buf body; /* the body, where the request makes it itself */
	bool upload; /* body_length bytes follow from elsewhere */
	uint64_t body_length; /* of the body, if there is one */
	/* work space of the builder */
	struct buf path, query, host, scratch;
};

/* The asker and the service: everything of an account that a request needs. */
struct s3_target {
	const struct endpoint *endpoint;
	const struct credentials *credentials;
	struct str region;
	bool request_payer; /* x-amz-request-payer: requester on every request to a bucket (AWS, Requester
			       Pays) */
};

void s3_wire_init(struct s3_wire *wire);
void s3_wire_release(struct s3_wire *wire);

/* With anonymous credentials nothing of the signature is sent, x-amz-date and x-amz-content-sha256 included
 * (as the AWS CLI).  signer may then not be NULL either: it makes Content-MD5.  -EINVAL: a field the op needs
 * is missing or out of its bounds; -ENAMETOOLONG: key or prefix over KEY_MAX; else buf's or the signer's
 * errors.  wire is in an undefined, reusable state after a failure. */
int s3_wire_build(struct s3_wire *wire, const struct s3_request *request, const struct s3_target *target,
	struct signer *signer, int64_t now);

/* Walks the header lines: *at starts as 0; NULL at the end. */
const char *s3_wire_line(const struct s3_wire *wire, size_t *at);

#endif
