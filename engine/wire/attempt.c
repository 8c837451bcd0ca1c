#include "engine/wire/attempt.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* An answer with a body of some hundred bytes is read in one piece; listings and objects want more.  libcurl
 * allocates one buffer for each attempt under way, so 512 copies cost 1 MiB of them. */
enum { BUFFER_SMALL = 2048, BUFFER_LARGE = 65536 };

/* Over TLS libcurl copies what it sends, be it a header alone, into a buffer of this size, one for each
 * attempt under way: with its default of 64 KiB 512 copies had 33 MiB of them.  16 KiB is the least it takes.
 */
enum { SEND_BUFFER_SMALL = 16384, SEND_BUFFER_LARGE = 65536 };

/* Our own lines: libcurl's Accept and Expect left out, and a length where it would send none. */
enum { LINES_OWN = 3, LINES_START = 24 };

/* The body of a DeleteObjects has some 100 KiB: a place that does copies next gives it back. */
enum { BODY_KEPT = 4096 };

static void destroy(struct transfer *transfer)
{
	if (transfer->easy)
		curl_easy_cleanup(transfer->easy);
	buf_release(&transfer->texts);
	buf_release(&transfer->body);
	free(transfer->lines);
	free(transfer->bundle);
	free(transfer);
}

static int transfer_new(struct worker *worker, struct transfer **ret)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (!transfer)
		return -ENOMEM;
	transfer->worker = worker;
	transfer->lines = calloc(LINES_START, sizeof(*transfer->lines));
	transfer->lines_size = LINES_START;
	transfer->easy = curl_easy_init();
	if (!transfer->lines || !transfer->easy || transfer_set_constants(transfer)) {
		destroy(transfer);
		return -ENOMEM;
	}
	/* They change places with the wire's, which have the same bounds. */
	buf_init(&transfer->texts, worker->wire.lines.max);
	buf_init(&transfer->body, worker->wire.body.max);
	transfer->next_all = worker->all;
	worker->all = transfer;
	*ret = transfer;
	return 0;
}

int transfer_get(struct worker *worker, struct transfer **ret)
{
	struct transfer *transfer = worker->idle;

	if (!transfer)
		return transfer_new(worker, ret);
	worker->idle = transfer->next_idle;
	*ret = transfer;
	return 0;
}

void transfer_free(struct transfer *transfer)
{
	struct transfer **at = &transfer->worker->all;

	while (*at != transfer)
		at = &(*at)->next_all;
	*at = transfer->next_all;
	reader_put(transfer);
	destroy(transfer);
}

/* Pooled places kept by a trim: as many as a new window begins with. */
enum { IDLE_KEPT = WINDOW_START };

void call_trim(struct worker *worker)
{
	struct transfer **last = &worker->idle, *idle;
	bool freed = false;

	for (unsigned kept = 0; *last && kept < IDLE_KEPT; kept++)
		last = &(*last)->next_idle;
	for (idle = *last; idle; idle = idle->next_idle)
		idle->surplus = true;
	*last = NULL;
	for (struct transfer **at = &worker->all; *at;) {
		struct transfer *transfer = *at;

		if (!transfer->surplus) {
			at = &transfer->next_all;
			continue;
		}
		*at = transfer->next_all;
		destroy(transfer);
		freed = true;
	}
	/* Or what comes next, of other sizes, is put on top: 1.2 MiB more at the peak of a move. */
	if (freed)
		malloc_trim(0);
}

void transfer_free_all(struct worker *worker)
{
	while (worker->all) {
		struct transfer *transfer = worker->all;

		worker->all = transfer->next_all;
		destroy(transfer);
	}
	worker->idle = NULL;
	reader_free_all(worker);
}

static void add_line(struct transfer *transfer, unsigned *count, const char *text)
{
	struct curl_slist *line = &transfer->lines[(*count)++];

	/* libcurl only reads the list; its type has no const. */
	line->data = (char *)(uintptr_t)text;
	line->next = line + 1;
}

/* Builds libcurl's list of header lines in our own array, pointing into the wire: no allocation an attempt.
 */
