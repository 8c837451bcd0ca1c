/*
 * The part of a transfer that libcurl calls, and the options of an easy handle that never change.
 */
#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>
#include "engine/wire/attempt.h"

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
	struct transfer *transfer = user;

	if (!transfer->call || transfer->call->cancelled)
		return 0;
	transfer->progress_ms = transfer->worker->now_ms;
	if (!transfer->reader)
		transfer->answered_ms = transfer->progress_ms;
	if (!reader_get(transfer)) {
		transfer->error = -ENOMEM;
		return 0;
	}
	answer_parser_header(transfer->reader->parser, data, size * count);
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct transfer *transfer = user;
	int rc;

	if (!transfer->call || transfer->call->cancelled || !transfer->reader)
		return 0;
	transfer->progress_ms = transfer->worker->now_ms;
	rc = answer_parser_body(transfer->reader->parser, data, size * count);
	if (rc < 0) {
		transfer->error = rc;
		return 0;
	}
	return size * count;
}

int transfer_on_data(void *user, const char *data, size_t len)
{
	struct transfer *transfer = user;
	struct call *call = transfer->call;
	int rc = call->cancelled ? -ECANCELED : call->sinks.on_data(call->sinks.user, data, len);

	if (rc < 0) {
		transfer->sink_failed = true;
		return rc;
	}
	call->taken += len;
	counter_add(&transfer->worker->counters.object_bytes_in, len);
	return 0;
}

static size_t on_upload(char *data, size_t size, size_t count, void *user)
{
	struct transfer *transfer = user;
	struct call *call = transfer->call;
	uint64_t left = transfer->body_length - transfer->body_sent;
	size_t want = size * count < left ? size * count : (size_t)left;
	ssize_t got = (ssize_t)want;

	if (call->cancelled)
		return CURL_READFUNC_ABORT;
	if (want == 0)
		return 0;
	if (call->body_data)
		memcpy(data, call->body_data + transfer->body_sent, want);
	else
		do {
			got = pread(
				call->body_fd, data, want, (off_t)(call->body_offset + transfer->body_sent));
		} while (got < 0 && errno == EINTR);
	if (got <= 0) {
		transfer->error = got < 0 ? -errno : -EIO;
		transfer->sink_failed = true;
		return CURL_READFUNC_ABORT;
	}
	transfer->body_sent += (uint64_t)got;
	transfer->progress_ms = transfer->worker->now_ms;
	counter_add(&transfer->worker->counters.object_bytes_out, (uint64_t)got);
	return (size_t)got;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
	struct transfer *transfer = user;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > transfer->body_length)
		return CURL_SEEKFUNC_FAIL;
	transfer->body_sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* The connection stands and the request is about to be written.  A second time in one attempt means that a
 * kept connection turned out to be closed and libcurl sends the request again by itself: it may have been
 * taken then. */
static int on_connected(void *user, char *peer, char *local, int peer_port, int local_port)
{
	struct transfer *transfer = user;

	if (transfer->sent) {
		transfer->call->ambiguous = true;
		if (transfer->call->flags & CALL_ONCE)
			return CURL_PREREQFUNC_ABORT;
	}
	transfer->sent = true;
	transfer->connecting = false;
	transfer->progress_ms = transfer->worker->now_ms;
	return CURL_PREREQFUNC_OK;
}

/* An idle connection gives its two buffers of a record's size back: of 512 in flight nearly all are waiting.
 */
static CURLcode on_tls_context(CURL *easy, void *context, void *user)
{
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	return CURLE_OK;
}

static CURLcode set_tls(CURL *easy, const struct engine *engine)
{
	const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

	/* Other libraries hand over something else. */
	if (version->ssl_version && strncmp(version->ssl_version, "OpenSSL/", 8) == 0)
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
	/* libcurl keeps the parsed bundle for all connections of a multi only where there is no directory of
	 * certificates beside it; without that each of 512 connections parses it anew. */
	if (version->cainfo)
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (engine->ca_bundle)
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_CAINFO, engine->ca_bundle);
	if (engine->no_verify_tls) {
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	return rc;
}

static CURLcode set_callbacks(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);

	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_error);
	return rc ? rc : sockets_adopt(&transfer->worker->sockets, easy);
}

CURLcode transfer_set_constants(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	const struct engine *engine = transfer->worker->engine;
	CURLcode rc = set_callbacks(transfer);

	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	/* A large copy's connection is silent for minutes. */
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_USERAGENT, "ferryfs/" FERRYFS_VERSION);
	/* Our scan ends a connect that takes too long; libcurl's own clock would be set for each attempt. */
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, worker_connections(transfer->worker));
	/* Or a handle that is taken off the wire while its name is being looked up waits for the resolver, and
	 * the worker with it. */
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	if (!engine->proxied) {
		/* Or libcurl reads the environment for each attempt. */
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_PROXY, "");
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	}
	return rc ? rc : set_tls(easy, engine);
}
