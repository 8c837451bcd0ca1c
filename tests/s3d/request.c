#include "tests/s3d/request.h"
#include "tests/s3d/reply.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct req *req_new(struct server *server, struct MHD_Connection *conn, const char *target)
{
	struct req *req = calloc(1, sizeof(*req));
	size_t n = strlen(target);

	if (!req)
		return NULL;
	req->server = server;
	req->conn = conn;
	req->serial = ++server->serial;
	req->raw = malloc(n + 1);
	req->decoded = malloc(n + 1);
	if (!req->raw || !req->decoded) {
		req_free(req);
		return NULL;
	}
	memcpy(req->raw, target, n + 1);
	return req;
}

void req_free(struct req *req)
{
	if (!req)
		return;
	free(req->raw);
	free(req->decoded);
	buf_release(&req->body);
	reply_clear(&req->reply);
	free(req);
}

static void parse_query(struct req *req, const char *query, char *room)
{
	while (query && *query) {
		size_t n = strcspn(query, "&");
		const char *equals = memchr(query, '=', n);
		size_t name_n = equals ? (size_t)(equals - query) : n;
		struct pair *pair = &req->params[req->param_count];

		if (req->param_count == REQ_PARAMS_MAX) {
			req->too_many = true;
			return;
		}
		if (n) {
			pair->name =
				(struct span){room, uri_decode(room, (struct span){query, name_n}, true)};
			room += pair->name.n;
			pair->value = (struct span){room, 0};
			if (equals)
				pair->value.n =
					uri_decode(room, (struct span){equals + 1, n - name_n - 1}, true);
			room += pair->value.n;
			req->param_count++;
		}
		query += n + (query[n] == '&');
	}
}

/* The bucket named by the Host header, if it is below the domain. */
static struct span host_bucket(const struct req *req)
{
	const char *domain = req->server->config.domain;
	struct span host = req_header(req, "host");
	size_t n = domain ? strlen(domain) : 0;
	const char *colon = host.p ? memchr(host.p, ':', host.n) : NULL;

	if (colon)
		host.n = (size_t)(colon - host.p);
	if (!n || !host.p || host.n <= n + 1 || strncasecmp(host.p + host.n - n, domain, n) != 0 ||
		host.p[host.n - n - 1] != '.')
		return (struct span){0};
	return (struct span){host.p, host.n - n - 1};
}

static void find_names(struct req *req)
{
	struct span path = req->path;
	const char *slash;

	if (path.n && path.p[0] == '/') {
		path.p++;
		path.n--;
	}
	req->bucket = host_bucket(req);
	if (req->bucket.n) {
		req->key = path;
		return;
	}
	slash = memchr(path.p, '/', path.n);
	req->bucket = (struct span){path.p, slash ? (size_t)(slash - path.p) : path.n};
	if (slash)
		req->key = (struct span){slash + 1, path.n - req->bucket.n - 1};
}

static enum MHD_Result take_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct req *req = arg;

	if (req->header_count == REQ_HEADERS_MAX) {
		req->too_many = true;
		return MHD_NO;
	}
	req->headers[req->header_count++] = (struct pair){span_of(name), span_of(value ? value : "")};
	return MHD_YES;
}

static bool has(const struct req *req, const char *param)
{
	return req_param(req, param).p != NULL;
}

