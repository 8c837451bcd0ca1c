#include "engine/wire/attempt.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* An answer with a body of some hundred bytes is read in one piece; listings and objects want more.  libcurl
 * allocates one buffer for each attempt under way, so 512 copies cost 1 MiB of them. */
enum { BUFFER_SMALL = 2048, BUFFER_LARGE = 65536 };

/* Over TLS libcurl copies all that it sends, be it a header alone, into a buffer of this size, one for each
 * attempt under way: with its default of 64 KiB 512 copies had 33 MiB of them.  16 KiB is the least it takes.
 */
enum { SEND_BUFFER_SMALL = 16384, SEND_BUFFER_LARGE = 65536 };

/* Our own lines: libcurl's Accept and Expect left out, and a length where it would send none. */
enum { LINES_OWN = 3, LINES_START = 24 };

/* The body of a DeleteObjects has some 100 KiB: a place that does copies next gives it back. */
enum { BODY_KEPT = 4096 };

static void destroy(struct attempt *attempt)
{
	if (attempt->easy)
		curl_easy_cleanup(attempt->easy);
	buf_release(&attempt->texts);
	buf_release(&attempt->body);
	free(attempt->lines);
	free(attempt->bundle);
	free(attempt);
}

static int attempt_new(struct worker *worker, struct attempt **ret)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));

	if (!attempt)
		return -ENOMEM;
	attempt->worker = worker;
	attempt->lines = calloc(LINES_START, sizeof(*attempt->lines));
	attempt->lines_size = LINES_START;
	attempt->easy = curl_easy_init();
	if (!attempt->lines || !attempt->easy || attempt_set_constants(attempt)) {
		destroy(attempt);
		return -ENOMEM;
	}
	/* These buffers change places with the wire's, which have the same bounds. */
	buf_init(&attempt->texts, worker->wire.lines.max);
	buf_init(&attempt->body, worker->wire.body.max);
	attempt->next_all = worker->all;
	worker->all = attempt;
	*ret = attempt;
	return 0;
}

int attempt_get(struct worker *worker, struct attempt **ret)
{
	struct attempt *attempt = worker->idle;

	if (!attempt)
		return attempt_new(worker, ret);
	worker->idle = attempt->next_idle;
	*ret = attempt;
	return 0;
}

void attempt_free(struct attempt *attempt)
{
	struct attempt **at = &attempt->worker->all;

	while (*at != attempt)
		at = &(*at)->next_all;
	*at = attempt->next_all;
	attempt_reader_put(attempt);
	destroy(attempt);
}

/* Pooled places kept by a trim: as many as a new window begins with. */
enum { IDLE_KEPT = WINDOW_START };

void call_trim(struct worker *worker)
{
	struct attempt **last = &worker->idle, *idle;
	bool freed = false;

	for (unsigned kept = 0; *last && kept < IDLE_KEPT; kept++)
		last = &(*last)->next_idle;
	for (idle = *last; idle; idle = idle->next_idle)
		idle->surplus = true;
	*last = NULL;
	for (struct attempt **at = &worker->all; *at;) {
		struct attempt *attempt = *at;

		if (!attempt->surplus) {
			at = &attempt->next_all;
			continue;
		}
		*at = attempt->next_all;
		destroy(attempt);
		freed = true;
	}
	/* Without the trim later allocations, of other sizes, are put on top: 1.2 MiB more at the peak of a
	 * move. */
	if (freed)
		malloc_trim(0);
}

void attempt_free_all(struct worker *worker)
{
	while (worker->all) {
		struct attempt *attempt = worker->all;

		worker->all = attempt->next_all;
		destroy(attempt);
	}
	worker->idle = NULL;
	attempt_reader_free_all(worker);
}

static void add_line(struct attempt *attempt, unsigned *count, const char *text)
{
	struct curl_slist *line = &attempt->lines[(*count)++];

	/* libcurl only reads the list; its type has no const. */
	line->data = (char *)(uintptr_t)text;
	line->next = line + 1;
}

/* Builds libcurl's list of header lines in our own array, pointing into the wire: no allocation an attempt.
 */
static int set_lines(struct attempt *attempt)
{
	const struct s3_wire *wire = &attempt->worker->wire;
	const char *text;
	unsigned wanted = LINES_OWN, count = 0;
	size_t at = 0;

	while (s3_wire_line(wire, &at))
		wanted++;
	if (wanted > attempt->lines_size) {
		struct curl_slist *lines = realloc(attempt->lines, wanted * sizeof(*lines));

		if (!lines)
			return -ENOMEM;
		attempt->lines = lines;
		attempt->lines_size = wanted;
	}
	at = 0;
	while ((text = s3_wire_line(wire, &at)))
		add_line(attempt, &count, text);
	add_line(attempt, &count, "Accept:");
	if (attempt->mode == ATTEMPT_BODY || attempt->mode == ATTEMPT_UPLOAD)
		add_line(attempt, &count, "Expect:");
	else if (wire->method[0] == 'P') /* PUT and POST without a body; some servers insist (411) */
		add_line(attempt, &count, "Content-Length: 0");
	attempt->lines[count - 1].next = NULL;
	return curl_easy_setopt(attempt->easy, CURLOPT_HTTPHEADER, attempt->lines) ? -ENOMEM : 0;
}

