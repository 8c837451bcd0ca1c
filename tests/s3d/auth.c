#include "tests/s3d/auth.h"
#include "tests/s3d/reply.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

/* AWS: "the request timestamp must be within 15 minutes". */
#define SKEW_MAX 900
#define SIGNED_MAX 64

/* What the request claims. */
struct claim {
	struct span access, date, region, scope; /* scope: date/region/s3/aws4_request */
	struct span signed_headers, signature;
	struct span stamp; /* 20240102T030405Z */
	struct span payload;
	bool presigned;
};

/* The part up to `c`; moves *rest behind it. */
static struct span cut(struct span *rest, char c)
{
	const char *at = rest->n ? memchr(rest->p, c, rest->n) : NULL;
	size_t n = at ? (size_t)(at - rest->p) : rest->n;
	struct span part = {rest->p, n};

	rest->p += at ? n + 1 : n;
	rest->n -= at ? n + 1 : n;
	return part;
}

static bool parse_credential(struct span credential, struct claim *claim)
{
	struct span service, end, rest = credential;
	size_t slashes = 0;

	for (size_t i = 0; i < credential.n; i++)
		slashes += credential.p[i] == '/';
	if (slashes != 4)
		return false;
	claim->access = cut(&rest, '/');
	claim->scope = rest;
	claim->date = cut(&rest, '/');
	claim->region = cut(&rest, '/');
	service = cut(&rest, '/');
	end = rest;
	return span_is(service, "s3") && span_is(end, "aws4_request") && claim->date.n == 8;
}

/* Credential=..., SignedHeaders=..., Signature=... */
static bool parse_authorization(struct span text, struct claim *claim)
{
	static const char scheme[] = "AWS4-HMAC-SHA256";
	struct span credential = {0};

	if (!span_starts(text, span_of(scheme)))
		return false;
	text.p += sizeof(scheme) - 1;
	text.n -= sizeof(scheme) - 1;
	while (text.n) {
		struct span part = cut(&text, ','), name;

		while (part.n && part.p[0] == ' ')
			part.p++, part.n--;
		name = cut(&part, '=');
		if (span_is(name, "Credential"))
			credential = part;
		else if (span_is(name, "SignedHeaders"))
			claim->signed_headers = part;
		else if (span_is(name, "Signature"))
			claim->signature = part;
	}
	return credential.p && claim->signed_headers.n && claim->signature.n == 64 &&
	       parse_credential(credential, claim);
}

static bool read_claim(struct req *req, struct claim *claim)
{
	struct span authorization = req_header(req, "authorization");

	if (req_param(req, "X-Amz-Signature").p) {
		claim->presigned = true;
		claim->signature = req_param(req, "X-Amz-Signature");
		claim->signed_headers = req_param(req, "X-Amz-SignedHeaders");
		claim->stamp = req_param(req, "X-Amz-Date");
		claim->payload = span_of("UNSIGNED-PAYLOAD");
		return claim->signature.n == 64 && claim->signed_headers.n && claim->stamp.n == 16 &&
		       req_param(req, "X-Amz-Credential").p &&
		       parse_credential(req_param(req, "X-Amz-Credential"), claim);
	}
	claim->stamp = req_header(req, "x-amz-date");
	claim->payload = req_header(req, "x-amz-content-sha256");
	return parse_authorization(authorization, claim);
}

static int pair_cmp(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = span_cmp(x->name, y->name);

	return c ? c : span_cmp(x->value, y->value);
}

/* Canonical query: every name and value encoded, sorted by the encoded form. */
static void canonical_query(const struct req *req, struct buf *b)
{
	struct pair pairs[REQ_PARAMS_MAX];
	struct buf encoded = {0};
	size_t n = 0;

	/* Reserved first: the spans below must not move. */
	buf_reserve(&encoded, 3 * strlen(req->raw) + 1);
	for (unsigned i = 0; i < req->param_count && !encoded.failed; i++) {
		size_t at = encoded.len, middle;

		if (span_is(req->params[i].name, "X-Amz-Signature"))
			continue;
		buf_uri(&encoded, req->params[i].name, "");
		middle = encoded.len;
		buf_uri(&encoded, req->params[i].value, "");
		pairs[n++] = (struct pair){
			{encoded.p + at, middle - at}, {encoded.p + middle, encoded.len - middle}};
	}
	qsort(pairs, n, sizeof(*pairs), pair_cmp);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_char(b, '&');
		buf_put(b, pairs[i].name.p, pairs[i].name.n);
		buf_char(b, '=');
		buf_put(b, pairs[i].value.p, pairs[i].value.n);
	}
	b->failed |= encoded.failed;
	buf_release(&encoded);
}