/* Sub-resources this server hasn't got: answered 501 rather than taken for the plain operation. */
static bool has_unknown_resource(const struct req *req)
{
	static const char *const names[] = {"acl", "policy", "cors", "lifecycle", "website", "logging",
		"versions", "notification", "replication", "encryption", "torrent", "restore", "select",
		"retention", "legal-hold", "object-lock", "attributes", "renameObject", "policyStatus",
		"publicAccessBlock", "requestPayment", "accelerate", "inventory", "metrics", "analytics",
		"ownershipControls"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (has(req, names[i]))
			return true;
	return false;
}

static enum op bucket_op(const struct req *req)
{
	const char *method = req->method;

	if (has(req, "versioning"))
		return strcmp(method, "GET") == 0 ? OP_GET_VERSIONING : OP_UNKNOWN;
	if (strcmp(method, "HEAD") == 0)
		return OP_HEAD_BUCKET;
	if (strcmp(method, "PUT") == 0)
		return OP_CREATE_BUCKET;
	if (strcmp(method, "DELETE") == 0)
		return OP_DELETE_BUCKET;
	if (strcmp(method, "POST") == 0)
		return has(req, "delete") ? OP_DELETES : OP_UNKNOWN;
	if (strcmp(method, "GET") != 0)
		return OP_UNKNOWN;
	return has(req, "location") ? OP_GET_LOCATION : has(req, "uploads") ? OP_LIST_UPLOADS : OP_LIST;
}

static enum op put_op(const struct req *req)
{
	bool copy = req_header(req, "x-amz-copy-source").p != NULL;

	if (has(req, "uploadId"))
		return copy ? OP_COPY_PART : OP_UPLOAD_PART;
	if (has(req, "tagging"))
		return OP_PUT_TAGGING;
	return copy ? OP_COPY : OP_PUT;
}

static enum op object_op(const struct req *req)
{
	const char *method = req->method;

	if (strcmp(method, "HEAD") == 0)
		return OP_HEAD;
	if (strcmp(method, "PUT") == 0)
		return put_op(req);
	if (strcmp(method, "GET") == 0)
		return has(req, "uploadId") ? OP_LIST_PARTS : has(req, "tagging") ? OP_GET_TAGGING : OP_GET;
	if (strcmp(method, "DELETE") == 0)
		return has(req, "uploadId") ? OP_ABORT : has(req, "tagging") ? OP_DELETE_TAGGING : OP_DELETE;
	if (strcmp(method, "POST") == 0)
		return has(req, "uploads")    ? OP_CREATE_UPLOAD
		       : has(req, "uploadId") ? OP_COMPLETE
					      : OP_UNKNOWN;
	return OP_UNKNOWN;
}

static enum op find_op(const struct req *req)
{
	if (span_starts(req->path, span_of("/_s3d/")))
		return OP_ADMIN;
	if (has_unknown_resource(req))
		return OP_UNKNOWN;
	if (req->bucket.n == 0)
		return strcmp(req->method, "GET") == 0 ? OP_LIST_BUCKETS : OP_UNKNOWN;
	return req->key.n ? object_op(req) : bucket_op(req);
}

void req_headers(struct req *req, const char *method)
{
	size_t path_n = strcspn(req->raw, "?");

	snprintf(req->method, sizeof(req->method), "%s", method);
	req->path = (struct span){req->decoded, 0};
	req->path.n = uri_decode(req->decoded, (struct span){req->raw, path_n}, false);
	if (req->raw[path_n] == '?')
		parse_query(req, req->raw + path_n + 1, req->decoded + req->path.n);
	MHD_get_connection_values(req->conn, MHD_HEADER_KIND, take_header, req);
	find_names(req);
	req->op = find_op(req);
}

struct span req_header(const struct req *req, const char *name)
{
	size_t n = strlen(name);

	for (unsigned i = 0; i < req->header_count; i++)
		if (req->headers[i].name.n == n && strncasecmp(req->headers[i].name.p, name, n) == 0)
			return req->headers[i].value;
	return (struct span){0};
}

struct span req_param(const struct req *req, const char *name)
{
	for (unsigned i = 0; i < req->param_count; i++)
		if (span_is(req->params[i].name, name))
			return req->params[i].value;
	return (struct span){0};
}

int number_of(struct span text, uint64_t *ret)
{
	uint64_t value = 0;

	if (!text.p || text.n == 0 || text.n > 19)
		return -EINVAL;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -EINVAL;
		value = value * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret = value;
	return 0;
}

int req_param_number(const struct req *req, const char *name, uint64_t *ret)
{
	struct span text = req_param(req, name);

	return text.p ? number_of(text, ret) : -ENOENT;
}