static enum attempt_mode mode_for(const struct s3_wire *wire)
{
	if (wire->method[0] == 'H')
		return ATTEMPT_HEAD;
	if (wire->upload && wire->body_length)
		return ATTEMPT_UPLOAD;
	return wire->body.len ? ATTEMPT_BODY : ATTEMPT_PLAIN;
}

/* Method and body.  Without a body everything is a GET to libcurl, under any name: the shortest way
 * through it. */
static CURLcode set_mode(struct attempt *attempt)
{
	const struct s3_wire *wire = &attempt->worker->wire;
	CURL *easy = attempt->easy;
	enum attempt_mode mode = mode_for(wire);
	CURLcode error = CURLE_OK;

	if (mode != attempt->mode) {
		error = curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
		if (mode == ATTEMPT_HEAD)
			error = error ? error : curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		else if (mode == ATTEMPT_UPLOAD)
			error = error ? error : curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		else if (mode == ATTEMPT_BODY)
			error = error ? error : curl_easy_setopt(easy, CURLOPT_POST, 1L);
		attempt->mode = mode;
		attempt->method = NULL;
	}
	if (!attempt->method || strcmp(attempt->method, wire->method) != 0) {
		error = error ? error : curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, wire->method);
		attempt->method = error ? NULL : wire->method;
	}
	if (mode == ATTEMPT_UPLOAD)
		error = error ? error
			      : curl_easy_setopt(
					easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)wire->body_length);
	if (mode == ATTEMPT_BODY) {
		error = error ? error : curl_easy_setopt(easy, CURLOPT_POSTFIELDS, wire->body.data);
		error = error ? error
			      : curl_easy_setopt(
					easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)wire->body.len);
	}
	return error;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The handle may have served an account with another one, which may be gone. */
static CURLcode set_bundle(struct attempt *attempt, const char *bundle)
{
	char *kept = NULL;
	CURLcode error;

	if (same_text(bundle, attempt->bundle))
		return CURLE_OK;
	if (bundle && !(kept = strdup(bundle)))
		return CURLE_OUT_OF_MEMORY;
	error = curl_easy_setopt(
		attempt->easy, CURLOPT_CAINFO, bundle ? bundle : curl_version_info(CURLVERSION_NOW)->cainfo);
	if (error) {
		free(kept);
		return error;
	}
	free(attempt->bundle);
	attempt->bundle = kept;
	return CURLE_OK;
}

static CURLcode set_address(struct attempt *attempt, const struct call *call)
{
	enum s3_op op = call->request.op;
	bool large = op == S3_GET_OBJECT || op == S3_LIST_OBJECTS || op == S3_DELETE_OBJECTS;
	long buffer_size = large ? BUFFER_LARGE : BUFFER_SMALL;
	long send_size = attempt->mode == ATTEMPT_UPLOAD ? SEND_BUFFER_LARGE : SEND_BUFFER_SMALL;
	bool chosen = account_endpoint(call->account)->tls && !attempt->worker->engine->ca_bundle;
	CURLcode error = curl_easy_setopt(attempt->easy, CURLOPT_URL, buf_text(&attempt->worker->wire.url));

	if (buffer_size != attempt->buffer_size) {
		error = error ? error : curl_easy_setopt(attempt->easy, CURLOPT_BUFFERSIZE, buffer_size);
		attempt->buffer_size = buffer_size;
	}
	if (send_size != attempt->send_size) {
		error = error ? error : curl_easy_setopt(attempt->easy, CURLOPT_UPLOAD_BUFFERSIZE, send_size);
		attempt->send_size = send_size;
	}
	return error || !chosen ? error : set_bundle(attempt, account_ca_bundle(call->account));
}

/* Builds and signs the request for the moment, region and credentials of now. */
static int build(struct attempt *attempt, struct call *call)
{
	struct endpoint space;
	struct s3_target target = {
		.credentials = account_credentials(call->account),
		.request_payer = account_request_payer(call->account),
	};

	account_region(call->account, call->request.bucket, attempt->region);
	attempt->clock_offset = account_clock_offset(call->account);
	attempt->credentials = target.credentials;
	target.region = str_of(attempt->region);
	target.endpoint = account_endpoint_for(call->account, attempt->region, &space);
	return s3_wire_build(&attempt->worker->wire, &call->request, &target, attempt->worker->signer,
		(int64_t)time(NULL) + attempt->clock_offset);
}

