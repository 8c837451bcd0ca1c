#include "tests/s3d/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Codes, statuses and (shortened) messages of "Error responses" in the Amazon S3 API reference. */
static const struct error {
	const char *code;
	unsigned status;
	const char *message;
} errors[] = {
	{"AccessDenied", 403, "Access Denied"},
	{"AuthorizationHeaderMalformed", 400, "The authorization header is malformed"},
	{"BadDigest", 400,
		"The Content-MD5 or checksum value that you specified did not match what the server "
		"received."},
	{"BucketAlreadyOwnedByYou", 409,
		"Your previous request to create the named bucket succeeded and you already own it."},
	{"BucketNotEmpty", 409, "The bucket you tried to delete is not empty"},
	{"EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size"},
	{"EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size"},
	{"ExpiredToken", 400, "The provided token has expired."},
	{"InternalError", 500, "We encountered an internal error. Please try again."},
	{"InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."},
	{"InvalidArgument", 400, "Invalid Argument"},
	{"InvalidBucketName", 400, "The specified bucket is not valid."},
	{"InvalidDigest", 400, "The Content-MD5 or checksum value that you specified is not valid."},
	{"InvalidObjectState", 403, "The operation is not valid for the object's storage class"},
	{"InvalidPart", 400, "One or more of the specified parts could not be found."},
	{"InvalidPartOrder", 400, "The list of parts was not in ascending order."},
	{"InvalidRange", 416, "The requested range is not satisfiable"},
	{"InvalidRequest", 400, "Invalid Request"},
	{"InvalidStorageClass", 400, "The storage class you specified is not valid"},
	{"InvalidTag", 400, "The tag provided was not a valid tag."},
	{"InvalidToken", 400, "The provided token is malformed or otherwise invalid."},
	{"KeyTooLongError", 400, "Your key is too long"},
	{"MalformedXML", 400,
		"The XML you provided was not well-formed or did not validate against our published schema"},
	{"MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size"},
	{"MethodNotAllowed", 405, "The specified method is not allowed against this resource."},
	{"NoSuchBucket", 404, "The specified bucket does not exist"},
	{"NoSuchKey", 404, "The specified key does not exist."},
	{"NoSuchUpload", 404, "The specified multipart upload does not exist."},
	{"NoSuchVersion", 404, "The specified version does not exist."},
	{"NotImplemented", 501,
		"A header or query you provided implies functionality that is not implemented."},
	{"NotModified", 304, "Not Modified"},
	{"PermanentRedirect", 301,
		"The bucket you are attempting to access must be addressed using the specified endpoint."},
	{"PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold"},
	{"RequestTimeTooSkewed", 403,
		"The difference between the request time and the current time is too large."},
	{"ServiceUnavailable", 503, "Reduce your request rate."},
	{"SignatureDoesNotMatch", 403,
		"The request signature we calculated does not match the signature you provided."},
	{"SlowDown", 503, "Please reduce your request rate."},
	{"XAmzContentSHA256Mismatch", 400,
		"The provided 'x-amz-content-sha256' header does not match what was computed."},
	{"InsufficientStorage", 507, "The server's --max-bytes are used up."},
};

static const struct error *error_find(const char *code)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (strcmp(errors[i].code, code) == 0)
			return &errors[i];
	return NULL;
}

unsigned error_status(const char *code)
{
	const struct error *error = error_find(code);

	return error ? error->status : 400;
}

const char *error_message(const char *code)
{
	const struct error *error = error_find(code);

	return error ? error->message : code;
}

void reply_clear(struct reply *reply)
{
	buf_release(&reply->headers);
	buf_release(&reply->text);
	buf_release(&reply->extra);
	body_unref(reply->body);
	*reply = (struct reply){0};
}

void reply_header(struct req *req, const char *name, const char *value)
{
	attrs_add(&req->reply.headers, span_of(name), span_of(value));
}

void reply_etag(struct req *req, const char *name, const struct object *object)
{
	struct buf b = {0};
	const char *quote = req->server->config.quoted_etag ? "\"" : "";

	buf_str(&b, quote);
	object_etag(object, &b);
	buf_str(&b, quote);
	if (b.failed)
		req->reply.headers.failed = true;
	else
		reply_header(req, name, b.p);
	buf_release(&b);
}

void reply_time(struct req *req, const char *name, uint32_t when)
{
	char text[40];
	time_t t = when;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	reply_header(req, name, text);
}

void reply_version(struct req *req, const char *name, uint64_t version)
{
	char text[24];

	if (!version)
		return;
	snprintf(text, sizeof(text), "v%016" PRIx64, version);
	reply_header(req, name, text);
}

struct buf *reply_xml(struct req *req, const char *root)
{
	struct buf *b = &req->reply.text;

	req->reply.status = 200;
	reply_header(req, "Content-Type", "application/xml");
	buf_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	if (req->verdict.action == FAULT_DOCTYPE)
		buf_printf(b,
			"<!DOCTYPE %s [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
			"\"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\n",
			root);
	buf_printf(b, "<%s xmlns=\"" S3_XMLNS "\">", root);
	if (req->verdict.action == FAULT_DOCTYPE)
		buf_str(b, "<Entity>&b;</Entity>");
	return b;
}