/* A header's value: trimmed, runs of blanks made one; repeated headers joined by commas. */
static void canonical_value(const struct req *req, struct span name, struct buf *b)
{
	bool first = true;

	for (unsigned i = 0; i < req->header_count; i++) {
		const struct pair *header = &req->headers[i];
		struct span v = header->value;

		if (header->name.n != name.n || strncasecmp(header->name.p, name.p, name.n) != 0)
			continue;
		if (!first)
			buf_char(b, ',');
		first = false;
		while (v.n && (v.p[0] == ' ' || v.p[0] == '\t'))
			v.p++, v.n--;
		while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
			v.n--;
		for (size_t k = 0; k < v.n; k++)
			if (v.p[k] != ' ' || v.p[k - 1] != ' ')
				buf_char(b, v.p[k]);
	}
}

static void canonical_request(const struct req *req, const struct claim *claim, struct buf *b)
{
	struct span names = claim->signed_headers;

	buf_str(b, req->method);
	buf_char(b, '\n');
	buf_uri(b, req->path, "/");
	buf_char(b, '\n');
	canonical_query(req, b);
	buf_char(b, '\n');
	while (names.n) {
		struct span name = cut(&names, ';');

		buf_put(b, name.p, name.n);
		buf_char(b, ':');
		canonical_value(req, name, b);
		buf_char(b, '\n');
	}
	buf_char(b, '\n');
	buf_put(b, claim->signed_headers.p, claim->signed_headers.n);
	buf_char(b, '\n');
	buf_put(b, claim->payload.p, claim->payload.n);
}

/* The signing key holds for a day, a region and a secret: kept, it saves four HMACs a request. */
static void signing_key(
	const struct account *account, const struct claim *claim, unsigned char key[SHA256_LEN])
{
	static struct buf kept_for;
	static unsigned char kept[SHA256_LEN];
	struct buf b = {0};

	buf_printf(&b, "AWS4%s", account->secret);
	buf_put(&b, claim->scope.p, claim->scope.n);
	if (!b.failed && kept_for.len == b.len && memcmp(kept_for.p, b.p, b.len) == 0) {
		memcpy(key, kept, SHA256_LEN);
		buf_release(&b);
		return;
	}
	hash_hmac((struct span){b.p, b.len - claim->scope.n}, claim->date, kept);
	hash_hmac((struct span){(char *)kept, SHA256_LEN}, claim->region, kept);
	hash_hmac((struct span){(char *)kept, SHA256_LEN}, span_of("s3"), kept);
	hash_hmac((struct span){(char *)kept, SHA256_LEN}, span_of("aws4_request"), kept);
	memcpy(key, kept, SHA256_LEN);
	buf_release(&kept_for);
	kept_for = b;
}

static void string_to_sign(const struct claim *claim, const struct buf *canonical, struct buf *b)
{
	unsigned char digest[SHA256_LEN];

	hash_sha256((struct span){canonical->p, canonical->len}, digest);
	buf_str(b, "AWS4-HMAC-SHA256\n");
	buf_put(b, claim->stamp.p, claim->stamp.n);
	buf_char(b, '\n');
	buf_put(b, claim->scope.p, claim->scope.n);
	buf_char(b, '\n');
	buf_hex(b, digest, SHA256_LEN);
}

static bool signature_matches(struct req *req, const struct claim *claim)
{
	struct buf canonical = {0}, to_sign = {0}, hex = {0};
	unsigned char key[SHA256_LEN], mac[SHA256_LEN];
	bool good = false;

	canonical_request(req, claim, &canonical);
	if (canonical.failed)
		goto out;
	string_to_sign(claim, &canonical, &to_sign);
	signing_key(req->account, claim, key);
	hash_hmac((struct span){(char *)key, sizeof(key)}, (struct span){to_sign.p, to_sign.len}, mac);
	buf_hex(&hex, mac, sizeof(mac));
	good = !hex.failed && hash_equal(hex.p, claim->signature.p, 64);
	if (!good) {
		xml_text(&req->reply.extra, "StringToSign", (struct span){to_sign.p, to_sign.len});
		xml_text(&req->reply.extra, "CanonicalRequest", (struct span){canonical.p, canonical.len});
	}
out:
	buf_release(&canonical);
	buf_release(&to_sign);
	buf_release(&hex);
	return good;
}

static bool is_signed(const struct claim *claim, struct span header)
{
	struct span names = claim->signed_headers;

	while (names.n) {
		struct span name = cut(&names, ';');

		if (name.n == header.n && strncasecmp(name.p, header.p, name.n) == 0)
			return true;
	}
	return false;
}

/* AWS: host and every x-amz-* header sent must be signed (presigned: x-amz-content-sha256 need not). */
static bool all_signed(const struct req *req, const struct claim *claim)
{
	for (unsigned i = 0; i < req->header_count; i++) {
		struct span name = req->headers[i].name;

		if (claim->presigned && strcasecmp(name.p, "x-amz-content-sha256") == 0)
			continue;
		if ((strcasecmp(name.p, "host") == 0 || strncasecmp(name.p, "x-amz-", 6) == 0) &&
			!is_signed(claim, name))
			return false;
	}
	return true;
}