static int set_lines(struct transfer *transfer)
{
	const struct s3_wire *wire = &transfer->worker->wire;
	const char *text;
	unsigned wanted = LINES_OWN, count = 0;
	size_t at = 0;

	while (s3_wire_line(wire, &at))
		wanted++;
	if (wanted > transfer->lines_size) {
		struct curl_slist *lines = realloc(transfer->lines, wanted * sizeof(*lines));

		if (!lines)
			return -ENOMEM;
		transfer->lines = lines;
		transfer->lines_size = wanted;
	}
	at = 0;
	while ((text = s3_wire_line(wire, &at)))
		add_line(transfer, &count, text);
	add_line(transfer, &count, "Accept:");
	if (transfer->mode == TRANSFER_BODY || transfer->mode == TRANSFER_UPLOAD)
		add_line(transfer, &count, "Expect:");
	else if (wire->method[0] == 'P') /* PUT and POST without a body; some servers insist (411) */
		add_line(transfer, &count, "Content-Length: 0");
	transfer->lines[count - 1].next = NULL;
	return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->lines) ? -ENOMEM : 0;
}

static enum transfer_mode mode_for(const struct s3_wire *wire)
{
	if (wire->method[0] == 'H')
		return TRANSFER_HEAD;
	if (wire->upload && wire->body_length)
		return TRANSFER_UPLOAD;
	return wire->body.len ? TRANSFER_BODY : TRANSFER_PLAIN;
}

/* Method and body.  Without a body everything is a GET to libcurl, whatever its name: the shortest way
 * through it. */
static CURLcode set_mode(struct transfer *transfer)
{
	const struct s3_wire *wire = &transfer->worker->wire;
	CURL *easy = transfer->easy;
	enum transfer_mode mode = mode_for(wire);
	CURLcode rc = CURLE_OK;

	if (mode != transfer->mode) {
		rc = curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
		if (mode == TRANSFER_HEAD)
			rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		else if (mode == TRANSFER_UPLOAD)
			rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		else if (mode == TRANSFER_BODY)
			rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_POST, 1L);
		transfer->mode = mode;
		transfer->method = NULL;
	}
	if (!transfer->method || strcmp(transfer->method, wire->method) != 0) {
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, wire->method);
		transfer->method = rc ? NULL : wire->method;
	}
	if (mode == TRANSFER_UPLOAD)
		rc = rc ? rc
			: curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)wire->body_length);
	if (mode == TRANSFER_BODY) {
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_POSTFIELDS, wire->body.data);
		rc = rc ? rc
			: curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)wire->body.len);
	}
	return rc;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The handle may have served an account with another one, which may be gone. */
static CURLcode set_bundle(struct transfer *transfer, const char *bundle)
{
	char *kept = NULL;
	CURLcode rc;

	if (same_text(bundle, transfer->bundle))
		return CURLE_OK;
	if (bundle && !(kept = strdup(bundle)))
		return CURLE_OUT_OF_MEMORY;
	rc = curl_easy_setopt(
		transfer->easy, CURLOPT_CAINFO, bundle ? bundle : curl_version_info(CURLVERSION_NOW)->cainfo);
	if (rc) {
		free(kept);
		return rc;
	}
	free(transfer->bundle);
	transfer->bundle = kept;
	return CURLE_OK;
}

static CURLcode set_address(struct transfer *transfer, const struct call *call)
{
	enum s3_op op = call->request.op;
	bool large = op == S3_GET_OBJECT || op == S3_LIST_OBJECTS || op == S3_DELETE_OBJECTS;
	long buffer_size = large ? BUFFER_LARGE : BUFFER_SMALL;
	long send_size = transfer->mode == TRANSFER_UPLOAD ? SEND_BUFFER_LARGE : SEND_BUFFER_SMALL;
	bool chosen = account_endpoint(call->account)->tls && !transfer->worker->engine->ca_bundle;
	CURLcode rc = curl_easy_setopt(transfer->easy, CURLOPT_URL, buf_text(&transfer->worker->wire.url));

	if (buffer_size != transfer->buffer_size) {
		rc = rc ? rc : curl_easy_setopt(transfer->easy, CURLOPT_BUFFERSIZE, buffer_size);
		transfer->buffer_size = buffer_size;
	}
	if (send_size != transfer->send_size) {
		rc = rc ? rc : curl_easy_setopt(transfer->easy, CURLOPT_UPLOAD_BUFFERSIZE, send_size);
		transfer->send_size = send_size;
	}
	return rc || !chosen ? rc : set_bundle(transfer, account_ca_bundle(call->account));
}

