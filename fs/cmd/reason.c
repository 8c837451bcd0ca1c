#include "fs/cmd/reason.h"

#include <errno.h>
#include <string.h>

#include "s3/escape.h"

static const char *error_text(int error)
{
	switch (-error) {
	case ENOENT:
		return "not found";
	case EACCES:
		return "access denied";
	case ESTALE:
		return "the source changed meanwhile";
	case EBUSY:
		return "appeared or changed meanwhile, and stays";
	case EREMOTE:
		return "archived: restore it first";
	case ENAMETOOLONG:
		return "the key would have more than 1,024 bytes";
	case EDESTADDRREQ:
		return "it has content, and no key is left for it at the top of a bucket: copy it alone, to "
		       "a name";
	case EFBIG:
		return "larger than any object may be";
	case EOPNOTSUPP:
		return "the service cannot do that";
	case EPROTO:
		return "TLS failed: its certificate cannot be verified (see --ca-bundle)";
	case EUCLEAN:
		return "entries of the listing that cannot be used were left out";
	case EBADMSG:
		return "the service's answer makes no sense";
	default:
		return strerror(-error);
	}
}

static bool is_set(const char *text)
{
	return text && *text;
}

bool reason_is_no_tls(const char *message)
{
	/* OpenSSL 3 and 1.1; GnuTLS */
	static const char *const words[] = {"wrong version number", "unknown protocol",
		"packet length too long", "http request", "An unexpected TLS packet was received"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(message, words[i]))
			return true;
	return false;
}

bool reason_is_broken_handshake(const char *message)
{
	static const char *const words[] = {"SSL_ERROR_SYSCALL", "unexpected eof", "reset by peer"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(message, words[i]))
			return true;
	return false;
}

static void add_where(struct buf *buf, const struct reason *reason, const char *before)
{
	if (!reason->account)
		return;
	buf_add_text(buf, before);
	endpoint_url(account_endpoint(reason->account), buf);
}

static void add_tls(struct buf *buf, const struct reason *reason)
{
	if (reason_is_no_tls(reason->message)) {
		buf_add_text(buf, "what answers speaks no TLS");
		add_where(buf, reason, ": ");
		buf_add_text(buf, " (use http:// for a service without TLS)");
		return;
	}
	buf_add_text(buf, "TLS failed: ");
	escape_text(buf, str_of(reason->message));
	add_where(buf, reason, ": ");
	if (reason->error == -EPROTO && strstr(reason->message, "certificate"))
		buf_add_text(buf, " (see --ca-bundle)");
	else if (reason_is_broken_handshake(reason->message))
		buf_add_text(buf, " (use http:// if the service has no TLS)");
}

/* libcurl's "Could not resolve host: NAME", and its like for a proxy. */
static const char *unresolved(const char *message)
{
	static const char *const words[] = {
		"Could not resolve host: ", "could not resolve ", "Couldn't resolve host '"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(message, words[i], strlen(words[i])) == 0)
			return message + strlen(words[i]);
	return NULL;
}

/* No answer, or none that can be understood; the message is libcurl's or the engine's. */
static bool add_transport(struct buf *buf, const struct reason *reason)
{
	const char *name = unresolved(reason->message);

	if (name) {
		buf_add_text(buf, "could not resolve ");
		escape_text(buf, str_of(name));
		add_where(buf, reason, ": ");
		return true;
	}
	switch (-reason->error) {
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
		buf_add_text(buf, strerror(-reason->error));
		break;
	case ECONNABORTED:
	case EPROTO:
		add_tls(buf, reason);
		return true;
	case ETIMEDOUT:
	case ECONNRESET:
		escape_text(buf, str_of(reason->message));
		break;
	default:
		return false;
	}
	add_where(buf, reason, ": ");
	return true;
}

/* The condition that failed is ours, and is better known by our words than by the service's. */
static bool reason_is_ours(int error)
{
	return error == -ESTALE || error == -EBUSY || error == -EEXIST || error == -EREMOTE;
}

static void add_words(struct buf *buf, const struct reason *reason)
{
	if (is_set(reason->code)) {
		escape_text(buf, str_of(reason->code));
		buf_add_text(buf, ": ");
		if (is_set(reason->message) && !reason_is_ours(reason->error))
			escape_text(buf, str_of(reason->message));
		else
			buf_add_text(buf, error_text(reason->error));
		return;
	}
	if (is_set(reason->message) && add_transport(buf, reason))
		return;
	if (reason->error == -EBADMSG) {
		buf_add_text(buf, "the service's answer makes no sense");
		add_where(buf, reason, " (is there a portal or proxy before ");
		buf_add_text(buf, reason->account ? "?)" : "");
		return;
	}
	buf_add_text(buf, error_text(reason->error));
	/* S3 sends a request id with each answer, also to a HEAD, which has no room for words. */
	if (reason->status >= 400 && !is_set(reason->request_id)) {
		buf_addf(buf, " (HTTP %d without an S3 error", reason->status);
		add_where(buf, reason, ": ");
		buf_add_char(buf, ')');
	}
}

int reason_text(struct buf *buf, const struct reason *reason)
{
	add_words(buf, reason);
	if (is_set(reason->request_id)) {
		buf_add_text(buf, " (request id ");
		escape_text(buf, str_of(reason->request_id));
		buf_add_char(buf, ')');
	}
	return buf->error;
}

struct reason reason_of_answer(int error, const struct s3_answer *answer, const struct account *account)
{
	struct reason reason = {.error = error, .account = account};

	if (!answer)
		return reason;
	reason.status = answer->status;
	reason.code = answer->error.code;
	reason.message = answer->error.message;
	reason.request_id = answer->request_id;
	return reason;
}

struct reason reason_of_job(const struct job_error *error, const struct account *account)
{
	return (struct reason){
		.error = error->error,
		.status = error->status,
		.code = error->code,
		.message = error->message,
		.request_id = error->request_id,
		.account = account,
	};
}