static bool time_ok(const struct req *req, const struct claim *claim)
{
	char text[17];
	struct tm tm = {0};
	uint64_t expires = SKEW_MAX;
	time_t now = time(NULL) + req->server->config.clock_ahead, then;

	if (claim->stamp.n != 16)
		return false;
	memcpy(text, claim->stamp.p, 16);
	text[16] = '\0';
	if (!strptime(text, "%Y%m%dT%H%M%SZ", &tm) || memcmp(text, claim->date.p, 8) != 0)
		return false;
	then = timegm(&tm);
	if (claim->presigned && req_param_number(req, "X-Amz-Expires", &expires) < 0)
		return false;
	return now - then <= (time_t)expires && then - now <= SKEW_MAX;
}

static struct account *find_account(struct server *server, struct span access)
{
	for (size_t i = 0; i < ACCOUNTS; i++)
		if (server->config.accounts[i].access && span_is(access, server->config.accounts[i].access))
			return &server->config.accounts[i];
	return NULL;
}

static const char *check_token(const struct req *req, const struct claim *claim)
{
	struct span token = claim->presigned ? req_param(req, "X-Amz-Security-Token")
					     : req_header(req, "x-amz-security-token");

	if (token.p && req->server->config.expired_token && span_is(token, req->server->config.expired_token))
		return "ExpiredToken";
	if (!req->account->token)
		return token.p ? "InvalidToken" : NULL;
	if (!token.p)
		return "InvalidAccessKeyId";
	return span_is(token, req->account->token) ? NULL : "InvalidToken";
}

/* The payload's hash, where the client gave one.  NULL: good. */
static const char *check_payload(const struct req *req, const struct claim *claim)
{
	unsigned char digest[SHA256_LEN];
	struct buf hex = {0};
	bool same;

	if (span_is(claim->payload, "UNSIGNED-PAYLOAD"))
		return NULL;
	if (span_starts(claim->payload, span_of("STREAMING-")))
		return "NotImplemented";
	hash_sha256((struct span){req->body.p, req->body.len}, digest);
	buf_hex(&hex, digest, sizeof(digest));
	same = !hex.failed && hex.len == claim->payload.n && memcmp(hex.p, claim->payload.p, hex.len) == 0;
	buf_release(&hex);
	return same ? NULL : "XAmzContentSHA256Mismatch";
}

/* A request signed for another region than the bucket's. */
static bool check_region(struct req *req, const struct claim *claim)
{
	struct bucket *bucket = store_bucket(&req->server->store, req->bucket);
	const char *region = server_region(req->server, bucket);
	struct buf *extra = &req->reply.extra;

	if (span_is(claim->region, region))
		return true;
	reply_header(req, "x-amz-bucket-region", region);
	if (req->server->config.redirect_301 && bucket) {
		struct span host = req_header(req, "host");

		xml_text(extra, "Endpoint", host.p ? host : span_of("localhost"));
		xml_text(extra, "Bucket", span_of(bucket->name));
		reply_error(req, "PermanentRedirect");
		return false;
	}
	xml_text(extra, "Region", span_of(region));
	reply_error(req, "AuthorizationHeaderMalformed");
	return false;
}

static bool refuse(struct req *req, const char *code)
{
	reply_error(req, code);
	return false;
}

bool auth_check(struct req *req)
{
	struct server *server = req->server;
	struct claim claim = {0};
	const char *code;

	if (!req_header(req, "authorization").p && !req_param(req, "X-Amz-Signature").p) {
		req->account = server->config.auth ? NULL : &server->config.accounts[0];
		return server->config.anonymous || !server->config.auth || refuse(req, "AccessDenied");
	}
	if (!read_claim(req, &claim))
		return server->config.auth ? refuse(req, "AuthorizationHeaderMalformed") : true;
	req->account = find_account(server, claim.access);
	if (!req->account && server->config.auth)
		return refuse(req, "InvalidAccessKeyId");
	if (!check_region(req, &claim))
		return false;
	if (!server->config.auth)
		return true;
	code = check_token(req, &claim);
	if (code)
		return refuse(req, code);
	if (!claim.payload.p) {
		reply_error_says(req, "InvalidRequest",
			"Missing required header for this request: x-amz-content-sha256");
		return false;
	}
	if (!all_signed(req, &claim))
		return refuse(req, "AccessDenied");
	if (!time_ok(req, &claim))
		return refuse(req, "RequestTimeTooSkewed");
	if (!signature_matches(req, &claim))
		return refuse(req, "SignatureDoesNotMatch");
	code = check_payload(req, &claim);
	if (code)
		return refuse(req, code);
	return !req->bucket.n || auth_allows(req, req->bucket) || refuse(req, "AccessDenied");
}

bool auth_allows(const struct req *req, struct span bucket)
{
	char name[BUCKET_NAME_MAX + 1];

	if (!req->account || !req->account->denied || bucket.n >= sizeof(name))
		return true;
	memcpy(name, bucket.p, bucket.n);
	name[bucket.n] = '\0';
	return fnmatch(req->account->denied, name, 0) != 0;
}
