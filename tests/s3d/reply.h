/* Fills a request's reply: headers, XML texts, error documents. */
#ifndef S3D_REPLY_H
#define S3D_REPLY_H

#include "tests/s3d/request.h"

#define S3_XMLNS "http://s3.amazonaws.com/doc/2006-03-01/"

void reply_header(struct req *req, const char *name, const char *value);
/* ETag: header of the object, quoted unless --unquoted-etag. */
void reply_etag(struct req *req, const char *name, const struct object *object);
void reply_time(struct req *req, const char *name, uint32_t when);
void reply_version(struct req *req, const char *name, uint64_t version);

/* Begins an XML answer of status 200 with this root element (and namespace); the text goes on in
 * req->reply.text. */
struct buf *reply_xml(struct req *req, const char *root);
void xml_text(struct buf *b, const char *element, struct span text);
void xml_number(struct buf *b, const char *element, uint64_t number);
/* <element>2024-01-02T03:04:05.000Z</element> */
void xml_time(struct buf *b, const char *element, uint32_t when);
/* An object's LastModified; with milliseconds of its own where the server is so set. */
void xml_modified(struct buf *b, const struct req *req, const struct object *object);
void xml_etag(struct buf *b, const struct req *req, const unsigned char md5[MD5_LEN], unsigned parts);

/* An error by its S3 code; status and message from a table of AWS's "Error responses" page.  Drops what was
 * in the reply. */
void reply_error(struct req *req, const char *code);
/* The same with its own words. */
void reply_error_says(struct req *req, const char *code, const char *message);
/* A page of something that is no S3. */
void reply_foreign(struct req *req, unsigned status);
/* Any status and code (faults). */
void reply_error_as(struct req *req, unsigned status, const char *code, const char *message);
unsigned error_status(const char *code);
const char *error_message(const char *code);

/* Throws away the reply made so far. */
void reply_clear(struct reply *reply);
/* x-amz-id-2 of a request: NUL-terminated, 32 characters at out[33]. */
void reply_host_id(const struct req *req, char out[33]);

#endif