/* A listing's page calls these 4,000 times: plain copies, no printf. */
static void open_tag(struct buf *b, const char *element)
{
	buf_char(b, '<');
	buf_str(b, element);
	buf_char(b, '>');
}

static void close_tag(struct buf *b, const char *element)
{
	buf_put(b, "</", 2);
	buf_str(b, element);
	buf_char(b, '>');
}

void xml_text(struct buf *b, const char *element, struct span text)
{
	open_tag(b, element);
	buf_xml(b, text);
	close_tag(b, element);
}

void xml_number(struct buf *b, const char *element, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	xml_text(b, element, (struct span){digits + at, sizeof(digits) - at});
}

void xml_time(struct buf *b, const char *element, uint32_t when)
{
	/* A page of a listing mostly repeats one second: format it once. */
	static uint32_t cached;
	static char text[40];

	if (cached != when || !*text) {
		time_t t = when;
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
		cached = when;
	}
	xml_text(b, element, span_of(text));
}

void xml_modified(struct buf *b, const struct req *req, const struct object *object)
{
	char text[40];
	time_t t = object->mtime;
	struct tm tm;

	if (!req->server->config.fine_times) {
		xml_time(b, "LastModified", object->mtime);
		return;
	}
	gmtime_r(&t, &tm);
	size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(text + len, sizeof(text) - len, ".%03uZ", 1 + object->md5[0] * 3u);
	xml_text(b, "LastModified", span_of(text));
}

void xml_etag(struct buf *b, const struct req *req, const unsigned char md5[MD5_LEN], unsigned parts)
{
	const char *quote = req->server->config.quoted_etag ? "&quot;" : "";

	buf_str(b, "<ETag>");
	buf_str(b, quote);
	buf_hex(b, md5, MD5_LEN);
	if (parts)
		buf_printf(b, "-%u", parts);
	buf_str(b, quote);
	buf_str(b, "</ETag>");
}

void reply_host_id(const struct req *req, char out[33])
{
	unsigned char digest[MD5_LEN];
	static const char digits[] = "0123456789abcdef";

	/* Unguessable ids are of no use here: mixing the serial is enough, and saves a digest a request. */
	for (size_t i = 0; i < MD5_LEN; i++)
		digest[i] = (unsigned char)((req->serial * 0x9e3779b97f4a7c15u) >> (i % 8 * 8)) ^
			    (unsigned char)(i * 37);
	for (size_t i = 0; i < MD5_LEN; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[32] = '\0';
}

void reply_error(struct req *req, const char *code)
{
	reply_error_as(req, error_status(code), code, error_message(code));
}

void reply_error_says(struct req *req, const char *code, const char *message)
{
	reply_error_as(req, error_status(code), code, message);
}

/* Whether a document can follow: not on HEAD, not with 304. */
static bool has_document(const struct req *req, unsigned status)
{
	return strcmp(req->method, "HEAD") != 0 && status != 304;
}

void reply_foreign(struct req *req, unsigned status)
{
	struct reply *reply = &req->reply;

	reply_clear(reply);
	reply->status = status;
	reply_header(req, "Content-Type", "text/html; charset=utf-8");
	if (status >= 300 && status < 400)
		reply_header(req, "Location", "https://portal.example/login");
	/* Of a HEAD the length is said all the same. */
	buf_printf(&reply->text, "<!DOCTYPE html>\n<html><body><h1>%u</h1>Nothing of S3<br></body></html>\n",
		status);
}

void reply_error_as(struct req *req, unsigned status, const char *code, const char *message)
{
	struct reply *reply = &req->reply;
	struct buf extra = reply->extra, headers = {0}, *b = &reply->text;
	char host_id[33];

	/* A region's name must survive: clients go on by it. */
	if (status != 304)
		for (size_t i = 0; i < reply->headers.len;) {
			const char *name = reply->headers.p + i, *value = attrs_value(name);

			if (strcmp(name, "x-amz-bucket-region") == 0)
				attrs_add(&headers, span_of(name), span_of(value));
			i = (size_t)(value + strlen(value) + 1 - reply->headers.p);
		}
	else
		headers = reply->headers, reply->headers = (struct buf){0};
	reply->extra = (struct buf){0};
	reply_clear(reply);
	reply->headers = headers;
	reply->status = status;
	reply->code = code;
	if (has_document(req, status)) {
		reply_host_id(req, host_id);
		reply_header(req, "Content-Type", "application/xml");
		buf_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
		xml_text(b, "Code", span_of(code));
		xml_text(b, "Message", span_of(message));
		if (req->bucket.n)
			xml_text(b, "BucketName", req->bucket);
		if (req->key.n && xml_can_carry(req->key))
			xml_text(b, "Key", req->key);
		xml_text(b, "Resource", (struct span){req->raw, strcspn(req->raw, "?")});
		buf_put(b, extra.p, extra.len);
		buf_printf(b, "<RequestId>%016" PRIX64 "</RequestId><HostId>%s</HostId></Error>", req->serial,
			host_id);
	}
	buf_release(&extra);
}
