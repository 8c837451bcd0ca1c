/*
 * The part of a attempt that libcurl calls, and the options of an easy handle that never change.
 */
#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>
#include "engine/wire/attempt.h"

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
	struct attempt *attempt = user;

	if (!attempt->call || attempt->call->cancelled)
		return 0;
	attempt->progress_ms = attempt->worker->now_ms;
	if (!attempt->reader)
		attempt->answered_ms = attempt->progress_ms;
	if (!attempt_reader_get(attempt)) {
		attempt->error = -ENOMEM;
		return 0;
	}
	answer_parser_header(attempt->reader->parser, data, size * count);
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct attempt *attempt = user;
	int error;

	if (!attempt->call || attempt->call->cancelled || !attempt->reader)
		return 0;
	attempt->progress_ms = attempt->worker->now_ms;
	error = answer_parser_body(attempt->reader->parser, data, size * count);
	if (error < 0) {
		attempt->error = error;
		return 0;
	}
	return size * count;
}

int attempt_on_data(void *user, const char *data, size_t len)
{
	struct attempt *attempt = user;
	struct call *call = attempt->call;
	int error = call->cancelled ? -ECANCELED : call->sinks.on_data(call->sinks.user, data, len);

	if (error < 0) {
		attempt->sink_failed = true;
		return error;
	}
	call->taken += len;
	counter_add(&attempt->worker->counters.object_bytes_in, len);
	return 0;
}

static size_t on_upload(char *data, size_t size, size_t count, void *user)
{
	struct attempt *attempt = user;
	struct call *call = attempt->call;
	uint64_t left = attempt->body_length - attempt->body_sent;
	size_t want = size * count < left ? size * count : (size_t)left;
	ssize_t got = (ssize_t)want;

	if (call->cancelled)
		return CURL_READFUNC_ABORT;
	if (want == 0)
		return 0;
	if (call->body_data)
		memcpy(data, call->body_data + attempt->body_sent, want);
	else
		do {
			got = pread(
				call->body_fd, data, want, (off_t)(call->body_offset + attempt->body_sent));
		} while (got < 0 && errno == EINTR);
	if (got <= 0) {
		attempt->error = got < 0 ? -errno : -EIO;
		attempt->sink_failed = true;
		return CURL_READFUNC_ABORT;
	}
	attempt->body_sent += (uint64_t)got;
	attempt->progress_ms = attempt->worker->now_ms;
	counter_add(&attempt->worker->counters.object_bytes_out, (uint64_t)got);
	return (size_t)got;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
	struct attempt *attempt = user;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > attempt->body_length)
		return CURL_SEEKFUNC_FAIL;
	attempt->body_sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* The connection stands and the request is about to be written.  A second time in one attempt means that a
 * kept connection turned out to be closed and libcurl sends the request again by itself: it may have been
 * taken then.  A request that had sent bytes of a file is sent again by us: libcurl (7.88) would rewind them,
 * send the headers, and then wait for ever to send the bytes. */
static int on_connected(void *user, char *peer, char *local, int peer_port, int local_port)
{
	struct attempt *attempt = user;

	if (attempt->sent) {
		attempt->call->ambiguous = true;
		if ((attempt->call->flags & CALL_ONCE) || attempt->body_sent > 0)
			return CURL_PREREQFUNC_ABORT;
	}
	attempt->sent = true;
	attempt->connecting = false;
	attempt->progress_ms = attempt->worker->now_ms;
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
	CURLcode error = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

	/* Other libraries hand over something else. */
	if (version->ssl_version && strncmp(version->ssl_version, "OpenSSL/", 8) == 0)
		error = error ? error : curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
	/* libcurl keeps the parsed bundle for all connections of a multi only where there is no directory of
	 * certificates beside it; without that each of 512 connections parses it anew. */
	if (version->cainfo)
		error = error ? error : curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (engine->ca_bundle)
		error = error ? error : curl_easy_setopt(easy, CURLOPT_CAINFO, engine->ca_bundle);
	if (engine->no_verify_tls) {
		error = error ? error : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		error = error ? error : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	return error;
}

static CURLcode set_callbacks(struct attempt *attempt)
{
	CURL *easy = attempt->easy;
	CURLcode error = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);

	error = error ? error : curl_easy_setopt(easy, CURLOPT_HEADERDATA, attempt);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_WRITEDATA, attempt);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_READDATA, attempt);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_SEEKDATA, attempt);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_PREREQDATA, attempt);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_PRIVATE, attempt);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, attempt->curl_error);
	return error ? error : sockets_adopt(&attempt->worker->sockets, easy);
}

CURLcode attempt_set_constants(struct attempt *attempt)
{
	CURL *easy = attempt->easy;
	const struct engine *engine = attempt->worker->engine;
	CURLcode error = set_callbacks(attempt);

	error = error ? error : curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	error = error ? error : curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	/* A large copy's connection is silent for minutes. */
	error = error ? error : curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_USERAGENT, "ferryfs/" FERRYFS_VERSION);
	/* Our scan ends a connect that takes too long; libcurl's own clock would be set for each attempt. */
	error = error ? error
		      : curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, worker_connections(attempt->worker));
	/* Or a handle that is taken off the wire while its name is being looked up waits for the resolver,
	 * and the worker with it. */
	error = error ? error : curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	if (!engine->proxied) {
		/* Or libcurl reads the environment for each attempt. */
		error = error ? error : curl_easy_setopt(easy, CURLOPT_PROXY, "");
		error = error ? error : curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	}
	return error ? error : set_tls(easy, engine);
}
