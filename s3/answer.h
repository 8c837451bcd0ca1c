/*
 * answer: the answer of S3 to one request, read from its bytes as they arrive.
 *
 * A parser is made once for a connection's handle and used for answer after answer: answer_parser_begin, each
 * header line, each piece of the body, answer_parser_end.  XML goes through libxml2's push parser with white
 * space before the declaration skipped (a long CopyObject sends some while it works), DOCTYPE ending it, no
 * entities, no network, and bounds of our own on depth, text and counts.  A body that S3 sends with 200 may
 * still be an <Error> (CopyObject, UploadPartCopy, CompleteMultipartUpload, DeleteObjects): then the answer's
 * `status` is 200 and its error code set, and s3_answer_errno() tells the truth.  One thread at a time.
 *
 * Not everything that answers is S3: an ingress without a backend says 404, a captive portal says 200 with a
 * page of its own.  Nothing of that may be taken for S3's word about an object, so each answer has to prove
 * itself.  A success does so by a thing that only S3 puts there:
 *
 *   HEAD and GET of an object         an ETag, or a mark
 *   HEAD of a bucket                  a mark, or no page (Content-Type text/html)
 *   PutObject, UploadPart             an ETag
 *   DELETE, AbortMultipartUpload      status 204, or a mark
 *   all others                        the document that was asked for
 *
 * and is -EBADMSG otherwise.  A mark is a header that starts with x-amz- (AWS, Ceph, MinIO, Swift, most
 * others), x-goog-, x-guploader- (Google), x-rgw-, x-oss-, x-cos-, x-obs- or x-minio-.  A refusal proves
 * itself by an <Error> with a <Code>; by a mark, but for the 404 of a request whose refusal has a body; a
 * HEAD's, which has none, also by Content-Type application/xml (Garage).  One that does not is foreign:
 * s3_answer_is_foreign().
 */
#ifndef FERRYFS_S3_ANSWER_H
#define FERRYFS_S3_ANSWER_H

#include "s3/delete_set.h"
#include "s3/page.h"
#include "s3/request.h"

enum { ANSWER_CODE_MAX = 64, ANSWER_TEXT_MAX = 512, ANSWER_ID_MAX = 128, STORAGE_CLASS_MAX = 32 };

struct s3_error {
	char code[ANSWER_CODE_MAX + 1]; /* "NoSuchKey"; "" when there is none */
	char message[ANSWER_TEXT_MAX + 1]; /* as sent, unescaped */
};

struct s3_answer {
	int status; /* HTTP; 0: none came */
	bool of_s3; /* it has proved to be S3's */
	struct s3_error error;
	char request_id[ANSWER_ID_MAX + 1];
	char region[REGION_MAX + 1]; /* x-amz-bucket-region, or <Region> of an error */
	int64_t date; /* the server's clock, from Date; 0: none */
	int64_t retry_after; /* seconds; -1: none */

	/* of an object: HEAD, GET; ETag, version and time also of PUT, copies and completed uploads */
	char etag[ETAG_MAX +
		  1]; /* without quotes and W/; "" when none came, or one that no request can name */
	bool etag_is_opaque; /* encrypted with KMS or the customer's key: the ETag is no MD5 of the content */
	char version_id[VERSION_ID_MAX + 1];
	char storage_class[STORAGE_CLASS_MAX + 1];
	uint64_t size; /* of the whole object (Content-Range's total where there is one) */
	uint64_t content_length; /* of this body; UINT64_MAX when unknown */
	uint64_t range_start; /* from Content-Range */
	int64_t mtime; /* seconds since 1970; 0: none */
	unsigned tag_count; /* x-amz-tagging-count */
	bool tag_count_known; /* the answer had it */
	char upload_id[UPLOAD_ID_MAX + 1]; /* S3_CREATE_UPLOAD */
};

/* Where the larger parts of an answer go; a sink that an op does not fill is not touched.  All lent; NULL
 * where unwanted. */