/* Builds and signs the request for the moment, region and credentials of now. */
static int build(struct transfer *transfer, struct call *call)
{
	struct endpoint space;
	struct s3_target target = {
		.credentials = account_credentials(call->account),
		.request_payer = account_request_payer(call->account),
	};

	account_region(call->account, call->request.bucket, transfer->region);
	transfer->clock_offset = account_clock_offset(call->account);
	transfer->credentials = target.credentials;
	target.region = str_of(transfer->region);
	target.endpoint = account_endpoint_for(call->account, transfer->region, &space);
	return s3_wire_build(&transfer->worker->wire, &call->request, &target, transfer->worker->signer,
		(int64_t)time(NULL) + transfer->clock_offset);
}

/* Empties what an earlier attempt may have put into the caller's sinks. */
static void clear_sinks(struct transfer *transfer, struct call *call)
{
	transfer->sinks = call->sinks;
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
		transfer->sinks.on_data = transfer_on_data;
		transfer->sinks.user = transfer;
	}
}

static void swap(struct buf *a, struct buf *b)
{
	struct buf c = *a;

	*a = *b;
	*b = c;
}

/* Builds the request with the worker's work space; what libcurl goes on reading becomes the transfer's. */
static int prepare(struct transfer *transfer, struct call *call)
{
	struct s3_wire *wire = &transfer->worker->wire;
	int rc = build(transfer, call);

	if (rc < 0)
		return rc;
	if (set_mode(transfer) || set_address(transfer, call))
		return -ENOMEM;
	rc = set_lines(transfer);
	if (rc < 0)
		return rc;
	transfer->body_length = wire->body_length;
	swap(&wire->lines, &transfer->texts);
	swap(&wire->body, &transfer->body);
	return 0;
}

int transfer_start(struct transfer *transfer, struct call *call)
{
	struct worker *worker = transfer->worker;
	int rc = prepare(transfer, call);

	if (rc < 0)
		return rc;
	clear_sinks(transfer, call);
	transfer->call = call;
	transfer->connecting = true;
	transfer->sent = transfer->sink_failed = transfer->unresolved = false;
	transfer->error = 0;
	transfer->body_sent = 0;
	transfer->curl_error[0] = '\0';
	transfer->started_ms = transfer->progress_ms = worker->now_ms;
	if (curl_multi_add_handle(worker->sockets.multi, transfer->easy)) {
		transfer->call = NULL;
		return -ENOMEM;
	}
	transfer->running = true;
	return 0;
}

/* errno of a transfer that gave no answer. */
static int curl_errno(struct transfer *transfer, CURLcode result)
{
	long os_error = 0;

	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return -EIO;
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_error);
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

/* What libcurl has to say stands where S3's words would. */
static void explain_curl(struct transfer *transfer, CURLcode result)
{
	const char *words = transfer->curl_error[0] ? transfer->curl_error : curl_easy_strerror(result);
	const char *name = strstr(words, ": ");

	if (transfer->unresolved && name)
		transfer_explain(transfer, "could not resolve %s%s",
			result == CURLE_COULDNT_RESOLVE_PROXY ? "the proxy " : "", name + 2);
	else
		transfer_explain(transfer, "%s", words);
}

int transfer_finish(struct transfer *transfer, CURLcode result)
{
	transfer_stop(transfer);
	if (transfer->error)
		return transfer->error;
	if (result == CURLE_OK)
		return transfer->reader ? answer_parser_end(transfer->reader->parser) : -EBADMSG;
	transfer->unresolved = result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_RESOLVE_PROXY;
	explain_curl(transfer, result);
	return curl_errno(transfer, result);
}

void transfer_stop(struct transfer *transfer)
{
	if (!transfer->running)
		return;
	transfer->running = false;
	curl_multi_remove_handle(transfer->worker->sockets.multi, transfer->easy);
}

void transfer_idle(struct transfer *transfer)
{
	if (transfer->unresolved) {
		transfer_free(transfer);
		return;
	}
	reader_put(transfer);
	if (transfer->body.size > BODY_KEPT)
		buf_release(&transfer->body);
	transfer->call = NULL;
	transfer->next_idle = transfer->worker->idle;
	transfer->worker->idle = transfer;
}