/* Empties the caller's sinks: an earlier attempt may have filled them. */
static void clear_sinks(struct attempt *attempt, struct call *call)
{
	attempt->sinks = call->sinks;
	if (call->sinks.page)
		page_clear(call->sinks.page);
	if (call->sinks.headers)
		headers_clear(call->sinks.headers);
	if (call->sinks.tags)
		buf_clear(call->sinks.tags);
	for (unsigned i = 0; call->sinks.deletes && i < call->sinks.deletes->count; i++) {
		call->sinks.deletes->entries[i].outcome = DELETE_PENDING;
		call->sinks.deletes->entries[i].code[0] = '\0';
	}
	if (call->sinks.on_data) {
		attempt->sinks.on_data = attempt_on_data;
		attempt->sinks.user = attempt;
	}
}

static void swap(struct buf *a, struct buf *b)
{
	struct buf c = *a;

	*a = *b;
	*b = c;
}

/* Builds the request with the worker's work space; the texts that libcurl goes on reading become the
 * attempt's. */
static int attempt_prepare(struct attempt *attempt, struct call *call)
{
	struct s3_wire *wire = &attempt->worker->wire;
	int error = build(attempt, call);

	if (error < 0)
		return error;
	if (set_mode(attempt) || set_address(attempt, call))
		return -ENOMEM;
	error = set_lines(attempt);
	if (error < 0)
		return error;
	attempt->body_length = wire->body_length;
	swap(&wire->lines, &attempt->texts);
	swap(&wire->body, &attempt->body);
	return 0;
}

int attempt_start(struct attempt *attempt, struct call *call)
{
	struct worker *worker = attempt->worker;
	int error = attempt_prepare(attempt, call);

	if (error < 0)
		return error;
	clear_sinks(attempt, call);
	attempt->call = call;
	attempt->connecting = true;
	attempt->sent = attempt->sink_failed = attempt->unresolved = false;
	attempt->error = 0;
	attempt->body_sent = 0;
	attempt->curl_error[0] = '\0';
	attempt->started_ms = attempt->progress_ms = worker->now_ms;
	if (curl_multi_add_handle(worker->sockets.multi, attempt->easy)) {
		attempt->call = NULL;
		return -ENOMEM;
	}
	attempt->running = true;
	return 0;
}

/* errno of a attempt that gave no answer. */
static int curl_errno(struct attempt *attempt, CURLcode result)
{
	long os_error = 0;

	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return -EIO;
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(attempt->easy, CURLINFO_OS_ERRNO, &os_error);
		return os_error == ETIMEDOUT || os_error == EHOSTUNREACH || os_error == ENETUNREACH
			       ? -(int)os_error
			       : -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_ABORTED_BY_CALLBACK: /* ours: a request to be sent but once was about to be sent again */
		return -ECONNRESET;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_SSL_CONNECT_ERROR: /* also a connection cut during the handshake */
		return -ECONNABORTED;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return -EPROTO;
	default:
		return -EBADMSG;
	}
}

/* libcurl's own message stands in the place of S3's words. */
static void explain_curl(struct attempt *attempt, CURLcode result)
{
	const char *words = attempt->curl_error[0] ? attempt->curl_error : curl_easy_strerror(result);
	const char *name = strstr(words, ": ");

	if (attempt->unresolved && name)
		attempt_explain(attempt, "could not resolve %s%s",
			result == CURLE_COULDNT_RESOLVE_PROXY ? "the proxy " : "", name + 2);
	else
		attempt_explain(attempt, "%s", words);
}

int attempt_finish(struct attempt *attempt, CURLcode result)
{
	attempt_stop(attempt);
	if (attempt->error)
		return attempt->error;
	if (result == CURLE_OK)
		return attempt->reader ? answer_parser_end(attempt->reader->parser) : -EBADMSG;
	attempt->unresolved = result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_RESOLVE_PROXY;
	explain_curl(attempt, result);
	return curl_errno(attempt, result);
}

void attempt_stop(struct attempt *attempt)
{
	if (!attempt->running)
		return;
	attempt->running = false;
	curl_multi_remove_handle(attempt->worker->sockets.multi, attempt->easy);
}

void attempt_idle(struct attempt *attempt)
{
	if (attempt->unresolved) {
		attempt_free(attempt);
		return;
	}
	attempt_reader_put(attempt);
	if (attempt->body.size > BODY_KEPT)
		buf_release(&attempt->body);
	attempt->call = NULL;
	attempt->next_idle = attempt->worker->idle;
	attempt->worker->idle = attempt;
}