struct s3_sinks {
	struct page *page; /* S3_LIST_BUCKETS (names as keys), S3_LIST_OBJECTS; S3_LIST_UPLOADS (key; upload
			      id as etag) */
	struct delete_set *deletes; /* S3_DELETE_OBJECTS */
	struct headers *headers; /* HEAD, GET: the object's headers (headers_is_object) */
	bool encryption; /* and those that say how it is encrypted (headers_is_encryption) */
	struct buf *tags; /* S3_GET_TAGGING: as the x-amz-tagging header wants them, "a=b&c=d" encoded */
	/* S3_GET_OBJECT: the body of a 200 or 206.  Returns 0, or -errno to end the transfer. */
	int (*on_data)(void *user, const char *data, size_t len);
	void *user;
};

struct answer_parser;

int answer_parser_new(struct answer_parser **ret);
void answer_parser_free(struct answer_parser *parser);

/* request is lent until answer_parser_end (the parser checks the answer against its prefix and delimiter). */
void answer_parser_begin(struct answer_parser *parser, const struct s3_request *request,
	struct s3_answer *answer, const struct s3_sinks *sinks);
/* One header line as it came, status line included, with or without CRLF.  A further status line (after 100
 * Continue) starts over. */
void answer_parser_header(struct answer_parser *parser, const char *text, size_t len);
/* 0; -EBADMSG: this can't become an answer; on_data's error. */
int answer_parser_body(struct answer_parser *parser, const char *data, size_t len);
/* The transfer is complete.  0: the answer is whole, be it a success or S3's error.  -EBADMSG: broken, cut
 * off, or another answer than was asked for (a key outside the prefix, a copy without ETag). */
int answer_parser_end(struct answer_parser *parser);

/* ---- the meaning of an answer (error.c) ---- */

/* Is it a refusal that something else than S3 made (an ingress, a proxy, a portal)?  It says nothing of the
 * object, nor of the abilities of S3: -EBADMSG, tried again unless it is a redirect.  Statuses that mean the
 * same from any server (408, 413, 414, 429, most of 5xx) are not foreign. */
bool s3_answer_is_foreign(const struct s3_answer *answer);
/* Is it S3's word that there is nothing for a DELETE to remove: NoSuchKey, NoSuchVersion? */
bool s3_answer_says_gone(const struct s3_answer *answer);

/* 0 for a success, else the errno of the S3 code or the status: NoSuchKey, NoSuchBucket, NoSuchUpload ENOENT;
 * AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch, ExpiredToken EACCES; InvalidObjectState EREMOTE;
 * PreconditionFailed ESTALE; EntityTooLarge EFBIG; SlowDown EAGAIN; RequestTimeout ETIMEDOUT; KeyTooLongError
 * ENAMETOOLONG; BucketNotEmpty ENOTEMPTY; NotImplemented EOPNOTSUPP; OperationAborted EBUSY; anything else
 * EIO.  Negative.  A foreign answer is EBADMSG.  Where no code came (HEAD) the status says: 404 ENOENT, 401
 * 403 EACCES, 412 ESTALE, 409 EBUSY, 416 EINVAL, 429 503 EAGAIN, 405 501 EOPNOTSUPP, 408 504 ETIMEDOUT, 413
 * EFBIG, 414 ENAMETOOLONG, 507 ENOSPC.  A code that is not known says ENOENT with 404 only if it begins with
 * NoSuch. */
int s3_answer_errno(const struct s3_answer *answer);
int s3_code_errno(struct str code, int status);

enum s3_retry {
	S3_RETRY_NO,
	/* 500, 502, 504, RequestTimeout, InternalError, OperationAborted, 200 with one of them; a foreign
	 * answer but for a redirect */
	S3_RETRY_YES,
	S3_RETRY_SLOWER, /* 429, 503, SlowDown and all other names of throttling: also halve the window */
	/* 301, 307, AuthorizationHeaderMalformed, a 400 without a body, each with answer->region: sign again
	 * for that region, unless it was signed for it already */
	S3_RETRY_REGION,
	/* ExpiredToken; InvalidAccessKeyId, InvalidToken (a key that was replaced): read the credentials anew
	 */
	S3_RETRY_RENEW,
	S3_RETRY_CLOCK, /* RequestTimeTooSkewed: sign with the server's clock */
};

/* Of a code alone, as a DeleteObjects gives for each key; S3_RETRY_NO where it is not known. */
enum s3_retry s3_code_retry(struct str code);
enum s3_retry s3_answer_retry(const struct s3_answer *answer);

#endif
